"""Read model of one day at a station, the same for all its readers: the strip, the coming openings, the slots.

A few compiled statements without the ORM: after every change of the station its page is read again.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from booking import clock, policy, seats, workdays
from booking.db import pool
from booking.db.arrays import is_in_array, unnest_param
from booking.db.batch import EngineQueues
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
    """An instant at which slots of a date open: how many, and their seats."""

    opens_at: datetime
    when: date
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
    return _days.ask(engine, _Wanted(code, asked, now))


def recount(engine: Engine, day: StationDay, now: datetime) -> StationDay:
    """The same day where only bookings have changed since: its slots, its draws and its openings are read again."""
    return _recounts.ask(engine, (day, now))


class _Wanted(NamedTuple):
    code: str
    asked: date | None
    now: datetime


def has_draws(station_id: Any, since: Any) -> ColumnElement[bool]:
    """Whether the seats of some of a station's slots from that date on are drawn."""
    drawn = (Slot.draw_id.is_not(None), Slot.state != "cancelled")
    # Not EXISTS: for several stations PostgreSQL would make a hash table of the drawn slots of all.
    one = select(Slot.id).where(Slot.station_id == station_id, Slot.date >= since, *drawn).limit(1)
    return one.scalar_subquery().is_not(None)


def has_coming_draws(session: Session, station_id: int, now: datetime) -> bool:
    return bool(session.scalar(select(has_draws(station_id, _yesterday(now)))))


def openings(session: Session, station_id: int, now: datetime) -> list[Opening]:
    """The coming openings of a station."""
    return _openings(_planned(wrap(session.connection()), [station_id], now)[station_id], now)


def _find(engine: Engine, wanted: Sequence[_Wanted]) -> list[StationDay | None]:
    """The days of all who ask now, in as many statements as one of them needs."""
    return pool.read(engine, partial(_read, wanted=wanted))


def _recount_all(engine: Engine, wanted: Sequence[tuple[StationDay, datetime]]) -> list[StationDay]:
    """The days of all who ask now, in two statements, and one for each that has draws."""
    return pool.read(engine, partial(_recount, wanted=wanted))


_days, _recounts = EngineQueues(_find), EngineQueues(_recount_all)


class _Strip(NamedTuple):
    station: StationPage
    days: Sequence[DayView]
    planned: list[Row]

    def when(self, asked: date | None) -> date:
        """The day that is asked for, where the strip has it."""
        dates = [view.day.date for view in self.days]
        return asked if asked and asked in dates else dates[0]

    @property
    def later(self) -> date:
        """The next day with slots after today, else today."""
        return next((view.day.date for view in self.days[1:] if view.slots), self.days[0].day.date)


def _read(connection: DriverConnection, wanted: Sequence[_Wanted]) -> list[StationDay | None]:
    strips = _strips(connection, {one.code for one in wanted}, max(one.now for one in wanted))
    found = {one: (strips[one.code], strips[one.code].when(one.asked)) for one in wanted if one.code in strips}
    slots = _slots(connection, {(strip.station.id, when) for strip, when in found.values()})
    over = [
        one
        for one, (strip, when) in found.items()
        if one.asked != when and all(slot.state_at(one.now) == "done" for slot in slots[strip.station.id, when])
    ]
    found |= {one: (found[one][0], found[one][0].later) for one in over}
    slots |= _slots(connection, {(found[one][0].station.id, found[one][1]) for one in over} - slots.keys())
    return [
        _day(connection, *found[one], slots[found[one][0].station.id, found[one][1]], one.now) if one in found else None
        for one in wanted
    ]


def _day(
    connection: DriverConnection, strip: _Strip, when: date, slots: Sequence[seats.SlotSnapshot], now: datetime
) -> StationDay:
    has_draws = any(slot.awaits_draw for slot in slots)
    draws = card_draws.between(connection, strip.station.id, when, when) if has_draws else {}
    return StationDay(strip.station, when, strip.days, _openings(strip.planned, now), slots, draws)


def _recount(connection: DriverConnection, wanted: Sequence[tuple[StationDay, datetime]]) -> list[StationDay]:
    planned = _planned(connection, {day.station.id for day, _ in wanted}, max(now for _, now in wanted))
    slots = _slots(connection, {(day.station.id, day.when) for day, _ in wanted})
    return [
        _day(
            connection,
            _Strip(day.station, day.days, planned[day.station.id]),
            day.when,
            slots[day.station.id, day.when],
            now,
        )
        for day, now in wanted
    ]


def _strips(connection: DriverConnection, codes: Collection[str], now: datetime) -> dict[str, _Strip]:
    """Of the open stations, by code."""
    rows = _STATIONS.run(connection, codes=[[code] for code in codes], since=_yesterday(now))
    stations = [StationPage._make(row) for row in rows]
    planned = _planned(connection, [station.id for station in stations], now) if stations else {}
    by_range: dict[tuple[date, date], list[StationPage]] = defaultdict(list)
    for station in stations:
        first = station.today(now)
        by_range[first, first + timedelta(days=policy.read(station.policy).days_ahead)].append(station)
    found: dict[str, _Strip] = {}
    for (first, last), theirs in by_range.items():
        calendars = workdays.read(connection, [station.id for station in theirs], first, last)
        for station in theirs:
            rows = planned[station.id]
            found[station.code] = _Strip(station, _strip(calendars[station.id], first, last, rows), rows)
    return found


def _planned(connection: DriverConnection, stations: Collection[int], now: datetime) -> dict[int, list[Row]]:
    """Date, opening, whether it is still planned, number and free seats of each station's slots, not the cancelled ones."""
    found: dict[int, list[Row]] = {station_id: [] for station_id in stations}
    for station_id, *row in _COUNTS.run(connection, stations=list(stations), first=_yesterday(now)):
        found[station_id].append(tuple(row))
    return found


def _yesterday(now: datetime) -> date:
    """A station may be a day behind UTC."""
    return (now - timedelta(days=1)).date()


def _strip(calendar: workdays.Calendar, first: date, last: date, planned: Sequence[Row]) -> list[DayView]:
    counted = dict.fromkeys((first + timedelta(days=n) for n in range((last - first).days + 1)), 0)
    for when, _opens_at, _is_planned, number, _seats in planned:
        if when in counted:
            counted[when] += number
    return [DayView(calendar.day(when), number) for when, number in counted.items()]


def _openings(planned: Sequence[Row], now: datetime) -> list[Opening]:
    found: dict[tuple[datetime, date], Opening] = {}
    for when, opens_at, is_planned, number, free in planned:
        if is_planned and opens_at > now:
            so_far = found.get((opens_at, when), Opening(opens_at, when, 0, 0))
            found[opens_at, when] = so_far._replace(slots=so_far.slots + number, seats=so_far.seats + free)
    return sorted(found.values())


def _slots(
    connection: DriverConnection, wanted: Collection[tuple[int, date]]
) -> dict[tuple[int, date], list[seats.SlotSnapshot]]:
    """The slots of stations on days."""
    found: dict[tuple[int, date], list[seats.SlotSnapshot]] = {one: [] for one in wanted}
    for when in {when for _, when in wanted}:
        stations = [station_id for station_id, day in wanted if day == when]
        for row in _SLOTS.run(connection, stations=stations, date=when):
            slot = seats.snapshot(row)
            found[slot.station_id, when].append(slot)
    return found


_other = aliased(Station)
_beside = (_other.id < Station.id, _other.id > Station.id)  # two ranges of the index
_code = unnest_param("codes")
_STATIONS = CompiledStatement(
    select(
        *(getattr(Station, name) for name in StationPage._fields[:-2]),
        has_draws(Station.id, param("since")),
        or_(*(exists().where(_other.closed_at.is_(None), beside) for beside in _beside)),
    )
    .select_from(_code.table)
    .join(Station, Station.code == _code[0].as_string())
    .where(Station.closed_at.is_(None))
)
# One whose seats are drawn has no opening to wait for.
_is_planned = and_(Slot.state == "planned", Slot.draw_id.is_(None)).label("is_planned")
# A station's slots are few, and indexed by date: ordered by opening with LIMIT 1, every station's would be read.
_COUNTS = CompiledStatement(
    select(
        Slot.station_id,
        Slot.date,
        Slot.opens_at,
        _is_planned,
        func.count(Slot.id),
        func.sum(Slot.capacity - Slot.taken),
    )
    .where(is_in_array(Slot.station_id, "stations"), Slot.date >= param("first"), Slot.state != "cancelled")
    .group_by(Slot.station_id, Slot.date, Slot.opens_at, _is_planned)
)
_SLOTS = CompiledStatement(
    seats.snapshots()
    .where(is_in_array(Slot.station_id, "stations"), Slot.date == param("date"))
    .order_by(Slot.starts_at, Slot.id)
)
