"""Releases that our own outage made late: nobody loses a seat for it unless the station's manager says so."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking import seats, store
from booking.history import record
from booking.model import Slot


def hold_release(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    """Mark slots instead of releasing their seats. Twice is once."""
    marked = 0
    for slot in store.lock(session, slots=slot_ids):
        if slot.state == "running" and not slot.released_at and not slot.release_held_at:
            slot.release_held_at = now
            record(session, "release_held", now, slot=slot)
            marked += 1
    return marked


def release_held(session: Session, slot_id: int, now: datetime, actor_id: int) -> int:
    """The manager's word: release the seats of those who are not there after all. Returns how many."""
    slot = session.get_one(Slot, slot_id)
    if slot.release_held_at is None or slot.state_at(now) != "running":
        return 0
    released = seats.release(session, [slot_id], now)
    record(session, "release_ordered", now, actor_id=actor_id, slot=slot)
    return released


def held_releases(session: Session, station_id: int, since: datetime) -> Sequence[Slot]:
    """The slots of a station that were marked since then, and that nobody has released."""
    marked = select(Slot).where(
        Slot.station_id == station_id,
        Slot.starts_at > since,
        Slot.release_held_at.is_not(None),
        Slot.released_at.is_(None),
    )
    return session.scalars(marked.options(joinedload(Slot.activity)).order_by(Slot.starts_at, Slot.id)).all()
