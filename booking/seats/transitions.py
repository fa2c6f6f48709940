"""Transitions: what ends one booking of a locked slot; each writes one event. `claim` writes what begins one."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.arrays import in_array
from booking.errors import RuleViolation
from booking.history import record
from booking.model import LIVE, Booking, Event, Rating, Slot
from booking.seats.eligibility import Entry

# How long a person's own booking can be undone as if it had not been made.
UNDO_WINDOW = timedelta(minutes=2)


def leave(
    session: Session,
    slot: Slot,
    booking: Booking,
    now: datetime,
    reason: str,
    actor_id: int | None = None,
    **details: Any,
) -> Event:
    """Cancel one live booking of a locked slot; the caller offers the seat on. Returns the event."""
    if booking.state == "waiting":
        slot.waiting -= 1
    else:
        booking.late = is_late(slot, booking, now)
        slot.taken -= 1
    return end(session, slot, booking, "cancelled", now, reason, actor_id, **details)


def is_late(slot: Slot, booking: Booking | Entry, now: datetime) -> bool:
    """Whether cancelling now is a late cancel. It is not for a person promoted after free cancellation had ended."""
    promoted_late = booking.via == "line" and booking.seated_at is not None and booking.seated_at > slot.free_until
    is_free = promoted_late or can_undo(booking, now)
    return booking.state == "booked" and now > slot.free_until and not is_free


def can_undo(booking: Booking | Entry, now: datetime) -> bool:
    """Whether the person booked this seat a moment ago. A seat by promotion or at check-in was not their own act."""
    own = booking.state == "booked" and booking.via == "tap" and booking.seated_at is not None
    return own and booking.seated_at is not None and now <= booking.seated_at + UNDO_WINDOW


def withdraw(session: Session, entries: Iterable[Entry], now: datetime, seat_id: int) -> None:
    """End the person's waiting-list places that the new seat excludes; the history names its booking."""
    for entry in entries:
        # Its slot is locked only now: it may have started, or been cancelled, since `entry` was read.
        booking = session.get_one(Booking, entry.id, populate_existing=True)
        if booking.state == "waiting":
            other = find_slot(session, entry.slot_id)
            other.waiting -= 1
            end(session, other, booking, "cancelled", now, "withdrawn", replaced_by=seat_id)


def end(
    session: Session,
    slot: Slot,
    booking: Booking,
    state: str,
    now: datetime,
    reason: str,
    actor_id: int | None = None,
    **details: Any,
) -> Event:
    before, booking.state = booking.state, state
    booking.ended_at, booking.end_reason = now, reason
    session.flush()
    about: dict[str, Any] = {"slot": slot, "booking": booking, "before": before, "after": state, **details}
    return record(session, reason, now, actor_id=actor_id, **about)


def delete_ratings(session: Session, booking_ids: Collection[int]) -> None:
    """Delete what was said of these visits: they did not take place. The caller has changed the bookings already."""
    if booking_ids:
        said = delete(Rating).where(Rating.booking_id.in_(in_array(booking_ids)))
        session.execute(said, execution_options=transactions.NO_SYNC)


def find_slot(session: Session, slot_id: int) -> Slot:
    slot = session.get(Slot, slot_id)
    if slot is None:
        raise RuleViolation("no_such_slot")
    return slot


def locked(session: Session, slot_id: int) -> Slot:
    find_slot(session, slot_id)
    return transactions.lock(session, slots={slot_id})[0]


def lock_unfinished(session: Session, slot_id: int, now: datetime) -> Slot:
    """The slot, locked. Raises `cancelled` and `over` for one in which nothing can be changed any more."""
    slot = locked(session, slot_id)
    if slot.state == "cancelled":
        raise RuleViolation("cancelled", why=slot.cancel_reason)
    if slot.state_at(now) == "done":
        raise RuleViolation("over")
    return slot


def find_booking(session: Session, booking_id: int) -> Booking:
    booking = session.get(Booking, booking_id)
    if booking is None:
        raise RuleViolation("no_such_booking")
    return booking


def bookings(session: Session, slot_id: int, *states: str) -> Sequence[Booking]:
    found = select(Booking).where(Booking.slot_id == slot_id, Booking.state.in_(states)).order_by(Booking.id)
    return session.scalars(found.execution_options(populate_existing=True)).all()


def live_booking(session: Session, slot_id: int, person_id: int) -> Booking | None:
    """The person's live seat or waiting-list place in a locked slot, if any."""
    found = select(Booking).where(Booking.slot_id == slot_id, Booking.person_id == person_id, Booking.state.in_(LIVE))
    return session.scalar(found.execution_options(populate_existing=True))


def line(session: Session, slot: Slot) -> Sequence[Booking]:
    return sorted(bookings(session, slot.id, "waiting"), key=lambda entry: entry.waitlist_position or 0)
