"""Rename the columns of the waiting list and of the optimistic lock."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
kind = "contract"

RENAMED = (
    ("person", "acts", "version"),
    ("booking", "line_no", "waitlist_position"),
    ("slot", "line_last", "waitlist_seq"),
    ("slot", "line_until", "waitlist_until"),
)


def upgrade() -> None:
    for table, old, new in RENAMED:
        op.alter_column(table, old, new_column_name=new)


def downgrade() -> None:
    for table, old, new in RENAMED:
        op.alter_column(table, new, new_column_name=old)
