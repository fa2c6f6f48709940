"""Backoff: how long all sending pauses after answers that concern the sender and not a single letter.

Stored in the database, so that neither a restart nor a new leader tries earlier. The next success ends the pause.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.mail.smtp_replies import without_addresses
from booking.model import MailPause

SENDER = "smtp"
# After so many unclear refusals in a row the cause is taken to be the sender, not the letters.
PATIENCE = 5
# Length of the first, second, … pause since the last success. An unreachable server causes none: each letter is
# retried on its own schedule.
RESTS = {
    "throttled": [timedelta(minutes=m) for m in (1, 5, 15, 30, 60)],
    "setup": [timedelta(minutes=m) for m in (1, 5, 15)],
    "unclear": [timedelta(minutes=m) for m in (1, 2, 5)],
}
# Kinds that need a person to act.
NEEDS_A_PERSON = {"setup", "unreachable"}


class Trouble(NamedTuple):
    """Why a round ended early: a kind of `MailPause`, and the server's reply."""

    kind: str
    reply: str


def current(session: Session) -> MailPause | None:
    """The obstacle since the last success, if there is one."""
    return session.get(MailPause, SENDER, populate_existing=True)


def shown(session: Session) -> MailPause | None:
    """The same for the status pages, which do not report a few unclear refusals."""
    pause = current(session)
    return pause if pause and (pause.rests or pause.kind in NEEDS_A_PERSON) else None


def rests(pause: MailPause | None, now: datetime) -> bool:
    return pause is not None and now < pause.until


def refused(session: Session, trouble: Trouble, refusals: int, now: datetime) -> None:
    """Record so many more refusals in a row and pause, longer each time since the last success."""
    transactions.advisory_lock(session, "mail_pause")
    pause = current(session)
    if rests(pause, now):  # another sender has recorded the same answer meanwhile
        return
    if pause is None:
        pause = MailPause(sender=SENDER, since=now, until=now, refusals=0, rests=0)
        session.add(pause)
    pause.kind, pause.reply = trouble.kind, without_addresses(trouble.reply)[:300]
    pause.refusals += refusals
    if trouble.kind in RESTS and (trouble.kind != "unclear" or pause.refusals >= PATIENCE):
        lengths = RESTS[trouble.kind]
        pause.until = now + lengths[min(pause.rests, len(lengths) - 1)]
        pause.rests, pause.refusals = pause.rests + 1, 0


def succeeded(session: Session) -> None:
    """A letter was accepted: remove the pause."""
    session.execute(delete(MailPause))


@transactional
def wake(session: Session, now: datetime) -> bool:
    """End the pause now, by a person's wish. False when there is none."""
    woken = update(MailPause).where(MailPause.sender == SENDER).values(until=now)
    return session.scalar(woken.returning(MailPause.sender)) is not None
