"""Note: one line of a manager about one slot, such as what to bring today, which its tickets show."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking import seats
from booking.db.transactions import transactional
from booking.history import record
from booking.model import Slot


@transactional
def set_note(session: Session, slot_id: int, note: str, now: datetime, actor_id: int | None = None) -> Slot:
    """Set the slot's note; empty takes it away. Nobody is sent a letter about it."""
    slot = seats.lock_unfinished(session, slot_id, now)
    if note != (slot.note or ""):
        slot.note = note or None
        record(session, "note", now, actor_id=actor_id, slot=slot, note=note)
    return slot
