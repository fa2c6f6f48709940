"""Ratings of visits."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WITH_LINE = sa.text("line <> ''")


def upgrade() -> None:
    op.create_table(
        "rating",
        sa.Column("booking_id", ID, nullable=False),
        sa.Column("slot_id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("face", sa.String(4), nullable=False),
        sa.Column("line", sa.String(100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("face IN ('good', 'fine', 'poor')", name=op.f("ck_rating_face")),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_rating_activity_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_rating_booking_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_rating_slot_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_rating_station_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_rating")),
    )
    op.create_index("ix_rating_activity_id_date", "rating", ["activity_id", "date"])
    op.create_index("ix_rating_slot_id", "rating", ["slot_id"])
    op.create_index("ix_rating_station_id_date", "rating", ["station_id", "date"])
    op.create_index("ix_rating_line", "rating", ["date"], sqlite_where=WITH_LINE, postgresql_where=WITH_LINE)


def downgrade() -> None:
    op.drop_table("rating")
