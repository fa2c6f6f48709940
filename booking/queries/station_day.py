"""Read model of one day at a station, the same for all its readers: the strip, the coming openings, the slots.

A few compiled statements without the ORM: after every change of the station its page is read again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from booking import clock, policy, seats, workdays
from booking.db import pool
from booking.db.statements import CompiledStatement, DriverConnection, Row, param, wrap
from booking.model import Slot, Station
from booking.queries import card_draws
from booking.queries.card_draws import CardDraw


class StationPage(NamedTuple):
    """What its page shows of an open station. `has_draws`: some of its coming seats are drawn; `has_others`: there are
    more open stations."""

    id: int
    code: str
    name: str
    name_en: str
    address: str
    address_en: str
    zone_name: str
    policy: dict[str, Any]
    has_draws: bool
    has_others: bool

    def today(self, now: datetime) -> date:
        return clock.at_station(now, self.zone_name).date()


class DayView(NamedTuple):
    """One day of the strip: what the calendar says, and how many slots it has."""

    day: workdays.Day
    slots: int = 0


class Opening(NamedTuple):
    """An instant at which slots open: their dates, their number, their seats."""

    opens_at: datetime
    first: date
    slots: int
    seats: int


@dataclass(frozen=True)
class StationDay:
    """`days` are today and the coming ones on which slots are shown, rest days included; `slots` those of `when`, by
    time, and `draws` the draws of those; `openings` the coming ones, at the time of reading."""

    station: StationPage
    when: date
    days: Sequence[DayView]
    openings: Sequence[Opening]
    slots: Sequence[seats.SlotSnapshot]
    draws: Mapping[int, CardDraw] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.days[0].day.date

    @cached_property
    def days_digest(self) -> str:
        """A hash of the strip."""
        return sha256(repr(self.days).encode()).hexdigest()

    @property
    def over_at(self) -> datetime:
        """When its last slot is over, after which another day is shown to who asked for none."""
        return max((slot.ends_at for slot in self.slots), default=datetime.min.replace(tzinfo=UTC))

    def next_opening(self, now: datetime) -> Opening | None:
        return min((opening for opening in self.openings if opening.opens_at > now), default=None)


def find(engine: Engine, code: str, asked: date | None, now: datetime) -> StationDay | None:
    """The day asked for if the strip has it; else today, or when today is over the next day with slots.

    None when there is no open station with this code.
    """
    return pool.read(engine, partial(_find, code=code, asked=asked, now=now))


def has_draws(station_id: Any, since: Any) -> ColumnElement[bool]:
    """Whether the seats of some of a station's slots from that date on are drawn."""
    drawn = (Slot.draw_id.is_not(None), Slot.state != "cancelled")
    return exists().where(Slot.station_id == station_id, Slot.date >= since, *drawn)


def has_coming_draws(session: Session, station_id: int, now: datetime) -> bool:
    return bool(session.scalar(select(has_draws(station_id, _yesterday(now)))))


def openings(session: Session, station_id: int, now: datetime) -> list[Opening]:
    """The coming openings of a station."""
    return _openings(_planned(wrap(session.connection()), station_id, now), now)


def _find(connection: DriverConnection, code: str, asked: date | None, now: datetime) -> StationDay | None:
    found = _STATION.run(connection, code=code, since=_yesterday(now))
    if not found:
        return None
    station = StationPage._make(found[0])
    first = station.today(now)
    last = first + timedelta(days=policy.read(station.policy).days_ahead)
    planned = _planned(connection, station.id, now)
    days = _strip(connection, station.id, first, last, planned)
    when = asked if asked and first <= asked <= last else first
    slots = _slots(connection, station.id, when)
    if asked != when and all(slot.state_at(now) == "done" for slot in slots):
        later = next((view.day.date for view in days[1:] if view.slots), first)
        when, slots = later, _slots(connection, station.id, later) if later != first else slots
    has_draws = any(slot.awaits_draw for slot in slots)
    draws = card_draws.between(connection, station.id, when, when) if has_draws else {}
    return StationDay(station, when, days, _openings(planned, now), slots, draws)


def _planned(connection: DriverConnection, station_id: int, now: datetime) -> Sequence[Row]:
    """Date, opening, whether it is still planned, number and free seats of a station's slots, not the cancelled ones."""
    return _COUNTS.run(connection, station_id=station_id, first=_yesterday(now))


def _yesterday(now: datetime) -> date:
    """A station may be a day behind UTC."""
    return (now - timedelta(days=1)).date()


def _strip(
    connection: DriverConnection, station_id: int, first: date, last: date, planned: Sequence[Row]
) -> list[DayView]:
    calendar = workdays.read(connection, station_id, first, last)
    counted = dict.fromkeys((first + timedelta(days=n) for n in range((last - first).days + 1)), 0)
    for when, _opens_at, _is_planned, number, _seats in planned:
        if when in counted:
            counted[when] += number
    return [DayView(calendar.day(when), number) for when, number in counted.items()]


def _openings(planned: Sequence[Row], now: datetime) -> list[Opening]:
    found: dict[datetime, Opening] = {}
    for when, opens_at, is_planned, number, free in planned:
        if is_planned and opens_at > now:
            so_far = found.get(opens_at, Opening(opens_at, when, 0, 0))
            found[opens_at] = Opening(opens_at, min(so_far.first, when), so_far.slots + number, so_far.seats + free)
    return sorted(found.values())


def _slots(connection: DriverConnection, station_id: int, when: date) -> list[seats.SlotSnapshot]:
    return [seats.snapshot(row) for row in _SLOTS.run(connection, station_id=station_id, date=when)]


_other = aliased(Station)
_beside = (_other.id < Station.id, _other.id > Station.id)  # two ranges of the index
_STATION = CompiledStatement(
    select(
        *(getattr(Station, name) for name in StationPage._fields[:-2]),
        has_draws(Station.id, param("since")),
        or_(*(exists().where(_other.closed_at.is_(None), beside) for beside in _beside)),
    ).where(Station.code == param("code"), Station.closed_at.is_(None))
)
# One whose seats are drawn has no opening to wait for.
_is_planned = and_(Slot.state == "planned", Slot.draw_id.is_(None)).label("is_planned")
# A station's slots are few, and indexed by date: ordered by opening with LIMIT 1, every station's would be read.
_COUNTS = CompiledStatement(
    select(Slot.date, Slot.opens_at, _is_planned, func.count(Slot.id), func.sum(Slot.capacity - Slot.taken))
    .where(Slot.station_id == param("station_id"), Slot.date >= param("first"), Slot.state != "cancelled")
    .group_by(Slot.date, Slot.opens_at, _is_planned)
)
_SLOTS = CompiledStatement(
    seats.snapshots()
    .where(Slot.station_id == param("station_id"), Slot.date == param("date"))
    .order_by(Slot.starts_at, Slot.id)
)
