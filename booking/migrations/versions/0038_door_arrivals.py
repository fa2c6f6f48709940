"""Names that people without a phone leave on the door screen."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "door_arrival",
        sa.Column("id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.CheckConstraint("at < until", name=op.f("ck_door_arrival_span")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_door_arrival_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_arrival")),
    )
    op.create_index("ix_door_arrival_station_id", "door_arrival", ["station_id", "at"])
    op.create_index("ix_door_arrival_until", "door_arrival", ["until"])


def downgrade() -> None:
    op.drop_table("door_arrival")
