"""Draw partners: two people may enter a draw together. Door seats: a part of the seats that is not drawn."""

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
    op.execute(
        "ALTER TABLE plan ADD COLUMN draw_share INTEGER DEFAULT '100' NOT NULL"
        " CONSTRAINT ck_plan_draw_share CHECK (draw_share BETWEEN 50 AND 100)"
    )
    op.execute("ALTER TABLE slot ADD COLUMN door_seats INTEGER DEFAULT '0' NOT NULL")


def downgrade() -> None:
    op.drop_column("slot", "door_seats")
    op.drop_column("plan", "draw_share")
    for column in ("code", "partner_id", "people"):
        op.drop_column("draw_entry", column)
