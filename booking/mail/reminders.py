"""Reminders: a letter half an hour before the start, to those who asked for it, once for each booking.

Who has a seat for less than an hour by then knows it. None is written around an opening, when the server has better to
do, nor so late that it would arrive after its reader has left.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Text, cast, exists, literal, or_, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.db.transactions import transactional
from booking.enqueue import enqueue_once
from booking.mail.subscriptions import reads
from booking.model import Booking, Letter, Person, Slot

BEFORE = timedelta(minutes=30)
TOO_LATE = timedelta(minutes=10)
# A written one that could not be sent until then is not sent any more.
LAST_MINUTES = timedelta(minutes=5)
# Who got the seat later than so long before the reminder gets none.
KNOWN_FOR = timedelta(minutes=60)
# No reminder is written so close to an opening, before or after it.
RUSH = timedelta(minutes=2)


def due(session: Session, now: datetime) -> list[int]:
    """The bookings whose reminder is due and not written, in the order of their starts."""
    found = session.execute(_unwritten(now).add_columns(Booking.seated_at, Slot.starts_at)).all()
    known = [booking_id for booking_id, seated_at, starts_at in found if seated_at <= starts_at - BEFORE - KNOWN_FOR]
    return known if known and not _is_rush(session, now) else []


@transactional
def write(session: Session, booking_ids: Sequence[int], now: datetime) -> int:
    """Write the reminders of those bookings that still need one."""
    these = _unwritten(now).where(Booking.id.in_(in_array(booking_ids)))
    return enqueue_once(session, "reminder", _key(), these, now)


def _unwritten(now: datetime) -> Select[int]:
    soon = (Slot.state.in_(("planned", "open")), Slot.starts_at > now + TOO_LATE, Slot.starts_at <= now + BEFORE)
    return (
        select(Booking.id)
        .join(Slot, Slot.id == Booking.slot_id)
        .join(Person, Person.id == Booking.person_id)
        .where(*soon, Booking.state == "booked", reads("reminder"), ~exists().where(Letter.key == _key()))
        .order_by(Slot.starts_at, Booking.id)
    )


def _key() -> ColumnElement[str]:
    return literal("reminder:") + cast(Booking.id, Text)


def _is_rush(session: Session, now: datetime) -> bool:
    """Whether slots have just opened, or are about to."""
    opens = Slot.opens_at.between(now - RUSH, now + RUSH)
    coming = select(Slot.id).where(Slot.state == "planned", opens)
    opened = select(Slot.id).where(Slot.state == "open", Slot.ends_at > now, opens)
    return bool(session.scalar(select(or_(exists(coming), exists(opened)))))
