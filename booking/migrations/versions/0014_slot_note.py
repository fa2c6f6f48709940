"""A note of a slot, which its tickets show."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    op.add_column("slot", sa.Column("note", sa.String(length=120), nullable=True))


def downgrade() -> None:
    op.drop_column("slot", "note")
