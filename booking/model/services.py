"""Services: what a station does beside its slots: requests that people make of it, proofs of attendance, and who
stands at the door without a phone."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Id, one_of, partial
from booking.model.people import Person
from booking.model.places import Station

REQUEST_STATES = ("received", "working", "passed_on", "solved", "solved_elsewhere", "withdrawn")
# The columns of a request that say whose it was, and its words, as they are once it is forgotten.
FORGOTTEN_REQUEST: dict[str, Any] = {"person_id": None, "text": "", "answer": "", "passed_to": "", "their_no": ""}
REQUEST_KINDS = ("room", "activity", "booking", "other")


class ServiceRequest(Base):
    """诉求: what a person asks of a station, and what became of it. Read by the person and the station's managers alone.

    `answer_due_on` and `due_on` are the last days at the station on which the first answer and the end are in time;
    `answered_on` is the day of the first answer there. `said_at` is when the station last said something.
    `passed_to` and `their_no` say who has it now and under which number. `solved` and `satisfied` are what the person said
    afterwards. A forgotten one (`forgotten_at`) has no person and no words any more, and still counts.
    """

    __tablename__ = "service_request"
    __table_args__ = (
        one_of("state", REQUEST_STATES),
        one_of("kind", REQUEST_KINDS),
        CheckConstraint("(ended_at IS NULL) = (state IN ('received', 'working', 'passed_on'))", name="ended"),
        CheckConstraint("(rated_at IS NULL) = (solved IS NULL)", name="rated"),
        CheckConstraint("(person_id IS NULL) = (forgotten_at IS NOT NULL)", name="forgotten"),
        partial("ix_service_request_open", "station_id", "created_at", where="ended_at IS NULL"),
        Index(None, "station_id", "created_at"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(16), default="received", server_default="received")
    created_at: Mapped[datetime]
    answer_due_on: Mapped[date]
    due_on: Mapped[date]
    answered_at: Mapped[datetime | None]
    answered_on: Mapped[date | None]
    said_at: Mapped[datetime | None] = mapped_column(index=True)
    answer: Mapped[str] = mapped_column(String(500), default="")
    passed_to: Mapped[str] = mapped_column(String(80), default="")
    their_no: Mapped[str] = mapped_column(String(40), default="")
    ended_at: Mapped[datetime | None]
    solved: Mapped[bool | None]
    satisfied: Mapped[bool | None]
    rated_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]
    station: Mapped[Station] = relationship()
    person: Mapped[Person | None] = relationship()

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def next_due_on(self) -> date:
        """By when the station's next word is due, while it is open."""
        return self.due_on if self.answered_at else self.answer_due_on


class AttendanceProof(Base):
    """出勤证明: a check address by which anybody sees what its person attended from `first` to `last`, until it is ended.

    It holds no visits: they are read from the bookings each time, so that it never says more than these.
    """

    __tablename__ = "attendance_proof"
    __table_args__ = (CheckConstraint("first <= last", name="span"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    first: Mapped[date]
    last: Mapped[date]
    created_at: Mapped[datetime]
    person: Mapped[Person] = relationship()


class DoorArrival(Base):
    """在门口: a name that somebody without a phone left on the door screen, for the staff alone, until the day ends there.

    It belongs to no account: whether anybody of that name has a booking is looked up when the staff reads it.
    """

    __tablename__ = "door_arrival"
    __table_args__ = (
        Index("ix_door_arrival_station_id", "station_id", "at"),
        CheckConstraint("at < until", name="span"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    name: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    until: Mapped[datetime] = mapped_column(index=True)
    settled_at: Mapped[datetime | None]
    station: Mapped[Station] = relationship()
