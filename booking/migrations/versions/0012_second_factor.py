"""Second factor of a person's sign-in, its recovery codes, and who must have one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
kind = "expand"

ADMIN = sa.text("is_admin")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_index("ix_person_admin", "person", ["id"], sqlite_where=ADMIN, postgresql_where=ADMIN)
    op.create_table(
        "second_factor",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("seed", sa.String(40), nullable=False),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_second_factor_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["second_factor.person_id"], name=op.f("fk_recovery_code_person_id")),
        sa.PrimaryKeyConstraint("person_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "second_factor_policy",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("required_of", sa.String(8), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_second_factor_policy_one")),
        sa.CheckConstraint(
            "required_of IN ('nobody', 'admins', 'staff')", name=op.f("ck_second_factor_policy_required_of")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factor_policy")),
    )


def downgrade() -> None:
    for name in ("recovery_code", "second_factor", "second_factor_policy"):
        op.drop_table(name)
    op.drop_index("ix_person_admin", "person")
