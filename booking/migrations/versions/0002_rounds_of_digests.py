"""When each round of digests was last seen to be done: until then it is a question about everybody."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "digest_round",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("zone_name", sa.String(length=64), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('worker', 'manager')", name=op.f("ck_digest_round_kind")),
        sa.PrimaryKeyConstraint("kind", "zone_name", name=op.f("pk_digest_round")),
    )


def downgrade() -> None:
    op.drop_table("digest_round")
