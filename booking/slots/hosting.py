"""Hosting: a substitute teacher for one slot; the people who have booked it are told."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from booking import seats
from booking.db.transactions import transactional
from booking.history import record
from booking.model import Booking, PlanException, Slot
from booking.slots.moving import as_told, on_it, tell_change


@transactional
def set_host(
    session: Session, slot_id: int, host: str, now: datetime, actor_id: int | None = None
) -> Sequence[Booking]:
    """Set the slot's teacher; empty means the activity's own. Returns who is told.

    Changed back before any letter was sent, nobody is told anything.
    """
    slot = seats.lock_unfinished(session, slot_id, now)
    wish = host if host != slot.activity.host else ""
    if wish == (slot.host or ""):
        return ()
    people, was = on_it(session, slot_id), as_told(slot)
    slot.host = wish or None
    if slot.plan_id:  # or planning would reset it once nobody is booked
        session.merge(PlanException(plan_id=slot.plan_id, date=slot.date, host=slot.host))
    _write_down(session, slot, people, was, now, actor_id)
    return tell_change(session, slot, people, was, now) if now < slot.starts_at else ()


def _write_down(
    session: Session, slot: Slot, people: Sequence[Booking], was: dict[str, str], now: datetime, actor_id: int | None
) -> None:
    state, changed = slot.state, {"host": [was["host"], as_told(slot)["host"]]}
    record(session, "moved", now, actor_id=actor_id, slot=slot, before=state, after=state, changed=changed)
    for booking in people:  # waiting people have no calendar event that would change
        if booking.state != "waiting":
            record(session, "host_changed", now, actor_id=actor_id, slot=slot, booking=booking)
