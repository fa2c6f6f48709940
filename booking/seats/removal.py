"""Removal: a manager takes one booking off a slot, with a reason and without a strike, and may put it back.

Putting back works while the letter about it has not been sent; afterwards what the letter said stays true.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.enqueue import ATTEMPTED, enqueue, undo_window, withdraw_letters
from booking.errors import RuleViolation
from booking.model import HOLDING, Booking, Event, Letter, Slot
from booking.seats.claim import change, claim_in
from booking.seats.eligibility import clashing, eligibility, personal
from booking.seats.transitions import find_booking, leave, live_booking, withdraw
from booking.seats.waitlist import fill_free_seats, lock_slots

KIND = "booking_removed"


@transactional
def remove(session: Session, booking_id: int, reason: str, now: datetime, actor_id: int | None = None) -> Booking:
    """End a seat or a waiting-list place; its person is told the reason, and the seat is offered on. Idempotent."""
    booking = find_booking(session, booking_id)
    held = lock_slots(session, {booking.slot_id}, now, {booking.person_id})
    slot = held.slots[booking.slot_id]
    session.refresh(booking)
    if booking.state == "cancelled" and booking.end_reason == "removed":
        return booking
    if booking.state == "attended":
        raise RuleViolation("here_already")
    if booking.state not in ("booked", "waiting"):
        raise RuleViolation("not_live")
    if slot.state_at(now) == "done":
        raise RuleViolation("over")
    leave(session, slot, booking, now, "removed", actor_id).reason = reason
    booking.late = False
    if booking.via == "line" and withdraw_letters(
        session, "confirmed", slot.id, "removed", Letter.booking_id == booking.id
    ):
        fill_free_seats(session, slot, now, held.people)
        return booking  # reserved a moment ago: its person has not heard of it
    wait, person_id = undo_window(slot, now), booking.person_id
    enqueue(session, KIND, now, person_id=person_id, slot_id=slot.id, booking_id=booking.id, wait=wait, reason=reason)
    fill_free_seats(session, slot, now, held.people)
    return booking


@transactional
def put_back(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Undo a removal: the seat, if one is still free, or the place at its old position."""
    booking = find_booking(session, booking_id)
    held = lock_slots(session, {booking.slot_id}, now, {booking.person_id})
    slot = held.slots[booking.slot_id]
    session.refresh(booking)
    if live_booking(session, slot.id, booking.person_id):
        raise RuleViolation("yours")
    before = _refuse_late(session, slot, booking, now)
    who = eligibility(session, booking.person_id, slot.station, slot.date, now)
    no = personal(slot, who)
    if no and no.reason != "paused":  # a pause ends no existing booking
        raise no
    if before in HOLDING and not slot.free:
        raise RuleViolation("seat_passed_on")
    withdraw_letters(session, KIND, slot.id, "put back", Letter.booking_id == booking.id)
    claim_in(session, [change(slot, booking, before, now, "put_back", actor_id)])
    if before in HOLDING:
        withdraw(session, clashing(slot, who), now, booking.id)
    fill_free_seats(session, slot, now, held.people)
    return booking


def may_put_back(session: Session, slot: Slot, now: datetime) -> Sequence[Booking]:
    """The removed bookings of a slot whose people have not been told yet."""
    if slot.state_at(now) in ("cancelled", "done"):
        return ()
    told = select(Letter.booking_id).where(Letter.slot_id == slot.id, Letter.kind == KIND, Letter.state == "queued")
    unsent = told.where(Letter.tries == 0, Letter.held_at.is_(None))
    gone = (Booking.slot_id == slot.id, Booking.state == "cancelled", Booking.end_reason == "removed")
    return session.scalars(select(Booking).where(*gone, Booking.id.in_(unsent)).order_by(Booking.id)).all()


def _refuse_late(session: Session, slot: Slot, booking: Booking, now: datetime) -> str:
    """The state that the booking had before its removal; a refusal when it cannot return to it any more."""
    if slot.state_at(now) in ("cancelled", "done"):
        raise RuleViolation("over")
    removal = select(Event).where(Event.slot_id == slot.id, Event.booking_id == booking.id, Event.kind == "removed")
    event = session.scalar(removal.order_by(Event.id.desc()).limit(1))
    if event is None or booking.end_reason != "removed" or booking.state != "cancelled":
        raise RuleViolation("not_live")
    if session.scalar(
        select(Letter.id).where(Letter.booking_id == booking.id, Letter.kind == KIND, ATTEMPTED).limit(1)
    ):
        raise RuleViolation("person_knows")
    if event.before == "waiting" and now >= slot.starts_at and booking.standby_at is None:
        raise RuleViolation("over")
    return str(event.before)
