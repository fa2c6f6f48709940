"""The tables, and the constraints that make wrong states impossible."""

import secrets
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Text,
    Time,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Day = date  # inside a class with a column named date, `date` is that column

HOLDING = ("booked", "attended")
LIVE = (*HOLDING, "waiting")
BOOKING_STATES = (*LIVE, "cancelled", "released", "expired")
SLOT_STATES = ("planned", "open", "running", "done", "cancelled")
KINDS = (
    "yoga",
    "fitness",
    "crafts",
    "tea",
    "flowers",
    "talk",
    "livestream",
    "photo",
    "art",
    "games",
    "reading",
    "other",
)

Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. SQLite gives naive ones back, so both ways pass through UTC here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime,
        date: Date,
        time: Time,
        dict[str, Any]: JSON,
    }


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Station(Base):
    """驿站: the place. Its `policy` holds only the numbers that differ from the defaults."""

    __tablename__ = "station"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    address_en: Mapped[str] = mapped_column(String(300), default="")
    zone_name: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    door_secret: Mapped[str] = mapped_column(String(64), default=lambda: secrets.token_hex(20))
    closed_at: Mapped[datetime | None]


class Person(Base):
    """用户: an account. Everyone can be a worker; a deleted one keeps its row and loses its name."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(40), default="")
    phone: Mapped[str] = mapped_column(String(20), default="")
    company: Mapped[str] = mapped_column(String(80), default="")
    language: Mapped[str] = mapped_column(String(16), default="zh_Hans_CN")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_admin: Mapped[bool] = mapped_column(default=False)
    wants_digest: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    manages: Mapped[list["Manages"]] = relationship(back_populates="person", foreign_keys="Manages.person_id")


class Manages(Base):
    """One person's right to run one station."""

    __tablename__ = "manages"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), primary_key=True, index=True)
    since: Mapped[datetime]
    person: Mapped[Person] = relationship(back_populates="manages", foreign_keys=[person_id])
    station: Mapped[Station] = relationship()


class SignIn(Base):
    """One browser's sign-in. Only the hash of its token is kept; ending it here ends it there."""

    __tablename__ = "sign_in"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship()


class Code(Base):
    """A mailed code for one address and purpose; single use, a few tries, hashed."""

    __tablename__ = "code"
    __table_args__ = (one_of("purpose", ("register", "reset", "sign_in")), Index(None, "email", "purpose"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    purpose: Mapped[str] = mapped_column(String(16))
    code_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)


class Failure(Base):
    """One failed sign-in, counted by account and by address."""

    __tablename__ = "failure"
    __table_args__ = (Index(None, "account", "at"), Index(None, "address", "at"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class Workday(Base):
    """工作日: one announced date, a workday or a rest day. A date without a row is not announced yet."""

    __tablename__ = "workday"
    date: Mapped[Day] = mapped_column(primary_key=True)
    works: Mapped[bool]
    name: Mapped[str] = mapped_column(String(40), default="")
    source: Mapped[str] = mapped_column(String(40))


class DayOverride(Base):
    """A manager's word on one date of one station, stronger than the calendar."""

    __tablename__ = "day_override"
    __table_args__ = (CheckConstraint("follows BETWEEN 1 AND 7", name="follows"),)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), primary_key=True)
    date: Mapped[Day] = mapped_column(primary_key=True)
    works: Mapped[bool]
    follows: Mapped[int | None] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(String(80), default="")


class Zone(Base):
    """板块: a room or area, with the largest number of people that it holds."""

    __tablename__ = "zone"
    __table_args__ = (
        UniqueConstraint("station_id", "name"),
        CheckConstraint("capacity BETWEEN 1 AND 1000", name="capacity"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    name: Mapped[str] = mapped_column(String(40))
    name_en: Mapped[str] = mapped_column(String(80), default="")
    capacity: Mapped[int]
    closed_at: Mapped[datetime | None]


class Activity(Base):
    """活动: what is offered, in words and a picture."""

    __tablename__ = "activity"
    __table_args__ = (one_of("kind", KINDS), Index(None, "station_id"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(60))
    title_en: Mapped[str] = mapped_column(String(120), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    text_en: Mapped[str] = mapped_column(Text, default="")
    host: Mapped[str] = mapped_column(String(40), default="")
    host_en: Mapped[str] = mapped_column(String(80), default="")
    bring: Mapped[str] = mapped_column(String(120), default="")
    bring_en: Mapped[str] = mapped_column(String(200), default="")
    suits: Mapped[str] = mapped_column(String(120), default="")
    suits_en: Mapped[str] = mapped_column(String(200), default="")
    picture: Mapped[str] = mapped_column(String(40), default="default")
    retired_at: Mapped[datetime | None]


class Plan(Base):
    """排期: the weekly rule. `weekdays` are ISO numbers as text, "135" is Monday, Wednesday, Friday."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 10 AND 480", name="minutes"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint("weekdays <> ''", name="weekdays"),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="valid"),
        CheckConstraint("opens_workdays_before BETWEEN 0 AND 10", name="opens_workdays_before"),
        Index(None, "station_id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"))
    weekdays: Mapped[str] = mapped_column(String(7))
    starts: Mapped[time]
    minutes: Mapped[int]
    capacity: Mapped[int]
    on_rest_days: Mapped[bool] = mapped_column(default=False)
    opens_workdays_before: Mapped[int | None]
    opens_clock: Mapped[time | None]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    stopped_at: Mapped[datetime | None]
    activity: Mapped[Activity] = relationship()
    zone: Mapped[Zone] = relationship()
    station: Mapped[Station] = relationship()
    exceptions: Mapped[list["PlanException"]] = relationship(back_populates="plan")


class PlanException(Base):
    """One date on which a plan runs otherwise, or not at all. NULL means: as the plan says."""

    __tablename__ = "plan_exception"
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"), primary_key=True)
    date: Mapped[Day] = mapped_column(primary_key=True)
    skip: Mapped[bool] = mapped_column(default=False)
    starts: Mapped[time | None]
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("zone.id"))
    capacity: Mapped[int | None]
    host: Mapped[str | None] = mapped_column(String(40))
    plan: Mapped[Plan] = relationship(back_populates="exceptions")


class Slot(Base):
    """场次: one dated run. It carries its own timetable, so that every question about it is one row.

    `taken` counts the bookings in a HOLDING state, `waiting` the entries in the line (those at the
    door included); `line_last` is the last number given out in the line.
    """

    __tablename__ = "slot"
    __table_args__ = (
        one_of("state", SLOT_STATES),
        CheckConstraint("taken >= 0 AND taken <= capacity", name="taken"),
        CheckConstraint("waiting >= 0", name="waiting"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint("opens_at <= starts_at AND line_until <= starts_at AND free_until <= starts_at", name="before"),
        CheckConstraint("checkin_from <= starts_at AND starts_at < release_at AND release_at <= ends_at", name="after"),
        partial("uq_slot_plan_date", "plan_id", "date", where="plan_id IS NOT NULL", unique=True),
        Index(None, "station_id", "date"),
        Index(None, "zone_id", "starts_at"),
        partial("ix_slot_to_open", "opens_at", where="state = 'planned'"),
        partial("ix_slot_to_end", "ends_at", where="state IN ('planned', 'open', 'running')"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"))
    date: Mapped[Day]
    opens_at: Mapped[datetime]
    free_until: Mapped[datetime]
    line_until: Mapped[datetime]
    checkin_from: Mapped[datetime]
    starts_at: Mapped[datetime]
    release_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int] = mapped_column(default=0)
    line_last: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16), default="planned")
    host: Mapped[str | None] = mapped_column(String(40))
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    released_at: Mapped[datetime | None]
    activity: Mapped[Activity] = relationship()
    zone: Mapped[Zone] = relationship()
    station: Mapped[Station] = relationship()

    @property
    def free(self) -> int:
        return self.capacity - self.taken

    def state_at(self, now: datetime) -> str:
        """The state that the clock gives it; the jobs only record it later."""
        if self.state in ("cancelled", "done") or now >= self.ends_at:
            return "cancelled" if self.state == "cancelled" else "done"
        if now >= self.starts_at:
            return "running"
        return "open" if now >= self.opens_at else "planned"


class Booking(Base):
    """预约: one person's claim on one slot. `via` says how the seat came: tap, line or door.

    `line_no` orders the line; `standby_at` is since when the person stands at the door;
    `seated_at` is when the seat was given; `late` marks a give-up after `Slot.free_until`;
    `skipped` is why the line last passed this entry by.
    """

    __tablename__ = "booking"
    __table_args__ = (
        one_of("state", BOOKING_STATES),
        one_of("via", ("tap", "line", "door")),
        CheckConstraint("state <> 'waiting' OR line_no IS NOT NULL", name="line"),
        CheckConstraint("state NOT IN ('booked', 'attended', 'released') OR seated_at IS NOT NULL", name="seated"),
        CheckConstraint("(state = 'attended') = (checked_in_at IS NOT NULL)", name="checked_in"),
        CheckConstraint("(state IN ('cancelled', 'released', 'expired')) = (ended_at IS NOT NULL)", name="ended"),
        partial(
            "uq_booking_live", "slot_id", "person_id", where="state IN ('booked', 'attended', 'waiting')", unique=True
        ),
        partial("uq_booking_key", "person_id", "key", where="key IS NOT NULL", unique=True),
        partial("ix_booking_line", "slot_id", "line_no", where="state = 'waiting'"),
        Index(None, "slot_id", "state"),
        Index(None, "person_id", "id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(String(16))
    via: Mapped[str] = mapped_column(String(8), default="tap")
    line_no: Mapped[int | None]
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


class Strike(Base):
    """爽约: one line of a person's ledger at one station."""

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


class Letter(Base):
    """邮件: one mail to one person, a row in the outbox. `key` makes a thing be told once."""

    __tablename__ = "letter"
    __table_args__ = (
        one_of("state", ("queued", "sending", "sent", "failed", "dropped")),
        partial("ix_letter_due", "next_try_at", where="state = 'queued'"),
        partial("ix_letter_sending", "claimed_at", where="state = 'sending'"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    key: Mapped[str | None] = mapped_column(String(120), unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    to: Mapped[str | None] = mapped_column(String(254))
    language: Mapped[str | None] = mapped_column(String(16))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"), index=True)
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(8), default="queued")
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(300), default="")


class Digest(Base):
    """日报: the daily letter, one per person, kind and date."""

    __tablename__ = "digest"
    __table_args__ = (one_of("kind", ("worker", "manager")), UniqueConstraint("person_id", "kind", "date"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(8))
    date: Mapped[Day]
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letter.id"))
    written_at: Mapped[datetime]


class Event(Base):
    """记录: one line of history. `actor_id` NULL means the clock did it."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "slot_id", "id"), Index(None, "station_id", "id"), Index(None, "person_id", "id"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(24))
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id", ondelete="SET NULL"))
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    before: Mapped[str | None] = mapped_column(String(16))
    after: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class JobRun(Base):
    """The last run of one scheduler job."""

    __tablename__ = "job_run"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    did: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(300), default="")
