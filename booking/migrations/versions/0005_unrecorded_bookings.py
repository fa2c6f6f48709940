"""Unrecorded bookings: the end state of those at a slot where nobody took attendance."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
kind = "contract"

# Each CHECK of booking that names the states, without and with the new one.
CHECKS = {
    "ck_booking_state": (
        "state IN ('booked', 'attended', 'waiting', 'cancelled', 'released', 'expired')",
        "state IN ('booked', 'attended', 'waiting', 'cancelled', 'released', 'unrecorded', 'expired')",
    ),
    "ck_booking_seated": (
        "state NOT IN ('booked', 'attended', 'released') OR seated_at IS NOT NULL",
        "state NOT IN ('booked', 'attended', 'released', 'unrecorded') OR seated_at IS NOT NULL",
    ),
    "ck_booking_ended": (
        "(state IN ('cancelled', 'released', 'expired')) = (ended_at IS NOT NULL)",
        "(state IN ('cancelled', 'released', 'unrecorded', 'expired')) = (ended_at IS NOT NULL)",
    ),
}


def upgrade() -> None:
    op.add_column("slot", sa.Column("unattended", sa.Boolean(), server_default=sa.false(), nullable=False))
    _change_checks(CHECKS)


def downgrade() -> None:
    """Before, such a booking was released without a strike."""
    op.execute("UPDATE booking SET state = 'released', end_reason = 'release_missed' WHERE state = 'unrecorded'")
    op.execute("UPDATE event SET kind = 'release_missed', after = 'released' WHERE after = 'unrecorded'")
    _change_checks({name: (new, old) for name, (old, new) in CHECKS.items()})
    op.drop_column("slot", "unattended")


def _change_checks(checks: dict[str, tuple[str, str]]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_on_sqlite(checks)
        return
    for name, (_, after) in checks.items():
        op.execute(f"ALTER TABLE booking DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({after})")


def _rebuild_on_sqlite(checks: dict[str, tuple[str, str]]) -> None:
    """SQLite cannot change a CHECK. A batch of Alembic would lose the other CHECKs and what partial indexes ask for,
    so the table is made anew from its own text. Foreign keys are off in a migration.
    """
    own = sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'booking' AND sql IS NOT NULL")
    made = op.get_bind().execute(own).all()
    table = next(sql for kind, sql in made if kind == "table")
    for before, after in checks.values():
        if table.count(f"CHECK ({before})") != 1:
            raise RuntimeError(f"the table booking has no CHECK ({before})")
        table = table.replace(f"CHECK ({before})", f"CHECK ({after})")
    op.execute(re.sub(r'^CREATE TABLE "?booking"?', "CREATE TABLE booking_rebuilt", table))
    op.execute("INSERT INTO booking_rebuilt SELECT * FROM booking")
    op.execute("DROP TABLE booking")
    op.execute("ALTER TABLE booking_rebuilt RENAME TO booking")
    for kind, sql in made:
        if kind != "table":
            op.execute(sql)
