"""Due: ids of the slots and stations that a job should process now, and the opening itself."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, and_, or_, select, update
from sqlalchemy.orm import Session

from booking import seats
from booking.db import transactions
from booking.db.arrays import in_array
from booking.db.transactions import transactional
from booking.history import record_all
from booking.model import Slot, Station

# The job releases within seconds. After so many minutes people have been seated by hand, or have left.
TOO_LATE = timedelta(minutes=5)


def open_due(session: Session, now: datetime, limit: int = 200) -> int:
    """Record the opening of slots whose instant has come. Returns how many."""
    return open_these.inside(session, to_open(session, now)[:limit], now)


def to_open(session: Session, now: datetime) -> Sequence[int]:
    return [one.id for one in unopened(session, now) if one.starts_at > now]


def unopened(session: Session, since: datetime) -> Sequence[Row[int, int, datetime]]:
    """Id, station and start of the slots whose opening was due by then and has not been recorded.

    Without a condition on the start: PostgreSQL would read all coming slots by it, at every look.
    """
    due = select(Slot.id, Slot.station_id, Slot.starts_at).where(Slot.state == "planned", Slot.opens_at <= since)
    return session.execute(due.order_by(Slot.opens_at, Slot.id)).all()


@transactional
def open_these(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    """Record the opening of these slots. Bookings do not wait for it: they compare with the clock."""
    opened = transactions.lock_if(session, slot_ids, Slot.state == "planned", Slot.opens_at <= now)
    record_all(session, "opened", now, Slot, opened, after="open")
    session.execute(update(Slot).where(Slot.id.in_(opened)).values(state="open"))
    return len(opened)


def stations_to_plan(session: Session) -> Sequence[int]:
    return session.scalars(select(Station.id).where(Station.closed_at.is_(None)).order_by(Station.id)).all()


def to_promote(session: Session, now: datetime) -> Sequence[int]:
    """Slots with a free seat and somebody waiting for it; their opening has been recorded."""
    free = (Slot.waiting > 0, Slot.taken < Slot.capacity, Slot.opens_at <= now, Slot.ends_at > now)
    return _ids(session, Slot.state.in_(("open", "running")), *free)


def to_start(session: Session, now: datetime) -> Sequence[int]:
    return _ids(session, Slot.state.in_(("planned", "open")), Slot.starts_at <= now)


def to_release(session: Session, now: datetime) -> Sequence[int]:
    """Slots whose no-shows are due for release; held ones only when attendance is being taken after all."""
    held_no_more = or_(Slot.release_held_at.is_(None), and_(Slot.unattended, seats.attendance_taken()))
    due = (Slot.released_at.is_(None), held_no_more, Slot.release_at <= now)
    return _ids(session, Slot.state == "running", *due)


def too_late(session: Session, slot_ids: Collection[int], now: datetime) -> Sequence[int]:
    """Those of these slots whose release is so late, because our scheduler was down, that their manager decides."""
    return _ids(
        session, Slot.id.in_(in_array(slot_ids)), Slot.release_held_at.is_(None), Slot.release_at < now - TOO_LATE
    )


def to_finish(session: Session, now: datetime) -> Sequence[int]:
    """Slots that are over; those without attendance are left open for a while."""
    closed = or_(~Slot.unattended, Slot.ends_at <= now - seats.BOOKS_OPEN)
    return _ids(session, Slot.state == "running", Slot.ends_at <= now, closed)


def _ids(session: Session, *conditions: ColumnElement[bool]) -> Sequence[int]:
    return session.scalars(select(Slot.id).where(*conditions).order_by(Slot.starts_at, Slot.id)).all()
