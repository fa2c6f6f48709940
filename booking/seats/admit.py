"""Admission: what a ticket is good for at check-in, whatever became of its booking."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.model import Booking
from booking.seats.checkin import check_in, stand_by, walk_in
from booking.seats.transitions import find_booking, find_slot, live_booking


@transactional
def admit(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Check in a person who has a seat; seat one without a seat while one is free; put everybody else on standby.

    The ticket of a cancelled booking is accepted for the booking that the person now has instead.
    """
    booking = find_booking(session, booking_id)
    booking = live_booking(session, booking.slot_id, booking.person_id) or booking
    if booking.state in ("booked", "attended"):
        return check_in.inside(session, booking.id, now, actor_id)
    slot = find_slot(session, booking.slot_id)
    if slot.free and now >= slot.waitlist_until:
        return walk_in.inside(session, slot.id, booking.person_id, now, actor_id)
    return stand_by.inside(session, booking.person_id, slot.id, now, actor_id)
