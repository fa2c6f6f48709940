"""Held letters: what a restore found in the outbox. They may have been sent after the backup, so an admin decides.

`Letter.held_at` is kept when they are discarded, because their readers may have them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from booking.db.transactions import NO_SYNC, transactional
from booking.history import record
from booking.mail.outbox import SECRET
from booking.model import Letter

HELD = (Letter.state == "queued", Letter.held_at.is_not(None))
DISCARDED = "discarded after a restore"


class HeldKind(NamedTuple):
    """Held letters of one kind: how many, and when the oldest and the newest were written."""

    kind: str
    letters: int
    oldest: datetime
    newest: datetime


def hold(session: Session, now: datetime) -> int:
    """Hold every letter that is not sent, also one whose sender had claimed it. Codes are dropped: they have expired."""
    unsent = update(Letter).where(Letter.state.in_(("queued", "sending")))
    codes = unsent.where(Letter.kind.in_(SECRET)).values(state="dropped", details={}, claimed_at=None, error=DISCARDED)
    session.execute(codes, execution_options=NO_SYNC)
    new = unsent.where(or_(Letter.held_at.is_(None), Letter.state == "sending"))
    held = new.values(state="queued", claimed_at=None, held_at=now).returning(Letter.id)
    return len(session.scalars(held, execution_options=NO_SYNC).all())


@transactional
def let_go(session: Session, now: datetime, actor_id: int | None = None) -> int:
    """Send all held letters: they are queued as if they were new. Returns how many."""
    queued = update(Letter).where(*HELD).values(held_at=None, next_try_at=now, tries=0)
    count = len(session.scalars(queued.returning(Letter.id), execution_options=NO_SYNC).all())
    if count:
        record(session, "letters_let_go", now, actor_id=actor_id, letters=count)
    return count


@transactional
def discard(session: Session, now: datetime, actor_id: int | None = None) -> int:
    """Drop all held letters. Returns how many."""
    dropped = update(Letter).where(*HELD).values(state="dropped", error=DISCARDED)
    count = len(session.scalars(dropped.returning(Letter.id), execution_options=NO_SYNC).all())
    if count:
        record(session, "letters_discarded", now, actor_id=actor_id, letters=count)
    return count


def by_kind(session: Session) -> Sequence[HeldKind]:
    """What is held, the most frequent kind first."""
    letters = func.count(Letter.id)
    found = select(Letter.kind, letters, func.min(Letter.created_at), func.max(Letter.created_at)).where(*HELD)
    return [
        HeldKind(*row) for row in session.execute(found.group_by(Letter.kind).order_by(letters.desc(), Letter.kind))
    ]


def count(session: Session) -> int:
    return session.scalar(select(func.count(Letter.id)).where(*HELD)) or 0
