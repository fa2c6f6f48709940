"""Why no mail leaves and until when the sender rests: a restart must not forget it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "mail_pause",
        sa.Column("sender", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("rests", sa.Integer(), nullable=False),
        sa.Column("reply", sa.String(length=300), nullable=False),
        sa.CheckConstraint("kind IN ('setup', 'throttled', 'unclear', 'unreachable')", name=op.f("ck_mail_pause_kind")),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_mail_pause")),
    )


def downgrade() -> None:
    op.drop_table("mail_pause")
