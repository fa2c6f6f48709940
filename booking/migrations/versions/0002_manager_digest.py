"""Each kind of digest can be switched off alone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    wanted = sa.Column("wants_manager_digest", sa.Boolean(), nullable=False, server_default=sa.true())
    op.add_column("person", wanted)


def downgrade() -> None:
    op.drop_column("person", "wants_manager_digest")
