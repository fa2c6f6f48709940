"""Draw partners: two people may enter a draw together."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    # Written as they stand in a new table: Alembic would add the constraints afterwards, which SQLite cannot.
    number = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        "ALTER TABLE draw_entry ADD COLUMN people INTEGER DEFAULT '1' NOT NULL"
        " CONSTRAINT ck_draw_entry_people CHECK (people IN (1, 2))"
    )
    op.execute(
        f"ALTER TABLE draw_entry ADD COLUMN partner_id {number}"
        " CONSTRAINT fk_draw_entry_partner_id REFERENCES draw_entry (id)"
    )
    op.execute("ALTER TABLE draw_entry ADD COLUMN code VARCHAR(6)")


def downgrade() -> None:
    for column in ("code", "partner_id", "people"):
        op.drop_column("draw_entry", column)
