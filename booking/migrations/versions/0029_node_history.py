"""Index of the events of a network's nodes."""

import sqlalchemy as sa
from alembic import op

from booking.db.online_ddl import create_index

revision = "0029"
down_revision = "0027"
branch_labels = None
depends_on = None
kind = "expand"

KINDS = "'node_added', 'node_changed', 'node_moved', 'node_closed', 'node_reopened', 'node_policy', 'station_joined'"


def upgrade() -> None:
    of_nodes = sa.text(f"kind IN ({KINDS})")
    create_index("ix_event_of_nodes", "event", ["id"], sqlite_where=of_nodes, postgresql_where=of_nodes)


def downgrade() -> None:
    op.drop_index("ix_event_of_nodes", "event")
