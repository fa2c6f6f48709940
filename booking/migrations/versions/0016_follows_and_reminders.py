"""Followed activities, and whether a person wants a reminder before the start."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("person", sa.Column("wants_reminder", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "follow",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_follow_activity_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_follow_person_id")),
        sa.PrimaryKeyConstraint("person_id", "activity_id", name=op.f("pk_follow")),
    )
    op.create_index(op.f("ix_follow_activity_id"), "follow", ["activity_id"])


def downgrade() -> None:
    op.drop_table("follow")
    op.drop_column("person", "wants_reminder")
