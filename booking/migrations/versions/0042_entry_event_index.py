"""Index of the events of draw entries that still have a person: old ones lose it."""

import sqlalchemy as sa
from alembic import op

from booking.db.online_ddl import create_index

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    named = sa.text("kind IN ('entered', 'left', 'paired', 'parted', 'value_typed') AND person_id IS NOT NULL")
    create_index("ix_event_of_entries", "event", ["at"], sqlite_where=named, postgresql_where=named)


def downgrade() -> None:
    op.drop_index("ix_event_of_entries", "event")
