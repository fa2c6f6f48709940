"""Overdue releases: they wait for the manager's decision, since our outage made them late or nobody took attendance."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking import seats
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Booking, Event, Slot


@transactional
def hold_release(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    """Hold slots for the manager instead of releasing their seats. Idempotent."""
    transactions.lock(session, slots=slot_ids)
    seats.settle(session, slot_ids, now)
    marked = 0
    for slot in transactions.lock(session, slots=slot_ids):
        if slot.state == "running" and not slot.released_at and not slot.release_held_at:
            slot.release_held_at = now
            record(session, "release_held", now, slot=slot)
            marked += 1
    return marked


@transactional
def release_held(session: Session, slot_id: int, now: datetime, actor_id: int) -> int:
    """Decision: release the seats of the people who did not come. Returns how many."""
    slot = session.get_one(Slot, slot_id)
    if slot.release_held_at is None or not (slot.state_at(now) == "running" or seats.awaits_word(slot, now)):
        return 0
    released = seats.release.inside(session, [slot_id], now, ordered=True)
    session.refresh(slot)
    if slot.released_at == now:  # released now, and not by an earlier request or the job
        record(session, "release_ordered", now, actor_id=actor_id, slot=slot)
    return released


@transactional
def everybody_came(session: Session, slot_id: int, now: datetime, actor_id: int) -> int:
    """Decision: everybody booked was there. Returns how many had not been checked in. Idempotent."""
    slot = _locked(session, slot_id)
    if may_take_back(session, slot):
        return 0
    return seats.everybody_came(session, _without_attendance(slot, now), now, actor_id)


@transactional
def take_back_word(session: Session, slot_id: int, now: datetime, actor_id: int) -> int:
    """Undo `everybody_came`. Returns how many are booked again. Idempotent."""
    slot = _locked(session, slot_id)
    return seats.not_everybody(session, slot, now, actor_id) if may_take_back(session, slot) else 0


@transactional
def did_not_happen(session: Session, slot_id: int, now: datetime, actor_id: int) -> Sequence[Booking]:
    """Decision: the slot did not take place. Everybody on it is told once, nobody is struck. Idempotent."""
    slot = _locked(session, slot_id)
    if slot.state == "cancelled":
        return ()
    told = seats.vacate(session, [_without_attendance(slot, now)], now, "", actor_id)
    record(session, "cancelled", now, actor_id=actor_id, slot=slot, before=slot.state, after="cancelled")
    slot.state = "cancelled"
    return told


def may_take_back(session: Session, slot: Slot) -> bool:
    """Whether the manager's last decision was that everybody came, and the slot is not closed yet."""
    if not slot.unattended or slot.released_at is None or slot.state != "running":
        return False
    words = (Event.slot_id == slot.id, Event.kind.in_(("all_came", "word_undone", "release_ordered")))
    return session.scalar(select(Event.kind).where(*words).order_by(Event.id.desc()).limit(1)) == "all_came"


def held_releases(session: Session, station_id: int, since: datetime) -> Sequence[Slot]:
    """The slots of a station held since then that nobody has released."""
    marked = select(Slot).where(
        Slot.station_id == station_id,
        Slot.starts_at > since,
        Slot.release_held_at.is_not(None),
        Slot.released_at.is_(None),
        Slot.state != "cancelled",
    )
    return session.scalars(marked.options(joinedload(Slot.activity)).order_by(Slot.starts_at, Slot.id)).all()


def _locked(session: Session, slot_id: int) -> Slot:
    return transactions.lock(session, slots={slot_id})[0]


def _without_attendance(slot: Slot, now: datetime) -> Slot:
    if not seats.awaits_word(slot, now):
        raise RuleViolation("attendance_known")
    return slot
