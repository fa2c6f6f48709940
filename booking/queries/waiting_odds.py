"""Waiting-list odds: how often somebody at the same place of the waiting list has got a seat, in the last such slots."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from booking.model import Booking, Slot

SLOTS = 8
FEWEST = 3  # slots that say something
REMEMBERED = timedelta(days=180)


class Odds(NamedTuple):
    """In how many of so many slots the place was promoted."""

    place: int
    slots: int
    promoted: int


def at_place(session: Session, slot_id: int, place: int, now: datetime) -> Odds | None:
    """Of the last slots of the same activity at that station whose waiting list reached this place; None for too few.

    Who came to the door for a place has not waited for it; who was promoted and came late has.
    """
    slot = session.get_one(Slot, slot_id)
    waited = or_(Booking.standby_at.is_(None), Booking.standby_at > Booking.created_at)
    came_late = and_(Booking.late, Booking.state == "attended")
    seated = and_(or_(Booking.via == "line", came_late), Booking.seated_at.is_not(None))
    last = (
        select(Slot.id, seated.label("promoted"))
        .join(Booking, Booking.slot_id == Slot.id)
        .where(Slot.station_id == slot.station_id, Slot.date.between((now - REMEMBERED).date(), now.date()))
        .where(Slot.activity_id == slot.activity_id, Slot.starts_at <= now, Slot.state != "cancelled")
        .where(Booking.waitlist_position == place, waited)
        .order_by(Slot.starts_at.desc(), Slot.id.desc())
        .limit(SLOTS)
        .subquery()
    )
    slots, promoted = session.execute(select(func.count(), func.count().filter(last.c.promoted))).one()
    return Odds(place, slots, promoted) if slots >= FEWEST else None
