"""Whose browser asked for a mailed code, and from where; and a sign-in of staff ends after twelve idle hours."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from booking import clock

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    for name in ("browser", "address"):
        op.add_column("code", sa.Column(name, sa.String(length=64), server_default="", nullable=False))
    op.create_index(op.f("ix_code_address_created_at"), "code", ["address", "created_at"])
    staff = sa.text(
        "UPDATE sign_in SET expires_at = :soon WHERE ended_at IS NULL AND expires_at > :soon AND person_id IN"
        " (SELECT id FROM person WHERE is_admin UNION SELECT person_id FROM manages)"
    )
    soon = clock.now() + timedelta(hours=12)
    op.execute(staff.bindparams(sa.bindparam("soon", soon, sa.DateTime(timezone=True))))


def downgrade() -> None:
    op.drop_index(op.f("ix_code_address_created_at"), "code")
    for name in ("address", "browser"):
        op.drop_column("code", name)
