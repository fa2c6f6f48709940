"""Ratings, I10 for what was said of a visit: it took place, and each is of its booking's own slot, so that it counts for no
other station."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.model import Booking, Rating, Slot


def rated_visits(session: Session, _now: datetime) -> Iterator[str]:
    own = (Rating.slot_id, Booking.slot_id), (Rating.station_id, Booking.station_id)
    of_slot = (Rating.activity_id, Slot.activity_id), (Rating.date, Slot.date)
    strange = or_(*(said != known for said, known in (*own, *of_slot)))
    rows = (
        select(Rating.booking_id).join(Booking, Rating.booking_id == Booking.id).join(Slot, Booking.slot_id == Slot.id)
    )
    for booking_id in session.scalars(rows.where(Booking.state != "attended").order_by(Rating.booking_id)):
        yield f"I10 rating of booking {booking_id}: of a visit that did not take place"
    for booking_id in session.scalars(rows.where(strange).order_by(Rating.booking_id)):
        yield f"I10 rating of booking {booking_id}: not of its slot, station, activity and date"
