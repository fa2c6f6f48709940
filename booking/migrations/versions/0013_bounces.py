"""Bounces: letters that were not delivered, and the people whom mail does not reach."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "bounce",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("reply", sa.String(length=300), nullable=False),
        sa.CheckConstraint("kind IN ('hard', 'soft', 'sender', 'unmatched')", name=op.f("ck_bounce_kind")),
        sa.CheckConstraint("(kind = 'unmatched') = (person_id IS NULL)", name=op.f("ck_bounce_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_bounce_person_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_bounce")),
    )
    op.create_index(op.f("ix_bounce_person_id"), "bounce", ["person_id"])
    op.create_index(op.f("ix_bounce_at"), "bounce", ["at"])
    op.create_table(
        "suppression",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("reply", sa.String(length=300), nullable=False),
        sa.CheckConstraint("kind IN ('hard', 'soft')", name=op.f("ck_suppression_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_suppression_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_suppression")),
    )


def downgrade() -> None:
    op.drop_table("suppression")
    op.drop_table("bounce")
