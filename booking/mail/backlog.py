"""The mail as people watch it: what is due and not done, and what could not be delivered."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import monitoring
from booking.mail import digests, outbox
from booking.model import Letter, Person, Slot

# Older failures are news to nobody.
SHOWN_FOR = timedelta(days=7)
LONGEST_LIST = 100


def backlog(session: Session, now: datetime) -> dict[str, int]:
    """What each job should have done by now and has not: what a page may ask, for it is counted by indexes."""
    return {**monitoring.slot_backlog(session, now), **letters_due(session, now)}


def whole_backlog(session: Session, now: datetime) -> dict[str, int]:
    """The same with the digests. Who has news today is a question about everybody: only the scheduler may ask it."""
    unwritten = {kind: digests.to_write(session, digests.rounds(session, kind, now), now) for kind in digests.HOURS}
    return {**backlog(session, now), **{f"write_{kind}_digests": len(ids) for kind, ids in unwritten.items()}}


def letters_due(session: Session, now: datetime) -> dict[str, int]:
    """How many letters should have gone by now."""
    due = select(outbox.IS_DIGEST, func.count(Letter.id)).where(Letter.state == "queued", Letter.next_try_at <= now)
    counted = {bool(digest): count for digest, count in session.execute(due.group_by(outbox.IS_DIGEST))}
    stuck = select(func.count(Letter.id)).where(Letter.state == "sending", Letter.claimed_at < now - outbox.STUCK_AFTER)
    return {
        "send_letters": counted.get(False, 0),
        "send_digests": counted.get(True, 0),
        "take_up_stuck_letters": session.scalar(stuck) or 0,
    }


def failed(session: Session, now: datetime, station_id: int | None = None) -> Sequence[tuple[Letter, Person | None]]:
    """The letters that will not arrive, with their readers, the newest first: all, or those about one station's slots."""
    lately = (Letter.state == "failed", Letter.created_at > now - SHOWN_FOR)
    found = select(Letter, Person).outerjoin(Person, Person.id == Letter.person_id).where(*lately)
    if station_id is not None:
        found = found.join(Slot, Slot.id == Letter.slot_id).where(Slot.station_id == station_id)
    rows = session.execute(found.order_by(Letter.created_at.desc(), Letter.id.desc()).limit(LONGEST_LIST))
    return [(letter, person) for letter, person in rows]
