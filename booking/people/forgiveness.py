"""Forgiveness: a manager forgives one strike, or all of a slot (the lift broke down)."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from booking import sanitise
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.model import Strike
from booking.seats import strike_ledger


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
    return strike_ledger.forgive(session, which, now, actor_id, words)
