"""Waiting list, I6 for the present: no seat stays free over a minute while somebody eligible waits in phase (a)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from booking.model import HOLDING, Booking, Event, Slot
from booking.seats.eligibility import eligibility, personal

MINUTE = timedelta(seconds=60)


def idle_seats(session: Session, now: datetime) -> Iterator[str]:
    since = now - MINUTE
    moved = exists().where(
        Event.slot_id == Slot.id,
        Event.at > since,
        or_(Event.before.in_(HOLDING), Event.after.in_(HOLDING), Event.kind.in_(("capacity", "policy"))),
    )
    idle = and_(Slot.taken < Slot.capacity, Slot.waiting > 0, Slot.waitlist_until > now, Slot.opens_at <= since, ~moved)
    for slot in session.scalars(select(Slot).where(idle, Slot.state.in_(("planned", "open"))).order_by(Slot.id)):
        for entry in _waiting(session, slot, since):
            if _could_sit(session, slot, entry, since, now):
                yield f"I6 slot {slot.id}: a seat is free and booking {entry.id} waits"
                break


def _waiting(session: Session, slot: Slot, since: datetime) -> list[Booking]:
    joined = select(Booking).where(Booking.slot_id == slot.id, Booking.state == "waiting", Booking.created_at <= since)
    return list(session.scalars(joined.order_by(Booking.waitlist_position)))


def _could_sit(session: Session, slot: Slot, entry: Booking, since: datetime, now: datetime) -> bool:
    """Whether the person may have the seat now and might have had it a minute ago."""
    changed = exists().where(Event.person_id == entry.person_id, Event.at > since)
    if session.scalar(select(changed)):
        return False
    looks = (eligibility(session, entry.person_id, slot.station, slot.date, moment) for moment in (since, now))
    return all(personal(slot, who) is None for who in looks)
