"""Invitations of managers, and the numbers of each station's days."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OPEN = sa.text("accepted_at IS NULL AND withdrawn_at IS NULL")
COUNTS = ("slots", "seats", "visits", "expected", "no_shows")


def upgrade() -> None:
    op.create_table(
        "manager_invitation",
        sa.Column("id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("accepted_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "accepted_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_manager_invitation_ended_once")
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_manager_invitation_station_id")),
        sa.ForeignKeyConstraint(["invited_by"], ["person.id"], name=op.f("fk_manager_invitation_invited_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manager_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_manager_invitation_token_hash")),
    )
    op.create_index(op.f("ix_manager_invitation_email"), "manager_invitation", ["email"])
    op.create_index(op.f("ix_manager_invitation_invited_by"), "manager_invitation", ["invited_by"])
    op.create_index(
        "uq_manager_invitation_open",
        "manager_invitation",
        ["station_id", "email"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "station_day",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("station_id", ID, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_station_day_station_id")),
        sa.PrimaryKeyConstraint("date", "station_id", name=op.f("pk_station_day")),
    )


def downgrade() -> None:
    op.drop_table("station_day")
    op.drop_table("manager_invitation")
