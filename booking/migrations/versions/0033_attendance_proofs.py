"""Proofs of attendance."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attendance_proof",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("first <= last", name=op.f("ck_attendance_proof_span")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_attendance_proof_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_proof")),
        sa.UniqueConstraint("code", name=op.f("uq_attendance_proof_code")),
    )
    op.create_index("ix_attendance_proof_person_id", "attendance_proof", ["person_id"])


def downgrade() -> None:
    op.drop_table("attendance_proof")
