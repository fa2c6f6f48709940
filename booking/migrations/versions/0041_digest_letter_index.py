"""Index of the letters of digests: deleting an old letter reads them by it."""

import sqlalchemy as sa
from alembic import op

from booking.db.online_ddl import create_index

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    sent = sa.text("letter_id IS NOT NULL")
    create_index("ix_digest_letter_id", "digest", ["letter_id"], sqlite_where=sent, postgresql_where=sent)


def downgrade() -> None:
    op.drop_index("ix_digest_letter_id", "digest")
