"""Reservation: a manager gives a named person a seat before check-in opens, within the capacity and the person's limits."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking.db.transactions import retried
from booking.enqueue import undo_window
from booking.errors import RuleViolation
from booking.model import Booking
from booking.seats.claim import RESERVED, ClaimRow, claim_in
from booking.seats.eligibility import clashing, eligibility, personal
from booking.seats.transitions import live_booking, withdraw
from booking.seats.waitlist import fill_free_seats, lock_slots


@retried
def reserve(session: Session, slot_id: int, person_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Reserve a free seat, also before the slot opens to everybody; the waiting list is served first.

    The seat is not the person's own press: like one by promotion it can be cancelled free of a strike.
    """
    held = lock_slots(session, {slot_id}, now, {person_id})
    slot = held.slots[slot_id]
    if slot.state_at(now) == "cancelled":
        raise RuleViolation("cancelled", why=slot.cancel_reason)
    if now >= slot.checkin_from:
        raise RuleViolation("over" if now >= slot.ends_at else "door_is_open")
    fill_free_seats(session, slot, now, held.people)
    who = eligibility(session, person_id, slot.station, slot.date, now)
    mine = live_booking(session, slot_id, person_id)
    if mine and mine.state != "waiting":
        raise RuleViolation("yours")
    if no := personal(slot, who):
        raise no
    if not slot.free:
        raise RuleViolation("no_free_seat")
    row = ClaimRow(
        slot, "booked", person_id, now, actor_id, RESERVED, mine, via="line", seated_at=now, letter="confirmed"
    )
    place = mine.waitlist_position if mine else None
    (booking,) = claim_in(session, [row._replace(waitlist_position=place, wait=undo_window(slot, now))])
    withdraw(session, clashing(slot, who), now, booking.id)
    return booking
