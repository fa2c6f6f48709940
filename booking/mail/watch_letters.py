"""Watch letters: to those who waited for a seat to the start in vain, where they can watch; once for each place in line.

Also to those whose slot got its link only after it had started. Who queues at the door gets none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Text, cast, exists, literal, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.db.transactions import transactional
from booking.enqueue import enqueue_once
from booking.model import Booking, Letter, Person, Slot, WatchLink
from booking.people import suppression

# So shortly before the end nobody is told any more.
LAST_MINUTES = timedelta(minutes=10)


def due(session: Session, now: datetime) -> Sequence[int]:
    """The places in line, ended by the start, whose letter is due and not written."""
    return session.scalars(_unwritten(now)).all()


@transactional
def write(session: Session, booking_ids: Sequence[int], now: datetime) -> int:
    """Write those of these letters that are still due."""
    these = _unwritten(now).where(Booking.id.in_(in_array(booking_ids)))
    return enqueue_once(session, "watch_link", _key(), these, now)


def _unwritten(now: datetime) -> Select[int]:
    linked = (Slot.state == "running", Slot.ends_at > now + LAST_MINUTES, WatchLink.url != "")
    reached = (Person.email.is_not(None), Person.disabled_at.is_(None), ~suppression.is_suppressed())
    return (
        select(Booking.id)
        .join(Slot, Slot.id == Booking.slot_id)
        .join(WatchLink, WatchLink.slot_id == Slot.id)
        .join(Person, Person.id == Booking.person_id)
        .where(*linked, Booking.state == "expired", *reached, ~exists().where(Letter.key == _key()))
        .order_by(Booking.id)
    )


def _key() -> ColumnElement[str]:
    return literal("watch:") + cast(Booking.id, Text)
