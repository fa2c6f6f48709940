"""Programme: what is offered, the weekly plans, and the dated slots."""

from datetime import datetime, time
from typing import ClassVar, Protocol

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Day, Id, one_of, partial
from booking.model.places import Station, Zone

# How seats are given: to the first who book, or by a draw.
ALLOCATIONS = ("first", "draw")
# The public value of a draw: none, or what it looks like: 20 numbers of 快乐8, hexadecimal digits, a number.
VALUE_KINDS = ("none", "kl8", "hex", "digits")
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


class Activity(Base):
    """活动: what is offered, in text and a picture."""

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
    """排期: the weekly rule. `weekdays` are ISO numbers as text, "135" is Monday, Wednesday, Friday.

    `value_source` says where the public value of its draws is read, at `value_clock` on the day on which they close.
    """

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 10 AND 480", name="minutes"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint("weekdays <> ''", name="weekdays"),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="valid"),
        CheckConstraint("opens_workdays_before BETWEEN 0 AND 10", name="opens_workdays_before"),
        one_of("allocation", ALLOCATIONS),
        one_of("value_kind", VALUE_KINDS),
        CheckConstraint("draw_share BETWEEN 50 AND 100", name="draw_share"),
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
    allocation: Mapped[str] = mapped_column(String(8), default="first", server_default="first")
    value_kind: Mapped[str] = mapped_column(String(8), default="none", server_default="none")
    value_source: Mapped[str | None] = mapped_column(String(120))
    value_clock: Mapped[time | None]
    draw_share: Mapped[int] = mapped_column(default=100, server_default="100")
    valid_from: Mapped[Day]
    valid_until: Mapped[Day | None]
    stopped_at: Mapped[datetime | None]
    activity: Mapped[Activity] = relationship()
    zone: Mapped[Zone] = relationship()
    station: Mapped[Station] = relationship()
    exceptions: Mapped[list["PlanException"]] = relationship(back_populates="plan")


class PlanException(Base):
    """One date on which a plan is changed or skipped. NULL means: as in the plan."""

    __tablename__ = "plan_exception"
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"), primary_key=True)
    date: Mapped[Day] = mapped_column(primary_key=True)
    skip: Mapped[bool] = mapped_column(default=False)
    starts: Mapped[time | None]
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("zone.id"))
    capacity: Mapped[int | None]
    host: Mapped[str | None] = mapped_column(String(40))
    plan: Mapped[Plan] = relationship(back_populates="exceptions")

    CHANGES: ClassVar = ("starts", "zone_id", "capacity", "host")

    @property
    def changes(self) -> bool:
        """Whether it changes anything of the plan, beside skipping."""
        return any(getattr(self, name) for name in self.CHANGES)

    @property
    def is_empty(self) -> bool:
        """Whether it was taken back: that date runs by the plan."""
        return not (self.skip or self.changes)


class Counted(Protocol):
    """The columns of a slot's seats and times."""

    @property
    def capacity(self) -> int: ...
    @property
    def taken(self) -> int: ...
    @property
    def door_seats(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def opens_at(self) -> datetime: ...
    @property
    def waitlist_until(self) -> datetime: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def draw_id(self) -> int | None: ...


class SlotProperties:
    """Properties derived from a slot's row."""

    __slots__ = ()

    @property
    def minutes(self: Counted) -> int:
        return int((self.ends_at - self.starts_at).total_seconds()) // 60

    @property
    def seats(self: Counted) -> int:
        """Its seats in all: those that are booked or drawn, and those for the door."""
        return self.capacity + self.door_seats

    @property
    def free(self: Counted) -> int:
        return self.capacity - self.taken

    @property
    def awaits_draw(self: Counted) -> bool:
        """Whether its seats are not drawn yet: until then it opens at its start, which nobody can book."""
        return self.state == "planned" and self.draw_id is not None

    @property
    def first_come_from(self: Counted) -> datetime:
        """From when on a free seat is for whoever comes first: after the waiting list; where nobody can book before the
        start, only then."""
        return self.starts_at if self.opens_at == self.starts_at else self.waitlist_until

    def state_at(self: Counted, now: datetime) -> str:
        """The state by the clock; the jobs only record it later."""
        if self.state in ("cancelled", "done") or now >= self.ends_at:
            return "cancelled" if self.state == "cancelled" else "done"
        if now >= self.starts_at:
            return "running"
        return "open" if now >= self.opens_at else "planned"


class Slot(SlotProperties, Base):
    """场次: one dated run. It carries its own deadlines, so that every question about it needs one row.

    `taken` counts the bookings in a HOLDING state, `waiting` the entries on the waiting list (those on standby
    included); `waitlist_seq` is the last position given out on the waiting list. `release_held_at` is since when a
    release waits for the manager's decision: because our own outage made it late, or, where the slot is `unattended`,
    because nobody had taken attendance by then. A slot whose seats are drawn has a `draw_id`; until it is drawn it opens at
    its start, which nobody can book, and people enter the draw instead. `door_seats` are not drawn: they come to `capacity`
    at the start, for people at the door.
    """

    __tablename__ = "slot"
    __table_args__ = (
        one_of("state", SLOT_STATES),
        CheckConstraint("taken >= 0 AND taken <= capacity", name="taken"),
        CheckConstraint("waiting >= 0", name="waiting"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint(
            "opens_at <= starts_at AND waitlist_until <= starts_at AND free_until <= starts_at", name="before"
        ),
        CheckConstraint("checkin_from <= starts_at AND starts_at < release_at AND release_at <= ends_at", name="after"),
        partial("uq_slot_plan_date", "plan_id", "date", where="plan_id IS NOT NULL", unique=True),
        Index(None, "station_id", "date"),
        Index(None, "zone_id", "starts_at"),
        partial("ix_slot_to_open", "opens_at", where="state = 'planned'"),
        partial("ix_slot_to_start", "starts_at", where="state IN ('planned', 'open')"),
        partial("ix_slot_to_promote", "ends_at", where="state IN ('open', 'running')"),
        partial("ix_slot_to_end", "ends_at", where="state = 'running'"),
        # Room for new versions of a page's rows: no index is written when a seat goes or a deadline moves (HOT update).
        {"postgresql_with": {"fillfactor": 75}},
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"))
    date: Mapped[Day]
    opens_at: Mapped[datetime]
    free_until: Mapped[datetime]
    waitlist_until: Mapped[datetime]
    checkin_from: Mapped[datetime]
    starts_at: Mapped[datetime]
    release_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)
    door_seats: Mapped[int] = mapped_column(default=0, server_default="0")
    waiting: Mapped[int] = mapped_column(default=0)
    waitlist_seq: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16), default="planned")
    host: Mapped[str | None] = mapped_column(String(40))
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(String(120))
    released_at: Mapped[datetime | None]
    release_held_at: Mapped[datetime | None]
    unattended: Mapped[bool] = mapped_column(default=False, server_default=false())
    draw_id: Mapped[int | None] = mapped_column(ForeignKey("draw.id"))
    activity: Mapped[Activity] = relationship()
    zone: Mapped[Zone] = relationship()
    station: Mapped[Station] = relationship()
