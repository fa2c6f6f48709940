"""Transfers of managers from one station to another."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "staff_transfer",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("from_station", ID, nullable=False),
        sa.Column("to_station", ID, nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("leaves_nobody", sa.Boolean(), nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.CheckConstraint("from_station <> to_station", name=op.f("ck_staff_transfer_moves")),
        sa.CheckConstraint("done_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_staff_transfer_ended_once")),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_staff_transfer_asked_by")),
        sa.ForeignKeyConstraint(["from_station"], ["station.id"], name=op.f("fk_staff_transfer_from_station")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_staff_transfer_person_id")),
        sa.ForeignKeyConstraint(["to_station"], ["station.id"], name=op.f("fk_staff_transfer_to_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_transfer")),
    )
    for name in ("person_id", "from_station", "to_station"):
        op.create_index(f"ix_staff_transfer_{name}", "staff_transfer", [name])
    pending = sa.text("done_at IS NULL AND withdrawn_at IS NULL")
    op.create_index(
        "uq_staff_transfer_open",
        "staff_transfer",
        ["person_id", "from_station"],
        unique=True,
        sqlite_where=pending,
        postgresql_where=pending,
    )


def downgrade() -> None:
    op.drop_table("staff_transfer")
