"""Lifecycle: what the clock does to slots: start, no-show release and finish, any number at once. Idempotent."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.arrays import in_array
from booking.db.transactions import transactional
from booking.history import record, record_all
from booking.model import Booking, Slot
from booking.seats import attendance
from booking.seats.bulk_transitions import EndedSeat, claims, expire, release_seats, strike, unrecorded
from booking.seats.day_totals import count_days_of
from booking.seats.transitions import bookings
from booking.seats.waitlist import fill_free_seats, lock_head, lock_slots


@transactional
def start(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    """Record that slots have started: the waiting list closes, free seats and those for the door go to standby.

    Returns how many slots.
    """
    held = lock_slots(session, slot_ids, now, room=Slot.door_seats + 1)
    due = {n: held.slots[n] for n in slot_ids if held.slots[n].state in ("planned", "open")}
    due = {n: slot for n, slot in due.items() if now >= slot.starts_at}
    record_all(session, "started", now, Slot, due, after="running")
    for slot in due.values():
        slot.state = "running"
        _open_door(session, slot, now)
    expire(session, due, [entry for entry in claims(session, due, "waiting") if entry.standby_at is None], now)
    for slot in due.values():
        fill_free_seats(session, slot, now, held.people)
    return len(due)


@transactional
def release(session: Session, slot_ids: Collection[int], now: datetime, *, ordered: bool = False) -> int:
    """Release the seats of no-shows, and give them to the people on standby.

    Without attendance nothing is released unless the manager has `ordered` it. A release that runs by itself after the
    end of the slot gives no strikes: then our own scheduler was late. Returns how many seats were released.
    """
    front = lock_head(session, slot_ids, now, room=Slot.taken)
    transactions.lock_if(session, front.slots)
    if not ordered:
        attendance.settle(session, slot_ids, now)
    due = _mark_released(session, slot_ids, now, ordered=ordered)
    absent = claims(session, due, "booked")
    for punish in (True, False):
        release_seats(session, [s for s in absent if (ordered or now < due[s.slot_id]) is punish], now, punish=punish)
    for slot in _awaited(session, due) if front.people else ():
        fill_free_seats(session, slot, now, front.people)
    return len(absent)


@transactional
def finish(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    """Close slots for good: waiting entries expire, late cancels whose seat nobody used are struck.

    Without attendance, and without the manager's decision, the bookings become unrecorded and nobody is struck: it is
    not known either whether the seat of a late cancel was used.
    """
    transactions.lock(session, slots=slot_ids)
    attendance.settle(session, slot_ids, now)
    due = {s.id: s for s in transactions.lock(session, slots=slot_ids) if s.state == "running" and now >= closes_at(s)}
    unknown = {n for n, slot in due.items() if slot.unattended and slot.released_at is None}
    expire(session, due, claims(session, due, "waiting"), now)
    unrecorded(session, claims(session, unknown, "booked"), now)
    _release_absent(session, {n: slot for n, slot in due.items() if n not in unknown}, now)
    strike(session, _unused(session, due.keys() - unknown), now, "late_cancel")
    record_all(session, "done", now, Slot, due, after="done")
    for slot in due.values():
        slot.state = "done"
    count_days_of(session, due.values())
    return len(due)


@transactional
def miss_late(session: Session, slot_id: int, now: datetime) -> None:
    """Release what is still booked in a closed slot: a check-in undone before the end is heard only now."""
    closed = {slot.id: slot for slot in transactions.lock(session, slots={slot_id}) if slot.state == "done"}
    _release_absent(session, closed, now)
    session.expire_all()
    count_days_of(session, closed.values())


def _open_door(session: Session, slot: Slot, now: datetime) -> None:
    """The seats that were not drawn come to the others. Nobody can book or be promoted any more."""
    if slot.door_seats:
        was, slot.capacity, slot.door_seats = slot.capacity, slot.seats, 0
        record(
            session, "capacity", now, slot=slot, before=slot.state, after=slot.state, was=was, capacity=slot.capacity
        )


def closes_at(slot: Slot) -> datetime:
    """When the slot is closed for good."""
    return slot.ends_at + (attendance.BOOKS_OPEN if slot.unattended else timedelta(0))


def _mark_released(session: Session, slot_ids: Collection[int], now: datetime, *, ordered: bool) -> dict[int, datetime]:
    """Those of these locked slots whose release is due, by id, with their ends."""
    due = [Slot.state == "running", Slot.released_at.is_(None), Slot.release_at <= now]
    if not ordered:
        due.append(Slot.release_held_at.is_(None))
    mine = update(Slot).where(Slot.id.in_(in_array(slot_ids)), *due).values(released_at=now)
    return dict(session.execute(mine.returning(Slot.id, Slot.ends_at), execution_options=transactions.NO_SYNC).all())


def _release_absent(session: Session, slots: Mapping[int, Slot], now: datetime) -> None:
    """Release what is booked in slots that have ended; their people are struck where the release ran in time."""
    struck = {n for n, slot in slots.items() if slot.released_at and slot.released_at < slot.ends_at}
    absent = claims(session, slots, "booked")
    for punish in (True, False):
        release_seats(session, [seat for seat in absent if (seat.slot_id in struck) is punish], now, punish=punish)


def _awaited(session: Session, slot_ids: Collection[int]) -> Sequence[Slot]:
    found = select(Slot).where(Slot.id.in_(in_array(slot_ids)), Slot.waiting > 0).order_by(Slot.id)
    return session.scalars(found.execution_options(populate_existing=True)).all()


def _unused(session: Session, slots: Collection[int]) -> list[EndedSeat]:
    """The late cancels whose seat nobody took afterwards."""
    late = claims(session, slots, "cancelled", Booking.late, Booking.ended_at.is_not(None))
    unused = {booking.id for slot_id in {one.slot_id for one in late} for booking in _left_over(session, slot_id)}
    return [one for one in late if one.id in unused]


def _left_over(session: Session, slot_id: int) -> Sequence[Booking]:
    """The late cancels of a slot that remain unused: each later booking makes up for the earliest one.

    A person who took such a seat and cancelled late again answers for it alone. A person who came after all uses the
    seat that they had cancelled themselves before anybody else's.
    """
    gone = [b for b in bookings(session, slot_id, "cancelled") if b.late and b.ended_at]
    seated = [*bookings(session, slot_id, "attended", "released"), *gone]
    takings = sorted((b.seated_at, b.id, b.person_id) for b in seated if b.seated_at)
    came = {b.person_id for b in seated if b.state == "attended"}
    unused = []
    for booking in sorted(gone, key=lambda b: (b.person_id not in came, b.ended_at, b.id)):
        ended, own, whose = booking.ended_at, booking.id, booking.person_id
        later_ones = [t for t in takings if ended and t[0] >= ended and t[1] != own]
        later = next((t for t in later_ones if t[2] == whose), None) or next(iter(later_ones), None)
        if later is None:
            unused.append(booking)
        else:
            takings.remove(later)
    return unused
