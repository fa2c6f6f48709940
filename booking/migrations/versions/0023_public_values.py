"""Public values: which number that everybody can look up counts in the draws of a plan, and what was typed of it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
KINDS = "value_kind IN ('none', 'kl8', 'hex', 'digits')"


def upgrade() -> None:
    # Written as they stand in a new table: Alembic would add the constraints afterwards, which SQLite cannot.
    for table in ("plan", "draw"):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN value_kind VARCHAR(8) DEFAULT 'none' NOT NULL"
            f" CONSTRAINT ck_{table}_value_kind CHECK ({KINDS})"
        )
        op.add_column(table, sa.Column("value_source", sa.String(120), nullable=True))
    op.add_column("plan", sa.Column("value_clock", sa.Time(), nullable=True))
    moment = MOMENT.compile(op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE draw ADD COLUMN value_from {moment}"
        " CONSTRAINT ck_draw_value CHECK ((value_kind = 'none') = (value_from IS NULL))"
    )
    op.add_column("draw", sa.Column("value_until", MOMENT, nullable=True))
    op.add_column("draw", sa.Column("value", sa.String(160), nullable=True))
    op.add_column("draw_chain", sa.Column("typed", sa.Boolean(), nullable=False, server_default=sa.false()))
    _draw_value()


def downgrade() -> None:
    op.drop_table("draw_value")
    op.drop_column("draw_chain", "typed")
    for column in ("value", "value_until", "value_from", "value_source", "value_kind"):
        op.drop_column("draw", column)
    for column in ("value_clock", "value_source", "value_kind"):
        op.drop_column("plan", column)


def _draw_value() -> None:
    op.create_table(
        "draw_value",
        sa.Column("id", ID, nullable=False),
        sa.Column("draw_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(160), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("typed_at", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('entrant', 'manager')", name=op.f("ck_draw_value_role")),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_value_draw_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_draw_value_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_value")),
        sa.UniqueConstraint("draw_id", "version", name=op.f("uq_draw_value_draw_id_version")),
    )
    op.create_index("ix_draw_value_person_id", "draw_value", ["person_id"])
