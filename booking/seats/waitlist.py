"""Waiting list: offers free seats: to the waiting list, then to the first who books, then to people on standby."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, NamedTuple

from sqlalchemy import SQLColumnExpression, case, func, literal, or_, select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.arrays import in_array
from booking.db.transactions import transactional
from booking.enqueue import enqueue, undo_window
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Booking, Slot
from booking.seats.claim import change, claim_in
from booking.seats.eligibility import Eligibility, at_door, clashing, personal
from booking.seats.late_checkin import seat_at_door
from booking.seats.look import eligibilities
from booking.seats.transitions import bookings, line, withdraw

# How many more people than free seats are locked at the head of a waiting list, to replace those who are skipped.
SPARE = 10
Rule = Callable[[Slot, Eligibility], RuleViolation | None]


@transactional
def promote(session: Session, slot_id: int, now: datetime) -> int:
    """Offer whatever seats are free, by the phase that the slot is in. Returns how many were given."""
    held = lock_slots(session, {slot_id}, now)
    return fill_free_seats(session, held.slots[slot_id], now, held.people)


@dataclass(frozen=True)
class LockedSlots:
    """What a verb has locked until it commits: the slots, freshly read, and the people whom it may seat."""

    slots: dict[int, Slot]
    people: set[int]


def lock_slots(
    session: Session,
    slot_ids: Collection[int],
    now: datetime,
    people: Iterable[int] = (),
    room: SQLColumnExpression[int] | int = 1,
) -> LockedSlots:
    """Lock these people, the heads of the slots' waiting lists, and every slot they are on, in the lock order.

    `room` is how many seats may come free in each. People behind the head are served by the next round. Slots in which
    they only hold a seat are locked too: a smaller capacity may move that seat to the waiting list.
    """
    front = lock_head(session, slot_ids, now, people, room)
    return LockedSlots({slot.id: slot for slot in transactions.lock(session, slots=front.slots)}, front.people)


class WaitlistHead(NamedTuple):
    """People who are locked, and the slots to be locked next."""

    people: set[int]
    slots: set[int]


def lock_head(
    session: Session,
    slot_ids: Collection[int],
    now: datetime,
    people: Iterable[int] = (),
    room: SQLColumnExpression[int] | int = 1,
) -> WaitlistHead:
    """The first half of `lock_slots`: lock the people only."""
    waiting = dict(session.execute(select(Slot.id, Slot.waiting).where(Slot.id.in_(in_array(slot_ids)))).all())
    if len(waiting) < len(slot_ids):
        raise RuleViolation("no_such_slot")
    everybody = {*people, *_front(session, [slot_id for slot_id in waiting if waiting[slot_id]], now, room)}
    transactions.lock(session, people=everybody)
    beside = select(Booking.slot_id).where(Booking.person_id.in_(everybody), Booking.state.in_(("booked", "waiting")))
    return WaitlistHead(everybody, {*slot_ids, *(session.scalars(beside) if everybody else ())})


def fill_free_seats(session: Session, slot: Slot, now: datetime, people: set[int]) -> int:
    """Offer the free seats of a locked slot to the waiting list, the first to book, or standby. Returns seats given."""
    if not slot.free or not slot.waiting or slot.state in ("done", "cancelled") or now >= slot.ends_at:
        return 0
    if now >= slot.starts_at:
        return _seat_standby(session, slot, now, people)
    if now >= slot.waitlist_until:
        return _announce(session, slot, now) if now >= slot.opens_at else 0
    return _promote(session, slot, now, people)


def _promote(session: Session, slot: Slot, now: datetime, people: set[int]) -> int:
    # Before the opening nobody is ahead by standing at the door.
    waits = [entry for entry in line(session, slot) if now >= slot.opens_at or not entry.standby_at]
    found = _eligible(session, slot, waits, now, people, personal)
    seat: dict[str, Any] = {"seated_at": now, "via": "line", "letter": "promoted"}
    claim_in(session, [change(slot, entry, "booked", now, "promoted", **seat) for entry, _ in found])
    for entry, who in found:
        withdraw(session, clashing(slot, who), now, entry.id)
    return len(found)


def _seat_standby(session: Session, slot: Slot, now: datetime, people: set[int]) -> int:
    there = [entry for entry in line(session, slot) if entry.standby_at]
    there.sort(key=lambda e: (e.standby_at, e.waitlist_position))
    found = _eligible(session, slot, there, now, people, at_door)
    return len(seat_at_door(session, slot, {entry.person_id: entry for entry, _ in found}, now, None))


def _eligible(
    session: Session, slot: Slot, entries: Sequence[Booking], now: datetime, people: set[int], refusal: Rule
) -> list[tuple[Booking, Eligibility]]:
    """The first of these entries, as many as seats are free, whom no rule refuses. Notes why others are skipped."""
    # Whoever joined after we locked is served by the next round, and nobody is served before them.
    entries = list(takewhile(lambda entry: entry.person_id in people, entries))
    everybody = eligibilities(session, slot.id, [entry.person_id for entry in entries], now)
    found: list[tuple[Booking, Eligibility]] = []
    for entry in entries:
        if len(found) == slot.free:
            break
        who = everybody[entry.person_id]
        if no := refusal(slot, who):
            _skip(session, slot, entry, no.reason, now)
        else:
            found.append((entry, who))
    return found


def _announce(session: Session, slot: Slot, now: datetime) -> int:
    """Tell once each who waits, except those who may not book at all."""
    waits = line(session, slot)
    everybody = eligibilities(session, slot.id, [entry.person_id for entry in waits], now)
    for entry in waits:
        if everybody[entry.person_id].gone or everybody[entry.person_id].paused_until:
            continue
        once = f"seat_open:{slot.id}:{entry.person_id}"
        enqueue(session, "seat_open", now, person_id=entry.person_id, slot_id=slot.id, booking_id=entry.id, once=once)
    return 0


def _skip(session: Session, slot: Slot, entry: Booking, reason: str, now: datetime) -> None:
    if entry.skipped != reason:
        entry.skipped = reason
        record(session, "skipped", now, slot=slot, booking=entry, reason=reason)


def _front(
    session: Session, slot_ids: Collection[int], now: datetime, room: SQLColumnExpression[int] | int
) -> Collection[int]:
    """Who is next for a seat: the waiting list before the start, the people on standby after it.

    Entries skipped once come in addition: they may have become eligible, and must not hide the ones behind them.
    """
    if not slot_ids:
        return ()
    came = case((Slot.starts_at <= literal(now, Slot.starts_at.type), Booking.standby_at))
    place = func.row_number().over(
        partition_by=(Booking.slot_id, Booking.skipped.is_(None)),
        order_by=(came.nulls_last(), Booking.waitlist_position),
    )
    may_sit = or_(Slot.starts_at > now, Booking.standby_at.is_not(None))
    seats = (Slot.capacity - Slot.taken + room + SPARE).label("seats")
    line = select(Booking.person_id, Booking.skipped, place.label("place"), seats).join(
        Slot, Booking.slot_id == Slot.id
    )
    waits = line.where(Booking.slot_id.in_(slot_ids), Booking.state == "waiting", may_sit).subquery()
    front = or_(waits.c.skipped.is_not(None), waits.c.place <= waits.c.seats)
    return session.scalars(select(waits.c.person_id).where(front)).all()


def demote(session: Session, slot: Slot, number: int, now: datetime, actor_id: int | None = None) -> list[Booking]:
    """Move the newest `number` seats of a locked slot to the head of its waiting list, in order, and notify them."""
    booked = sorted(bookings(session, slot.id, "booked"), key=lambda b: (b.seated_at or b.created_at, b.id))
    moved = booked[-number:] if number else []
    # Below every position that another entry has or had: a withdrawn entry may return to its own.
    others = (Booking.slot_id == slot.id, Booking.id.not_in([booking.id for booking in moved]))
    lowest = session.scalar(select(func.min(Booking.waitlist_position)).where(*others))
    head = slot.waitlist_seq + 1 if lowest is None else lowest
    letter: dict[str, Any] = {"letter": "moved_down", "wait": undo_window(slot, now)}
    places = range(head - len(moved), head)
    rows = [
        change(slot, booking, "waiting", now, "moved_down", actor_id, waitlist_position=place, **letter)
        for booking, place in zip(moved, places, strict=True)
    ]
    return claim_in(session, rows)
