"""Door helpers: who may check people in at a station until midnight."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "door_helper",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", ID, nullable=False),
        sa.ForeignKeyConstraint(["granted_by"], ["person.id"], name=op.f("fk_door_helper_granted_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_door_helper_person_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_door_helper_station_id")),
        sa.PrimaryKeyConstraint("person_id", "station_id", name=op.f("pk_door_helper")),
    )
    op.create_index(op.f("ix_door_helper_station_id"), "door_helper", ["station_id"])


def downgrade() -> None:
    op.drop_table("door_helper")
