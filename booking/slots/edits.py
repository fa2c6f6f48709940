"""Edits: what a manager changes on one slot: its capacity, cancelling it, and adding a one-off slot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from booking import clock, draws, policy, seats, workdays
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Activity, Booking, Plan, PlanException, Slot, Station, Zone
from booking.slots import deadlines
from booking.slots.planning import clash
from booking.slots.watch_link import write_link


@dataclass(frozen=True)
class OneOff:
    """A one-off slot outside the plans: station wall times, minutes, seats, how these are given, and whether it can also be
    watched online, at a checked address if there is one yet."""

    activity_id: int
    zone_id: int
    date: date
    starts: time
    minutes: int
    capacity: int
    host: str | None = None
    allocation: str = "first"
    hybrid: bool = False
    watch_url: str = ""


@dataclass(frozen=True)
class Resized:
    """The result of a new capacity: people moved to the waiting list, number promoted, people whose move was undone."""

    moved: Sequence[Booking] = ()
    seated: int = 0
    back: Sequence[Booking] = ()


@transactional
def set_capacity(
    session: Session,
    slot_id: int,
    capacity: int,
    now: datetime,
    actor_id: int | None = None,
    *,
    move_newest: bool = False,
) -> Resized:
    """Raise the capacity and serve the waiting list, or lower it; below the booked number only if `move_newest`.

    Of a slot with seats for the door `capacity` are its seats in all. Until it is drawn they are shared out anew, after
    that the seats for the door stay as they are.
    """
    found = seats.find_slot(session, slot_id)
    held = seats.lock_slots(session, {slot_id}, now, room=max(0, capacity - found.capacity))
    slot = held.slots[slot_id]
    if slot.state_at(now) in ("done", "cancelled"):
        raise RuleViolation("over")
    if not 1 <= capacity <= slot.zone.capacity:
        raise RuleViolation("zone_max", limit=slot.zone.capacity)
    capacity, at_door = _shared(session, slot, capacity)
    moved = _make_way(session, slot, capacity, now, actor_id, move_newest)
    if (slot.capacity, slot.door_seats) != (capacity, at_door):
        slot.door_seats = at_door
        _write_down(session, slot, capacity, now, actor_id)
    if moved:
        return Resized(moved)
    back = seats.move_back(session, slot, now, held.people, actor_id)
    return Resized((), seats.fill_free_seats(session, slot, now, held.people), back)


@transactional
def cancel(
    session: Session, slot_id: int, reason: str, now: datetime, actor_id: int | None = None
) -> Sequence[Booking]:
    """Cancel a slot. Everybody on it is told once, nobody gets a strike. Idempotent."""
    slot = seats.locked(session, slot_id)
    if slot.state == "cancelled":
        return ()
    if slot.state_at(now) == "done":
        raise RuleViolation("over")
    return call_off(session, [slot], now, reason, actor_id)


def call_off(
    session: Session, held: Sequence[Slot], now: datetime, reason: str, actor_id: int | None
) -> Sequence[Booking]:
    """Cancel these locked slots, none of which is over, and say who was on them."""
    told = seats.vacate(session, held, now, reason, actor_id)
    for slot in held:
        was = slot.state
        record(session, "cancelled", now, actor_id=actor_id, slot=slot, before=was, after="cancelled", reason=reason)
        slot.state, slot.cancel_reason = "cancelled", reason
    return told


@transactional
def add(
    session: Session,
    station_id: int,
    wish: OneOff,
    now: datetime,
    actor_id: int | None = None,
    *,
    on_rest_day: bool = True,
) -> Slot:
    """Add a one-off slot. It opens like any other: on the workday before, or now if that is past. By draw, people
    enter from then on.

    Without `on_rest_day` raises `rest_day` where the station does not work on that day.
    """
    station = session.get_one(Station, station_id)
    numbers = policy.read(station.policy)
    _check_place(session, station_id, wish)
    starts_at = clock.instant(wish.date, wish.starts, station.zone_name)
    if starts_at <= now:
        raise RuleViolation("past")
    table = deadlines.deadlines(starts_at, starts_at + timedelta(minutes=wish.minutes), numbers)
    calendar = workdays.load(session, station_id, wish.date, wish.date)
    if not on_rest_day and not calendar.is_workday(wish.date):
        raise RuleViolation("rest_day")
    opens_at = deadlines.opening(
        wish.date, calendar, station.zone_name, numbers.opens_workdays_before, numbers.opens_at
    )
    table["opens_at"], draw_id = min(max(opens_at, now), starts_at), None
    if there := clash(session, wish.zone_id, starts_at, table["ends_at"]):
        raise RuleViolation("zone_taken", slot_id=there.id)
    if wish.allocation == "draw":
        draw_id = draws.draw_of_one_off(session, station, wish.date, opens_at, table["waitlist_until"], now)
        table["opens_at"] = starts_at
    slot = Slot(
        station_id=station_id,
        activity_id=wish.activity_id,
        zone_id=wish.zone_id,
        date=wish.date,
        capacity=wish.capacity,
        host=wish.host or None,
        state="planned",
        draw_id=draw_id,
        **table,
    )
    session.add(slot)
    session.flush()
    record(session, "planned", now, actor_id=actor_id, slot=slot, after="planned", capacity=wish.capacity)
    if wish.hybrid or wish.watch_url:
        write_link(session, slot, wish.watch_url, now, actor_id)
    return slot


def _check_place(session: Session, station_id: int, wish: OneOff) -> None:
    zone, activity = session.get(Zone, wish.zone_id), session.get(Activity, wish.activity_id)
    if zone is None or zone.station_id != station_id or zone.closed_at:
        raise RuleViolation("no_such_zone")
    if activity is None or activity.station_id != station_id or activity.retired_at:
        raise RuleViolation("no_such_activity")
    if not 1 <= wish.capacity <= zone.capacity:
        raise RuleViolation("zone_max", limit=zone.capacity)


def _write_down(session: Session, slot: Slot, capacity: int, now: datetime, actor_id: int | None) -> None:
    """Store the manager's number as an exception of the plan, or planning would reset it."""
    was, state = slot.capacity, slot.state
    slot.capacity = capacity
    record(
        session, "capacity", now, actor_id=actor_id, slot=slot, before=state, after=state, was=was, capacity=capacity
    )
    if slot.plan_id:
        session.merge(PlanException(plan_id=slot.plan_id, date=slot.date, capacity=slot.seats))


def _shared(session: Session, slot: Slot, capacity: int) -> tuple[int, int]:
    """The seats to book or to draw, and those for the door."""
    plan = session.get(Plan, slot.plan_id) if slot.plan_id else None
    if plan and slot.draw_id and slot.awaits_draw:
        return draws.share(capacity, plan.draw_share)
    at_door = min(slot.door_seats, capacity - 1)
    return capacity - at_door, at_door


def _make_way(
    session: Session, slot: Slot, capacity: int, now: datetime, actor_id: int | None, move_newest: bool
) -> Sequence[Booking]:
    """Move the newest seats to the waiting list so that `capacity` holds the rest; refuse unless it was asked for."""
    excess = slot.taken - capacity
    if excess <= 0:
        return ()
    can_move = now < slot.starts_at
    if not (move_newest and can_move):
        raise RuleViolation("below_booked", taken=slot.taken, excess=excess, can_move=can_move)
    moved = seats.demote(session, slot, excess, now, actor_id)
    if len(moved) < excess:
        raise RuleViolation("below_booked", taken=slot.taken, excess=excess, can_move=False)
    return moved
