"""Find the slots that are due for a job without reading all that are planned."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
kind = "expand"

LIVE = "state IN ('planned', 'open', 'running')"


def upgrade() -> None:
    op.drop_index("ix_slot_to_end", "slot")
    _create("ix_slot_to_start", "starts_at", "state IN ('planned', 'open')")
    _create("ix_slot_to_promote", "ends_at", "state IN ('open', 'running')")
    _create("ix_slot_to_end", "ends_at", "state = 'running'")


def downgrade() -> None:
    for name in ("ix_slot_to_start", "ix_slot_to_promote", "ix_slot_to_end"):
        op.drop_index(name, "slot")
    _create("ix_slot_to_end", "ends_at", LIVE)


def _create(name: str, column: str, where: str) -> None:
    op.create_index(name, "slot", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
