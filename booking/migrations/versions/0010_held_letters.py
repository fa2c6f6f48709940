"""Letters that a restore holds: they may have been sent after the backup was made."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
kind = "expand"

HELD = sa.text("state = 'queued' AND held_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("letter", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_letter_held", "letter", ["held_at"], sqlite_where=HELD, postgresql_where=HELD)


def downgrade() -> None:
    op.drop_index("ix_letter_held", "letter")
    op.drop_column("letter", "held_at")
