"""Note: one line of a manager about one slot, such as what to bring today, which its tickets show."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking import seats
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Slot


@transactional
def set_note(session: Session, slot_id: int, note: str, now: datetime, actor_id: int | None = None) -> Slot:
    """Set the slot's note; empty takes it away. Nobody is sent a letter about it."""
    seats.find_slot(session, slot_id)
    slot = transactions.lock(session, slots={slot_id})[0]
    if slot.state == "cancelled":
        raise RuleViolation("cancelled", why=slot.cancel_reason)
    if slot.state_at(now) == "done":
        raise RuleViolation("over")
    if note != (slot.note or ""):
        slot.note = note or None
        record(session, "note", now, actor_id=actor_id, slot=slot, note=note)
    return slot
