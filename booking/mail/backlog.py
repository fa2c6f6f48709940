"""Backlog: letters and digests that are due and not done, and letters that could not be delivered."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import monitoring
from booking.mail import digests, outbox
from booking.model import Letter, Person, Slot

# Older failures are not listed.
SHOWN_FOR = timedelta(days=7)
LONGEST_LIST = 100


def backlog(session: Session, now: datetime) -> dict[str, int]:
    """What each job should have done by now and has not. Cheap enough for a page: indexes answer it."""
    return {**monitoring.slot_backlog(session, now), **letters_due(session, now)}


def whole_backlog(session: Session, now: datetime) -> dict[str, int]:
    """The same with unwritten digests. It reads the bookings of everybody, so only the scheduler may call it."""
    unwritten = {kind: digests.to_write(session, digests.rounds(session, kind, now), now) for kind in digests.HOURS}
    return {**backlog(session, now), **{f"write_{kind}_digests": len(ids) for kind, ids in unwritten.items()}}


def letters_due(session: Session, now: datetime) -> dict[str, int]:
    """How many letters should have been sent by now."""
    due = select(outbox.CAN_WAIT, func.count(Letter.id)).where(outbox.WAITS, Letter.next_try_at <= now)
    counted = {bool(can_wait): count for can_wait, count in session.execute(due.group_by(outbox.CAN_WAIT))}
    stuck = select(func.count(Letter.id)).where(Letter.state == "sending", Letter.claimed_at < now - outbox.STUCK_AFTER)
    return {
        "send_letters": counted.get(False, 0),
        "send_digests": counted.get(True, 0),
        "take_up_stuck_letters": session.scalar(stuck) or 0,
    }


def failed(session: Session, now: datetime, station_id: int | None = None) -> Sequence[tuple[Letter, Person | None]]:
    """The failed letters with their readers, newest first: all, or those about one station's slots."""
    lately = (Letter.state == "failed", Letter.created_at > now - SHOWN_FOR)
    found = select(Letter, Person).outerjoin(Person, Person.id == Letter.person_id).where(*lately)
    if station_id is not None:
        found = found.join(Slot, Slot.id == Letter.slot_id).where(Slot.station_id == station_id)
    rows = session.execute(found.order_by(Letter.created_at.desc(), Letter.id.desc()).limit(LONGEST_LIST))
    return [(letter, person) for letter, person in rows]
