"""Index of the events of nodes: those of roles, imports and notices are in it too."""

import sqlalchemy as sa
from alembic import op

from booking.db.online_ddl import create_index

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None
kind = "expand"

BEFORE = "'node_added', 'node_changed', 'node_moved', 'node_closed', 'node_reopened', 'node_policy', 'station_joined'"
ADDED = (
    "'stations_imported', 'overseer_appointed', 'overseer_ended', 'notice_published', 'notice_changed', 'notice_ended'"
)


def upgrade() -> None:
    _make_anew(f"{BEFORE}, {ADDED}")


def downgrade() -> None:
    _make_anew(BEFORE)


def _make_anew(kinds: str) -> None:
    """On PostgreSQL `create_index` drops the one before, while others write."""
    if op.get_context().dialect.name == "sqlite":
        op.drop_index("ix_event_of_nodes", "event")
    where = sa.text(f"kind IN ({kinds})")
    create_index("ix_event_of_nodes", "event", ["id"], sqlite_where=where, postgresql_where=where)
