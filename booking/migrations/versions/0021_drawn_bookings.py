"""Drawn bookings: how a seat came may be `draw`. The code before does not mind: it writes the others."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
kind = "contract"
oldest_revision = "0014"

BEFORE = "via IN ('tap', 'line', 'door')"
AFTER = "via IN ('tap', 'line', 'door', 'draw')"


def upgrade() -> None:
    _change_check(BEFORE, AFTER)


def downgrade() -> None:
    op.execute("UPDATE booking SET via = 'line' WHERE via = 'draw'")
    _change_check(AFTER, BEFORE)


def _change_check(before: str, after: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_on_sqlite(before, after)
        return
    op.execute(
        f"ALTER TABLE booking DROP CONSTRAINT ck_booking_via, ADD CONSTRAINT ck_booking_via CHECK ({after}) NOT VALID"
    )
    op.execute("ALTER TABLE booking VALIDATE CONSTRAINT ck_booking_via")


def _rebuild_on_sqlite(before: str, after: str) -> None:
    """The table is made anew from its own text, as in 0005: a batch would lose CHECKs and the WHERE of indexes."""
    own = sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'booking' AND sql IS NOT NULL")
    made = op.get_bind().execute(own).all()
    table = next(sql for kind, sql in made if kind == "table")
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
