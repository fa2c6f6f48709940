"""Forgiveness: a manager forgives one strike, or all of a slot (the lift broke down)."""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from booking import sanitise
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Booking, Slot, Strike


@transactional
def forgive(session: Session, strike_id: int, now: datetime, actor_id: int, reason: str) -> int:
    """Forgive one strike. Returns 1, or 0 when it was forgiven before. Raises `reason_missing`."""
    return _forgive(session, Strike.id == strike_id, now, actor_id, reason)


@transactional
def forgive_slot(session: Session, slot_id: int, now: datetime, actor_id: int, reason: str) -> int:
    """Forgive every strike that a slot has brought. Returns how many. Raises `reason_missing`."""
    return _forgive(session, Strike.slot_id == slot_id, now, actor_id, reason)


def _forgive(session: Session, which: ColumnElement[bool], now: datetime, actor_id: int, reason: str) -> int:
    words = sanitise.one_line(reason)[:200]
    if not words:
        raise RuleViolation("reason_missing")
    unforgiven = update(Strike).where(which, Strike.forgiven_at.is_(None))
    forgiven = unforgiven.values(forgiven_at=now, forgiven_by=actor_id, forgive_reason=words)
    done = session.execute(forgiven.returning(Strike.slot_id, Strike.booking_id)).all()
    for slot_id, booking_id in done:
        slot = session.scalars(select(Slot).where(Slot.id == slot_id)).one()
        booking = session.get_one(Booking, booking_id)
        record(session, "forgiven", now, actor_id=actor_id, slot=slot, booking=booking, reason=words)
    return len(done)
