"""Notices: what a station or a node tells everybody who comes, from one day to another."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Id, partial
from booking.model.network import Node
from booking.model.places import Station

# Of built-in ones alone: uploaded ones are kept for the activities that show them. Empty: none.
NO_PICTURE = ""


class Notice(Base):
    """公告: a title and some lines of text, of a station or of a node, whose stations all show it.

    It is shown from `first` to `last`, both included, by the calendar of the station that shows it, unless it was ended
    before.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("(station_id IS NULL) <> (node_id IS NULL)", name="of_one"),
        CheckConstraint("first <= last", name="span"),
        partial("ix_notice_of_station", "station_id", "last", where="ended_at IS NULL"),
        partial("ix_notice_of_node", "node_id", "last", where="ended_at IS NULL"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"), index=True)
    node_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"), index=True)
    title: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(600), default="")
    picture: Mapped[str] = mapped_column(String(32), default=NO_PICTURE)
    first: Mapped[date]
    last: Mapped[date]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    station: Mapped[Station | None] = relationship()
    node: Mapped[Node | None] = relationship()
