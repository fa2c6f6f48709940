"""Capacity, I1 and I2: a slot's counters match its bookings, and nobody has more than the rules allow."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from booking import policy
from booking.model import HOLDING, LIVE, Booking, Event, Slot, Station


def seats(session: Session, _now: datetime) -> Iterator[str]:
    """I1: seats given = `taken`, never more than the capacity; `waiting` is the length of the waiting list."""
    holds, waits = _count(Booking.state.in_(HOLDING)), _count(Booking.state == "waiting")
    live = select(Booking.slot_id, holds.label("held"), waits.label("waits"))
    found = live.where(Booking.state.in_(LIVE)).group_by(Booking.slot_id).subquery()
    held, waiting = func.coalesce(found.c.held, 0), func.coalesce(found.c.waits, 0)
    wrong = or_(Slot.taken != held, Slot.waiting != waiting, Slot.taken > Slot.capacity)
    rows = select(Slot.id, Slot.taken, Slot.capacity, Slot.waiting, held, waiting)
    for slot_id, taken, capacity, queued, has, waits_now in session.execute(
        rows.outerjoin(found, found.c.slot_id == Slot.id).where(wrong).order_by(Slot.id)
    ):
        if taken != has:
            yield f"I1 slot {slot_id}: taken {taken} but {has} bookings hold a seat"
        if taken > capacity:
            yield f"I1 slot {slot_id}: taken {taken} of {capacity}"
        if queued != waits_now:
            yield f"I1 slot {slot_id}: waiting {queued} but {waits_now} entries wait"


def claims(session: Session, now: datetime) -> Iterator[str]:
    """I2: one live booking for each person and slot, the daily and waiting-list limits, no overlapping seats."""
    yield from _twice(session)
    yield from _days(session)
    yield from _places(session, now)
    yield from _overlaps(session)


def _twice(session: Session) -> Iterator[str]:
    live = select(Booking.person_id, Booking.slot_id).where(Booking.state.in_(LIVE))
    for person_id, slot_id in session.execute(
        live.group_by(Booking.person_id, Booking.slot_id).having(func.count(Booking.id) > 1)
    ):
        yield f"I2 person {person_id}: more than one live booking of slot {slot_id}"


def _days(session: Session) -> Iterator[str]:
    who = (Booking.person_id, Slot.station_id, Slot.date)
    seated = select(*who, func.count(Booking.id)).join(Slot, Booking.slot_id == Slot.id)
    counted = seated.where(Booking.state.in_(HOLDING), Booking.via != "door").group_by(*who)
    rows = session.execute(counted.having(func.count(Booking.id) > 1)).all()
    limits = _limits(session, "seats_a_day") if rows else {}
    for person_id, station_id, day, count in rows:
        if count > limits[station_id]:
            yield f"I2 person {person_id}: {count} seats at station {station_id} on {day}"


def _places(session: Session, now: datetime) -> Iterator[str]:
    """Limits of waiting-list places; those after a demotion, or of people on standby, do not count."""
    asked = and_(Booking.state == "waiting", Booking.standby_at.is_(None), Booking.seated_at.is_(None))
    lines = select(Booking.person_id, Booking.station_id).join(Slot, Booking.slot_id == Slot.id)
    waits: dict[int, list[int]] = {}
    for person_id, station_id in session.execute(lines.where(asked, Slot.starts_at > now)):
        waits.setdefault(person_id, []).append(station_id)
    limits = _limits(session, "waiting_entries") if waits else {}
    for person_id, stations in sorted(waits.items()):
        if len(stations) > max(limits[station_id] for station_id in stations):
            yield f"I2 person {person_id}: {len(stations)} places in line"


def _overlaps(session: Session) -> Iterator[str]:
    """If two seats of a person overlap, then one begins before all the earlier ones have ended."""
    ended = func.max(Slot.ends_at).over(
        partition_by=Booking.person_id, order_by=(Slot.starts_at, Booking.id), rows=(None, -1)
    )
    seated = (
        select(Booking.person_id, Booking.slot_id, Slot.starts_at, ended.label("ended"))
        .join(Slot, Booking.slot_id == Slot.id)
        .where(Booking.state.in_(HOLDING))
        .subquery()
    )
    found = select(seated.c.person_id, seated.c.slot_id).where(seated.c.ended > seated.c.starts_at)
    for person_id, slot_id in session.execute(found):
        yield f"I2 person {person_id}: slot {slot_id} overlaps another seat of theirs"


def _limits(session: Session, name: str) -> dict[int, int]:
    """The most generous number that each station ever had: a stricter one does not affect existing bookings."""
    stations = session.execute(select(Station.id, Station.policy))
    limits = {row.id: int(getattr(policy.read(row.policy), name)) for row in stations}
    changes = select(Event.station_id, Event.details).where(Event.kind == "policy")
    for station_id, details in session.execute(changes):
        once = int(getattr(policy.read(details.get("was")), name))
        if station_id in limits:
            limits[station_id] = max(limits[station_id], once)
    return limits


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
