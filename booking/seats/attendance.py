"""Attendance: whether anybody recorded who came to a slot. Without it no seat is released until the manager decides.

A check-in, a walk-in and a standby entry all count as attendance, even when undone: somebody was taking it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from booking import policy
from booking.db.arrays import in_array
from booking.enqueue import enqueue
from booking.history import record, record_all
from booking.model import Event, Manages, Person, Slot
from booking.seats.claim import change, claim_in
from booking.seats.transitions import bookings, delete_ratings

TAKEN_BY = ("checked_in", "walked_in", "standby")
# How long after its end a slot without attendance stays open for its manager to say what happened.
BOOKS_OPEN = timedelta(hours=2)


def taken() -> ColumnElement[bool]:
    """Condition: whether attendance was recorded for the slot of the row."""
    return select(Event.id).where(Event.slot_id == Slot.id, Event.kind.in_(TAKEN_BY)).exists()


def settle(session: Session, slot_ids: Collection[int], now: datetime) -> None:
    """Among locked slots due for release: hold those without attendance, resume held ones where recording has begun."""
    running = (
        Slot.id.in_(in_array(slot_ids)),
        Slot.state == "running",
        Slot.released_at.is_(None),
        Slot.release_at <= now,
    )
    begun = and_(Slot.unattended, taken())
    nobody = and_(~Slot.unattended, Slot.release_held_at.is_(None), Slot.taken > 0, ~taken())
    found = select(Slot).where(*running, or_(begun, nobody)).order_by(Slot.id)
    slots = session.scalars(found.execution_options(populate_existing=True)).all()
    missing = [slot for slot in slots if not slot.unattended]
    for slot in slots:
        if slot.unattended:
            _resume(session, slot, now)
    record_all(session, "attendance_missing", now, Slot, [slot.id for slot in missing])
    for slot in missing:
        slot.release_held_at, slot.unattended = now, True
        _ask_managers(session, slot, now)
    session.flush()


def awaits_word(slot: Slot, now: datetime) -> bool:
    """Whether the manager can still say what happened at a slot without attendance."""
    is_open = slot.state == "running" and now < slot.ends_at + BOOKS_OPEN
    return slot.unattended and slot.released_at is None and is_open


def everybody_came(session: Session, slot: Slot, now: datetime, actor_id: int) -> int:
    """Mark everybody who is booked on a locked slot as attended. Returns how many."""
    came = bookings(session, slot.id, "booked")
    claim_in(session, [change(slot, booking, "attended", now, "vouched", actor_id) for booking in came])
    slot.released_at = now
    record(session, "all_came", now, actor_id=actor_id, slot=slot)
    return len(came)


def not_everybody(session: Session, slot: Slot, now: datetime, actor_id: int) -> int:
    """Undo `everybody_came` on a locked slot: it awaits the manager again. Other check-ins stay."""
    vouched = [b for b in bookings(session, slot.id, "attended") if b.checked_in_at == slot.released_at]
    claim_in(session, [change(slot, booking, "booked", now, "undone", actor_id) for booking in vouched])
    delete_ratings(session, [booking.id for booking in vouched])
    slot.released_at = None
    record(session, "word_undone", now, actor_id=actor_id, slot=slot)
    return len(vouched)


def _resume(session: Session, slot: Slot, now: datetime) -> None:
    """Restart the release: it leaves a late start the same time to go through the list."""
    grace = timedelta(minutes=policy.read(slot.station.policy).grace_minutes)
    slot.release_held_at, slot.unattended = None, False
    slot.release_at = max(slot.release_at, min(now + grace, slot.ends_at))
    record(session, "attendance_begun", now, slot=slot)


def _ask_managers(session: Session, slot: Slot, now: datetime) -> None:
    if now >= slot.ends_at + BOOKS_OPEN:
        return
    for person_id in _managers(session, slot.station_id):
        once = f"attendance:{slot.id}:{person_id}"
        enqueue(session, "attendance_missing", now, person_id=person_id, slot_id=slot.id, once=once)


def _managers(session: Session, station_id: int) -> Sequence[int]:
    able = (Person.deleted_at.is_(None), Person.disabled_at.is_(None))
    found = select(Manages.person_id).join(Person, Manages.person_id == Person.id)
    return session.scalars(found.where(Manages.station_id == station_id, *able).order_by(Manages.person_id)).all()
