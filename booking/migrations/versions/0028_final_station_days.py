"""Whether a station's day was counted for good; those counted before are counted once more, with the newer numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    op.add_column("station_day", sa.Column("final", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("station_day", "final")
