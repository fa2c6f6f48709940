"""Requests that people make of a station."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0029"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "service_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, server_default="received"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("answer_due_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("answer", sa.String(500), nullable=False),
        sa.Column("passed_to", sa.String(80), nullable=False),
        sa.Column("their_no", sa.String(40), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("satisfied", sa.Boolean(), nullable=True),
        sa.Column("rated_at", MOMENT, nullable=True),
        sa.Column("forgotten_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'working', 'passed_on', 'solved', 'solved_elsewhere', 'withdrawn')",
            name=op.f("ck_service_request_state"),
        ),
        sa.CheckConstraint("kind IN ('room', 'activity', 'booking', 'other')", name=op.f("ck_service_request_kind")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('received', 'working', 'passed_on'))",
            name=op.f("ck_service_request_ended"),
        ),
        sa.CheckConstraint("(rated_at IS NULL) = (solved IS NULL)", name=op.f("ck_service_request_rated")),
        sa.CheckConstraint(
            "(person_id IS NULL) = (forgotten_at IS NOT NULL)", name=op.f("ck_service_request_forgotten")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_service_request_person_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_service_request_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_request")),
    )
    op.create_index("ix_service_request_person_id", "service_request", ["person_id"])
    op.create_index("ix_service_request_station_id", "service_request", ["station_id"])
    op.create_index(
        "ix_service_request_open",
        "service_request",
        ["station_id", "created_at"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_table("service_request")
