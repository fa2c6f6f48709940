"""Indexes of a station's centre, and of the stations to which a change of policy above is still to be applied."""

import sqlalchemy as sa
from alembic import op

from booking.db.online_ddl import create_index

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    create_index("ix_station_centre_id", "station", ["centre_id"])
    due = sa.text("policy_due")
    create_index("ix_station_policy_due", "station", ["id"], sqlite_where=due, postgresql_where=due)


def downgrade() -> None:
    op.drop_index("ix_station_policy_due", "station")
    op.drop_index("ix_station_centre_id", "station")
