"""Calendar feed: the bookings in a person's calendar: seats that they have or had, never a waiting-list place."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, joinedload

from booking.model import Booking, Event, Slot

KEPT = timedelta(days=400)
MOST = 300
# Also a seat that was undone, after which the entry waits again as if it had never had one: a calendar may know it.
_UNDONE = exists().where(Event.slot_id == Booking.slot_id, Event.booking_id == Booking.id, Event.kind == "press_undone")
HAD_SEAT = or_(Booking.seated_at.is_not(None), _UNDONE)


def seats_ever(session: Session, person_id: int, now: datetime) -> Sequence[Booking]:
    """Every booking with a present or past seat, cancelled ones too, of the last 13 months, newest slots first."""
    slot = joinedload(Booking.slot)
    found = (
        select(Booking)
        .join(Booking.slot)
        .where(Booking.person_id == person_id, HAD_SEAT, Slot.starts_at > now - KEPT)
        .options(slot.joinedload(Slot.activity), slot.joinedload(Slot.zone), slot.joinedload(Slot.station))
        .order_by(Slot.starts_at.desc(), Booking.id.desc())
        .limit(MOST)
    )
    return session.scalars(found).all()
