"""Moving one slot to another hour or zone of its day, with the people who are on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from booking import clock, draws, policy, seats
from booking.db.transactions import transactional
from booking.enqueue import ATTEMPTED, enqueue, undo_window, withdraw_letters
from booking.errors import RuleViolation
from booking.history import record, times_before
from booking.model import LIVE, Booking, Event, Letter, Person, PlanException, Slot, Zone
from booking.slots import deadlines
from booking.slots.planning import clash

# Changes of these fields also concern people on the waiting list.
PLACE = ("starts", "zone", "zone_en")


@dataclass(frozen=True)
class Move:
    """Where a slot is moved: a station wall time of the same day, and a zone."""

    starts: time
    zone_id: int


@transactional
def move(session: Session, slot_id: int, wish: Move, now: datetime, actor_id: int | None = None) -> Sequence[Booking]:
    """Move the slot; returns who is told. Until the start they may cancel without a strike: they chose another hour.

    Moved back before a letter was sent, nobody is told anything; free until the start stays what was promised before.
    """
    slot, people = _held(session, slot_id, now)
    table = may_move(session, slot, wish, now)
    if (slot.starts_at, slot.zone_id) == (table["starts_at"], wish.zone_id):
        return ()
    was = as_told(slot)
    for name, moment in table.items():
        setattr(slot, name, moment)
    slot.zone_id = wish.zone_id
    session.flush()
    session.refresh(slot, ["zone"])
    if slot.plan_id:  # or planning would reset it once nobody is booked
        session.merge(PlanException(plan_id=slot.plan_id, date=slot.date, starts=wish.starts, zone_id=wish.zone_id))
    _write_down(session, slot, people, was, now, actor_id)
    told = tell_change(session, slot, people, was, now)
    if people and not told and not _promised(session, slot):
        slot.free_until = deadlines.deadlines(slot.starts_at, slot.ends_at, policy.read(slot.station.policy))[
            "free_until"
        ]
    return told


def may_move(session: Session, slot: Slot, wish: Move, now: datetime) -> deadlines.Timetable:
    """The slot's deadlines after the move. Checked for the preview, and again inside the lock."""
    if slot.state == "cancelled":
        raise RuleViolation("cancelled", why=slot.cancel_reason)
    if now >= slot.starts_at:
        raise RuleViolation("started")
    fits(slot, session.get(Zone, wish.zone_id))
    starts_at = clock.instant(slot.date, wish.starts, slot.station.zone_name)
    if starts_at <= now:
        raise RuleViolation("past")
    ends_at = starts_at + (slot.ends_at - slot.starts_at)
    if there := clash(session, wish.zone_id, starts_at, ends_at, slot.id):
        raise RuleViolation("zone_taken", slot_id=there.id)
    if busy := _busy_then(session, slot, starts_at, ends_at):
        raise RuleViolation("people_elsewhere", names="、".join(busy), count=len(busy))
    table = deadlines.deadlines(starts_at, ends_at, policy.read(slot.station.policy))
    not_drawn = slot.draw_id is not None and slot.state == "planned"
    if not_drawn and (draw := draws.missed_by(session, slot, table["waitlist_until"])):
        raise RuleViolation("before_its_draw", until=draws.result_at(draw))
    table["opens_at"] = starts_at if not_drawn else min(slot.opens_at, starts_at)
    if slot.taken:
        table["free_until"] = starts_at
    return table


def fits(slot: Slot, zone: Zone | None) -> None:
    """Refuse a zone that is closed, another station's, or too small."""
    if zone is None or zone.station_id != slot.station_id or zone.closed_at:
        raise RuleViolation("no_such_zone")
    if slot.seats > zone.capacity:
        raise RuleViolation("zone_max", limit=zone.capacity)


def on_it(session: Session, slot_id: int) -> Sequence[Booking]:
    """Everybody with a seat or a waiting-list place."""
    found = select(Booking).where(Booking.slot_id == slot_id, Booking.state.in_(LIVE)).order_by(Booking.id)
    return session.scalars(found.execution_options(populate_existing=True)).all()


def _held(session: Session, slot_id: int, now: datetime) -> tuple[Slot, Sequence[Booking]]:
    """The slot and everybody on it, locked."""
    found = seats.find_slot(session, slot_id)
    held = seats.lock_slots(session, {slot_id}, now, {booking.person_id for booking in on_it(session, found.id)})
    people = on_it(session, slot_id)
    if not {booking.person_id for booking in people} <= held.people:
        raise RuleViolation("busy")
    return held.slots[slot_id], people


def as_told(slot: Slot) -> dict[str, str]:
    """When, where and with whom a slot is, as a letter about its change says it was."""
    activity, zone = slot.activity, slot.zone
    host = {"host": slot.host or activity.host, "host_en": slot.host or activity.host_en}
    return {"starts": slot.starts_at.isoformat(), "zone": zone.name, "zone_en": zone.name_en, **host}


def _promised(session: Session, slot: Slot) -> bool:
    """Whether people have had a letter about a change, or were on the slot when it was restored."""
    sent = select(Letter.id).where(Letter.slot_id == slot.id, Letter.kind == "slot_moved", ATTEMPTED)
    back = select(Event.id).where(Event.slot_id == slot.id, Event.kind == "reinstated")
    return bool(session.scalar(select(or_(sent.exists(), back.exists()))))


def _write_down(
    session: Session, slot: Slot, people: Sequence[Booking], was: dict[str, str], now: datetime, actor_id: int | None
) -> None:
    zone_name, before = slot.station.zone_name, datetime.fromisoformat(was["starts"])
    walls = [clock.at_station(moment, zone_name).strftime("%H:%M") for moment in (before, slot.starts_at)]
    state, changed = slot.state, {"starts": walls, "zone": [was["zone"], slot.zone.name]}
    times = times_before(before, before + (slot.ends_at - slot.starts_at))
    record(session, "moved", now, actor_id=actor_id, slot=slot, before=state, after=state, changed=changed, **times)
    for booking in people:
        record(session, "slot_moved", now, actor_id=actor_id, slot=slot, booking=booking)


def tell_change(
    session: Session, slot: Slot, people: Sequence[Booking], was: dict[str, str], now: datetime
) -> Sequence[Booking]:
    """Tell everybody on the slot. An unsent letter is replaced by one with the change since its reader's last news.

    Waiting people are not told of another teacher: if promoted, they read of the new one.
    """
    unsent = withdraw_letters(session, "slot_moved", slot.id, "changed again")
    believed = {letter.booking_id: letter.details["was"] for letter in unsent}
    wait, told = undo_window(slot, now), []
    for booking in people:
        since = believed.get(booking.id, was)
        if not _concerns(booking, since, as_told(slot)):
            continue
        enqueue(
            session,
            "slot_moved",
            now,
            person_id=booking.person_id,
            slot_id=slot.id,
            booking_id=booking.id,
            wait=wait,
            was=since,
        )
        told.append(booking)
    return told


def _concerns(booking: Booking, was: dict[str, str], told: dict[str, str]) -> bool:
    names = PLACE if booking.state == "waiting" else told.keys()
    return any(was.get(name) != told[name] for name in names)


def _busy_then(session: Session, slot: Slot, starts_at: datetime, ends_at: datetime) -> Sequence[str]:
    """The names of people with a seat here who have another seat at that time."""
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
