"""Bookings, followed activities, failed attempts and strikes."""

import secrets
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Id, one_of, partial
from booking.model.people import Person
from booking.model.programme import Activity, Slot

HOLDING = ("booked", "attended")
LIVE = (*HOLDING, "waiting")
BOOKING_STATES = (*LIVE, "cancelled", "released", "unrecorded", "expired")


class Booking(Base):
    """预约: one person's claim on one slot.

    `via` says how the seat came: tap (booked), line (promoted, or reserved by a manager), draw (drawn, or the place after
    a draw) or door (check-in).
    `waitlist_position` orders the waiting list; `standby_at` is since when the person is on standby; `seated_at` is when
    the seat was given; `late` marks a cancel after `Slot.free_until`, and a check-in after the release; `skipped` is why
    the waiting list last skipped this entry. `unrecorded`: nobody took attendance.
    """

    __tablename__ = "booking"
    __table_args__ = (
        one_of("state", BOOKING_STATES),
        one_of("via", ("tap", "line", "door", "draw")),
        CheckConstraint("state <> 'waiting' OR waitlist_position IS NOT NULL", name="line"),
        CheckConstraint(
            "state NOT IN ('booked', 'attended', 'released', 'unrecorded') OR seated_at IS NOT NULL", name="seated"
        ),
        CheckConstraint("(state = 'attended') = (checked_in_at IS NOT NULL)", name="checked_in"),
        CheckConstraint(
            "(state IN ('cancelled', 'released', 'unrecorded', 'expired')) = (ended_at IS NOT NULL)", name="ended"
        ),
        partial(
            "uq_booking_live", "slot_id", "person_id", where="state IN ('booked', 'attended', 'waiting')", unique=True
        ),
        partial("uq_booking_key", "person_id", "key", where="key IS NOT NULL", unique=True),
        partial("ix_booking_line", "slot_id", "waitlist_position", where="state = 'waiting'"),
        Index(None, "slot_id", "state"),
        Index(None, "person_id", "id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(String(16))
    via: Mapped[str] = mapped_column(String(8), default="tap")
    waitlist_position: Mapped[int | None]
    key: Mapped[str | None] = mapped_column(String(64))
    ticket: Mapped[str] = mapped_column(String(32), unique=True, default=lambda: secrets.token_urlsafe(16))
    created_at: Mapped[datetime]
    seated_at: Mapped[datetime | None]
    standby_at: Mapped[datetime | None]
    checked_in_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(40))
    late: Mapped[bool] = mapped_column(default=False)
    skipped: Mapped[str | None] = mapped_column(String(24))
    slot: Mapped[Slot] = relationship()
    person: Mapped[Person] = relationship()


class Follow(Base):
    """关注: a person who is told of the new slots of an activity, in the digest."""

    __tablename__ = "follow"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]
    activity: Mapped[Activity] = relationship()


class Try(Base):
    """没约上: a booking that a rule refused, kept to explain it to its person. Only the first for each reason.

    `until` and `most` are what the sentence needs: the end of a pause, the number of a limit.
    """

    __tablename__ = "try"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id", ondelete="CASCADE"), primary_key=True, index=True)
    reason: Mapped[str] = mapped_column(String(24), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    until: Mapped[datetime | None]
    most: Mapped[int | None]
    slot: Mapped[Slot] = relationship()


class Strike(Base):
    """爽约: one penalty of a person at one station."""

    __tablename__ = "strike"
    __table_args__ = (one_of("reason", ("no_show", "late_cancel")), Index(None, "person_id", "station_id", "at"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"), index=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(16))
    forgiven_at: Mapped[datetime | None]
    forgiven_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    forgive_reason: Mapped[str] = mapped_column(String(200), default="")
    slot: Mapped[Slot] = relationship()
