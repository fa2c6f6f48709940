"""Fill factor of slots: pages keep room for new versions of their rows, so that no index is written with them."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None
kind = "expand"


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE slot SET (fillfactor = 75)")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE slot RESET (fillfactor)")
