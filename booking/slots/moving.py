"""Moving one slot to another hour or zone of its day, with the people who are on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from booking import clock, policy, seats
from booking.history import record
from booking.model import LIVE, Booking, Person, PlanException, Slot, Zone
from booking.notices import tell
from booking.refusals import Refused
from booking.slots import timetable
from booking.slots.planning import clash


@dataclass(frozen=True)
class Move:
    """Where a slot goes: a station wall time of the same day, and a zone."""

    starts: time
    zone_id: int


def move(session: Session, slot_id: int, wish: Move, now: datetime, actor_id: int | None = None) -> Sequence[Booking]:
    """Move the slot and tell everybody on it. Until the start they may give up freely: they had chosen another hour."""
    found = seats.find_slot(session, slot_id)
    held = seats.hold(session, {slot_id}, now, {booking.person_id for booking in on_it(session, found.id)})
    slot = held.slots[slot_id]
    people = on_it(session, slot_id)
    if not {booking.person_id for booking in people} <= held.people:
        raise Refused("busy")
    table = may_move(session, slot, wish, now)
    before = (_wall(slot), slot.zone.name)
    was = {"starts": slot.starts_at.isoformat(), "zone": slot.zone.name, "zone_en": slot.zone.name_en}
    if (slot.starts_at, slot.zone_id) == (table["starts_at"], wish.zone_id):
        return ()
    for name, moment in table.items():
        setattr(slot, name, moment)
    slot.zone_id = wish.zone_id
    session.flush()
    session.refresh(slot, ["zone"])
    if slot.plan_id:  # or planning would take it back once nobody is on it
        session.merge(PlanException(plan_id=slot.plan_id, date=slot.date, starts=wish.starts, zone_id=wish.zone_id))
    state, changed = slot.state, {"starts": [before[0], _wall(slot)], "zone": [before[1], slot.zone.name]}
    record(session, "moved", now, actor_id=actor_id, slot=slot, before=state, after=state, changed=changed)
    for booking in people:
        record(session, "slot_moved", now, actor_id=actor_id, slot=slot, booking=booking)
        person_id, booking_id = booking.person_id, booking.id
        tell(session, "slot_moved", now, person_id=person_id, slot_id=slot_id, booking_id=booking_id, was=was)
    return people


def may_move(session: Session, slot: Slot, wish: Move, now: datetime) -> timetable.Timetable:
    """The slot's timetable after the move. Asked for the preview, and again inside the lock."""
    if slot.state == "cancelled":
        raise Refused("cancelled", why=slot.cancel_reason)
    if now >= slot.starts_at:
        raise Refused("started")
    _fits(slot, session.get(Zone, wish.zone_id))
    starts_at = clock.instant(slot.date, wish.starts, slot.station.zone_name)
    if starts_at <= now:
        raise Refused("past")
    ends_at = starts_at + (slot.ends_at - slot.starts_at)
    if there := clash(session, wish.zone_id, starts_at, ends_at, slot.id):
        raise Refused("zone_taken", slot_id=there.id)
    if busy := _busy_then(session, slot, starts_at, ends_at):
        raise Refused("people_elsewhere", names="、".join(busy), count=len(busy))
    table = timetable.deadlines(starts_at, ends_at, policy.read(slot.station.policy))
    table["opens_at"] = min(slot.opens_at, starts_at)
    if slot.taken:
        table["free_until"] = starts_at
    return table


def _fits(slot: Slot, zone: Zone | None) -> None:
    if zone is None or zone.station_id != slot.station_id or zone.closed_at:
        raise Refused("no_such_zone")
    if slot.capacity > zone.capacity:
        raise Refused("zone_max", limit=zone.capacity)


def on_it(session: Session, slot_id: int) -> Sequence[Booking]:
    """Who has a seat on a slot or waits for one."""
    found = select(Booking).where(Booking.slot_id == slot_id, Booking.state.in_(LIVE)).order_by(Booking.id)
    return session.scalars(found.execution_options(populate_existing=True)).all()


def _wall(slot: Slot) -> str:
    return clock.at_station(slot.starts_at, slot.station.zone_name).strftime("%H:%M")


def _busy_then(session: Session, slot: Slot, starts_at: datetime, ends_at: datetime) -> Sequence[str]:
    """Who of those with a seat has another one at that time: nobody sits in two places."""
    other, its_slot = aliased(Booking), aliased(Slot)
    found = (
        select(Person.name)
        .join(Booking, Booking.person_id == Person.id)
        .join(other, other.person_id == Person.id)
        .join(its_slot, its_slot.id == other.slot_id)
        .where(Booking.slot_id == slot.id, Booking.state == "booked", other.slot_id != slot.id)
        .where(other.state.in_(("booked", "attended")), its_slot.starts_at < ends_at, its_slot.ends_at > starts_at)
    )
    return session.scalars(found.distinct().order_by(Person.name)).all()
