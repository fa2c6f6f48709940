"""Notices of stations and nodes. Requests know when the station last said something, and on which day it first answered.

The indexes of a table in use are built outside a transaction, so what comes before them can be done twice.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from booking.db.online_ddl import create_index

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
NOT_ENDED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    again = True if op.get_context().dialect.name == "postgresql" else None
    op.add_column("service_request", sa.Column("answered_on", sa.Date(), nullable=True), if_not_exists=again)
    op.add_column("service_request", sa.Column("said_at", MOMENT, nullable=True), if_not_exists=again)
    create_index("ix_service_request_said_at", "service_request", ["said_at"])
    create_index("ix_service_request_station_id_created_at", "service_request", ["station_id", "created_at"])
    op.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=True),
        sa.Column("node_id", ID, nullable=True),
        sa.Column("title", sa.String(40), nullable=False),
        sa.Column("text", sa.String(600), nullable=False),
        sa.Column("picture", sa.String(32), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("(station_id IS NULL) <> (node_id IS NULL)", name=op.f("ck_notice_of_one")),
        sa.CheckConstraint("first <= last", name=op.f("ck_notice_span")),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_notice_node_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_notice_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_node_id", "notice", ["node_id"])
    op.create_index("ix_notice_station_id", "notice", ["station_id"])
    for name, column in (("ix_notice_of_station", "station_id"), ("ix_notice_of_node", "node_id")):
        op.create_index(name, "notice", [column, "last"], sqlite_where=NOT_ENDED, postgresql_where=NOT_ENDED)
    _date_answers()


def _date_answers() -> None:
    """The dates of the answers that were given before, by the stations' calendars."""
    told = sa.text(
        "SELECT r.id, r.answered_at, s.zone_name FROM service_request r JOIN station s ON s.id = r.station_id"
        " WHERE r.answered_at IS NOT NULL"
    ).columns(answered_at=MOMENT)
    write = sa.text("UPDATE service_request SET answered_on = :day WHERE id = :id").bindparams(
        sa.bindparam("day", type_=sa.Date())
    )
    for key, answered_at, zone in op.get_bind().execute(told).all():
        moment: datetime = answered_at if answered_at.tzinfo else answered_at.replace(tzinfo=UTC)
        op.get_bind().execute(write, {"day": moment.astimezone(ZoneInfo(zone)).date(), "id": key})


def downgrade() -> None:
    op.drop_index("ix_service_request_station_id_created_at", "service_request")
    op.drop_index("ix_service_request_said_at", "service_request")
    op.drop_column("service_request", "said_at")
    op.drop_column("service_request", "answered_on")
    op.drop_table("notice")
