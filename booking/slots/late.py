"""Releases that our own outage made late: nobody loses a seat for it unless the station's manager says so."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking import seats, store
from booking.history import record
from booking.model import Slot

# The clock releases within seconds. After so many minutes people have been seated by hand, or have gone.
TOO_LATE = timedelta(minutes=5)


def too_late_to_release(session: Session, slot_id: int, now: datetime) -> bool:
    slot = session.get_one(Slot, slot_id)
    return now > slot.release_at + TOO_LATE


def hold_release(session: Session, slot_id: int, now: datetime) -> int:
    """Mark a slot instead of releasing its seats: its manager decides. Twice is once."""
    slot = store.lock(session, slots={slot_id})[0]
    if slot.state != "running" or slot.released_at or slot.release_held_at:
        return 0
    slot.release_held_at = now
    record(session, "release_held", now, slot=slot)
    return 1


def release_held(session: Session, slot_id: int, now: datetime, actor_id: int) -> int:
    """The manager's word: release the seats of those who are not there after all. Returns how many."""
    slot = session.get_one(Slot, slot_id)
    if slot.release_held_at is None or slot.state_at(now) != "running":
        return 0
    released = seats.release(session, slot_id, now)
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
