"""Facts: one row for each slot that was held, and for each unmet request for a seat.

A slot counts when it is closed (`done`). A seat counts as missed when it was released, a late cancel as re-used when no
strike had to be written for it, a seat as rescued when another person at the station took it after the release. Without
attendance the bookings are unrecorded: neither visits nor missed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from booking.model import Activity, Booking, Slot, Strike, Zone

Day = date  # inside a class with a field named date, `date` is that field
CAME = Booking.state == "attended"
MISSED = Booking.state == "released"
UNRECORDED = Booking.state == "unrecorded"
# A person who lost a seat and was checked in late had booked it: no walk-in.
AT_DOOR = and_(Booking.via == "door", Booking.late.is_(False))


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
    rows = session.execute(counted_slots().where(held(station_id), Slot.date.between(first, last)))
    return [_fact(row, activities[row.activity_id], zones[row.zone_id]) for row in rows]


def wishes(session: Session, station_id: int, first: date, last: date) -> list[Wish]:
    """Who wanted a seat on these days and got none, once for each slot; `minutes` is how long after its opening."""
    mine, theirs = aliased(Booking), aliased(Slot)
    sat = exists().where(
        mine.person_id == Booking.person_id,
        mine.slot_id == theirs.id,
        mine.state.in_(("booked", "attended", "released", "unrecorded")),
        theirs.station_id == station_id,
        theirs.date == Slot.date,
    )
    found = (
        select(Booking.slot_id, Booking.person_id, Slot.date, Booking.created_at, Slot.opens_at)
        .join(Slot, Booking.slot_id == Slot.id)
        .where(held(station_id), Slot.date.between(first, last), Booking.state == "expired", ~sat)
    )
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
    return and_(Slot.station_id == station_id, Slot.state == "done")


def counted_slots() -> Any:
    """One row for each slot."""
    again = aliased(Booking)
    missed_it = exists().where(
        again.slot_id == Booking.slot_id, again.person_id == Booking.person_id, again.state == "released"
    )
    after_release = and_(CAME, AT_DOOR, Booking.seated_at >= Slot.released_at, ~missed_it)
    after_all = aliased(Booking)
    came_after_all = exists().where(
        after_all.slot_id == Booking.slot_id, after_all.person_id == Booking.person_id, after_all.state == "attended"
    )
    columns = (
        Slot.id,
        Slot.station_id,
        Slot.date,
        Slot.starts_at,
        Slot.ends_at,
        Slot.activity_id,
        Slot.zone_id,
        Slot.host,
    )
    return (
        select(
            *columns,
            Slot.capacity.label("seats"),
            func.count(Booking.id).filter(CAME).label("visits"),
            func.count(Booking.id).filter(CAME, AT_DOOR).label("walk_ins"),
            func.count(Booking.id).filter(MISSED).label("no_shows"),
            func.count(Booking.id).filter(UNRECORDED).label("unrecorded"),
            func.count(Booking.id).filter(Booking.state == "cancelled", Booking.late, ~came_after_all).label("late"),
            func.count(Strike.id).label("wasted"),
            func.count(Booking.id).filter(after_release).label("after_release"),
        )
        .outerjoin(Booking, Booking.slot_id == Slot.id)
        .outerjoin(Strike, and_(Strike.booking_id == Booking.id, Strike.reason == "late_cancel"))
        .group_by(*columns, Slot.capacity)
        .order_by(Slot.starts_at, Slot.id)
    )


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
        max(row.late - row.wasted, 0),
        min(row.after_release, row.no_shows),
    )


def _by_id(session: Session, kind: type[Any], station_id: int) -> dict[int, Any]:
    return {thing.id: thing for thing in _all(session, kind, station_id)}


def _all(session: Session, kind: type[Any], station_id: int) -> Iterator[Any]:
    yield from session.scalars(select(kind).where(kind.station_id == station_id))
