"""Facts: one row for each slot that was held, and for each unmet request for a seat.

What counts is in `seats.held_slots`. A late cancel counts as re-used when no strike had to be written for it; where
attendance was not recorded nobody knows. A seat counts as rescued when another person at the station took it after the
release.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from booking.model import Activity, Booking, Slot, Zone
from booking.seats.held_slots import CAME, HELD, counted_slots, turned_away

Day = date  # inside a class with a field named date, `date` is that field


@dataclass(frozen=True)
class Host:
    """Who held a slot: the substitute of that day, else the activity's own teacher."""

    name: str
    name_en: str = ""


@dataclass(frozen=True)
class Fact:
    """One slot that was held, in numbers."""

    slot_id: int
    date: Day
    starts_at: datetime
    ends_at: datetime
    activity: Activity
    zone: Zone
    host: Host
    seats: int
    visits: int
    walk_ins: int
    no_shows: int
    unrecorded: int
    late: int
    reused: int
    rescued: int
    watched: int


@dataclass(frozen=True)
class Wish:
    """A person waited for a slot to the end, and had no seat at the station on that day."""

    slot_id: int
    person_id: int
    date: Day
    minutes: float


def facts(session: Session, station_id: int, first: date, last: date) -> list[Fact]:
    """The slots held from `first` to `last`, both included, by start."""
    activities = _by_id(session, Activity, station_id)
    zones = _by_id(session, Zone, station_id)
    asked = counted_slots().where(held(station_id), Slot.date.between(first, last))
    rows = session.execute(asked.order_by(Slot.starts_at, Slot.id))
    return [_fact(row, activities[row.activity_id], zones[row.zone_id]) for row in rows]


def wishes(session: Session, station_id: int, first: date, last: date) -> list[Wish]:
    """Who wanted a seat on these days and got none, once for each slot; `minutes` is how long after its opening."""
    columns = (Booking.slot_id, Booking.person_id, Slot.date, Booking.created_at, Slot.opens_at)
    found = turned_away(*columns).where(held(station_id), Slot.date.between(first, last))
    return [
        Wish(row.slot_id, row.person_id, row.date, max((row.created_at - row.opens_at).total_seconds() / 60, 0))
        for row in session.execute(found.order_by(Booking.id))
    ]


def headline(session: Session, station_id: int) -> tuple[int, int]:
    """How many slots the station has held, and how many visits they had, since it opened."""
    slots = select(func.count(Slot.id)).where(held(station_id))
    visits = select(func.count(Booking.id)).join(Slot, Booking.slot_id == Slot.id).where(held(station_id), CAME)
    return session.scalar(slots) or 0, session.scalar(visits) or 0


def held(station_id: int) -> ColumnElement[bool]:
    return and_(Slot.station_id == station_id, HELD)


def _fact(row: Any, activity: Activity, zone: Zone) -> Fact:
    return Fact(
        row.id,
        row.date,
        row.starts_at,
        row.ends_at,
        activity,
        zone,
        Host(row.host) if row.host else Host(activity.host, activity.host_en),
        row.seats,
        row.visits,
        row.walk_ins,
        row.no_shows,
        row.unrecorded,
        row.late,
        0 if row.unrecorded else max(row.late - row.wasted, 0),
        min(row.after_release, row.no_shows),
        row.watched,
    )


def _by_id(session: Session, kind: type[Any], station_id: int) -> dict[int, Any]:
    return {thing.id: thing for thing in _all(session, kind, station_id)}


def _all(session: Session, kind: type[Any], station_id: int) -> Iterator[Any]:
    yield from session.scalars(select(kind).where(kind.station_id == station_id))
