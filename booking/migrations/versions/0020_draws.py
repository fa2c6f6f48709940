"""Draws: their entries and hash chains, and which plans and slots give their seats by draw."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
IS_DUE = sa.text("state IN ('gathering', 'frozen')")


def upgrade() -> None:
    _draw_chain()
    _draw()
    _draw_entry()
    # Written as they stand in a new table: Alembic would add the constraints afterwards, which SQLite cannot.
    op.execute(
        "ALTER TABLE plan ADD COLUMN allocation VARCHAR(8) DEFAULT 'first' NOT NULL"
        " CONSTRAINT ck_plan_allocation CHECK (allocation IN ('first', 'draw'))"
    )
    number = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(f"ALTER TABLE slot ADD COLUMN draw_id {number} CONSTRAINT fk_slot_draw_id REFERENCES draw (id)")


def downgrade() -> None:
    op.drop_column("slot", "draw_id")
    op.drop_column("plan", "allocation")
    for table in ("draw_entry", "draw", "draw_chain"):
        op.drop_table(table)


def _draw_chain() -> None:
    op.create_table(
        "draw_chain",
        sa.Column("id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=False),
        sa.Column("seed", sa.String(40), nullable=False),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("anchor", sa.String(64), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_draw_chain_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_chain")),
    )
    op.create_index("ix_draw_chain_station_id_id", "draw_chain", ["station_id", "id"])


def _draw() -> None:
    op.create_table(
        "draw",
        sa.Column("id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("opens_at", MOMENT, nullable=False),
        sa.Column("closes_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("chain_id", ID, nullable=True),
        sa.Column("link_no", sa.Integer(), nullable=True),
        sa.Column("commitment", sa.String(64), nullable=True),
        sa.Column("list_sha256", sa.String(64), nullable=True),
        sa.Column("frozen_at", MOMENT, nullable=True),
        sa.Column("secret", sa.String(64), nullable=True),
        sa.Column("seed", sa.String(64), nullable=True),
        sa.Column("seats", sa.JSON(), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=True),
        sa.Column("why_void", sa.String(24), nullable=True),
        sa.CheckConstraint("state IN ('gathering', 'frozen', 'drawn', 'void')", name=op.f("ck_draw_state")),
        sa.CheckConstraint("opens_at <= closes_at", name=op.f("ck_draw_closes")),
        sa.CheckConstraint("(commitment IS NULL) = (link_no IS NULL)", name=op.f("ck_draw_commitment")),
        sa.CheckConstraint("state NOT IN ('frozen', 'drawn') OR list_sha256 IS NOT NULL", name=op.f("ck_draw_list")),
        sa.CheckConstraint("(state = 'drawn') = (seed IS NOT NULL)", name=op.f("ck_draw_seed")),
        sa.CheckConstraint("(state = 'void') = (why_void IS NOT NULL)", name=op.f("ck_draw_void")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_draw_station_id")),
        sa.ForeignKeyConstraint(["chain_id"], ["draw_chain.id"], name=op.f("fk_draw_chain_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw")),
        sa.UniqueConstraint("station_id", "date", "opens_at", name=op.f("uq_draw_station_id_date_opens_at")),
        sa.UniqueConstraint("chain_id", "link_no", name=op.f("uq_draw_chain_id_link_no")),
    )
    op.create_index("ix_draw_due", "draw", ["closes_at"], sqlite_where=IS_DUE, postgresql_where=IS_DUE)


def _draw_entry() -> None:
    op.create_table(
        "draw_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("draw_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("tag", sa.String(5), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("left_at", MOMENT, nullable=True),
        sa.Column("no", sa.Integer(), nullable=True),
        sa.Column("balls", sa.Integer(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("result", sa.String(12), nullable=True),
        sa.Column("got_slot_id", ID, nullable=True),
        sa.Column("passed_over", sa.JSON(), nullable=False),
        sa.CheckConstraint("result IN ('seat', 'lost', 'passed_over')", name=op.f("ck_draw_entry_result")),
        sa.CheckConstraint("(rank IS NULL) = (result IS NULL)", name=op.f("ck_draw_entry_rank")),
        sa.CheckConstraint("(no IS NULL) = (balls IS NULL)", name=op.f("ck_draw_entry_balls")),
        sa.CheckConstraint("no IS NULL OR left_at IS NULL", name=op.f("ck_draw_entry_left")),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_entry_draw_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_draw_entry_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_entry")),
        sa.UniqueConstraint("draw_id", "person_id", name=op.f("uq_draw_entry_draw_id_person_id")),
        sa.UniqueConstraint("draw_id", "no", name=op.f("uq_draw_entry_draw_id_no")),
        sa.UniqueConstraint("draw_id", "tag", name=op.f("uq_draw_entry_draw_id_tag")),
    )
    op.create_index("ix_draw_entry_person_id_draw_id", "draw_entry", ["person_id", "draw_id"])
