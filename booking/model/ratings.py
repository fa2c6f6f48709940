"""Ratings: how a visit was, as its person said."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, one_of, partial
from booking.model.bookings import Booking

FACES = ("good", "fine", "poor")
Day = date  # inside a class with a field named date, `date` is that field


class Rating(Base):
    """评价: one of three faces for one visit, and a line if its person wrote one. Who it was, no page says.

    Station, slot, activity and `date`, the slot's, are those of the booking: ratings are counted without reading it.
    """

    __tablename__ = "rating"
    __table_args__ = (
        one_of("face", FACES),
        Index(None, "station_id", "date"),
        Index(None, "activity_id", "date"),
        partial("ix_rating_line", "date", where="line <> ''"),
    )
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"), index=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    date: Mapped[Day]
    face: Mapped[str] = mapped_column(String(4))
    line: Mapped[str] = mapped_column(String(100), default="")
    at: Mapped[datetime]
    booking: Mapped[Booking] = relationship()
