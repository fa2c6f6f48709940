"""Backoff: how long the whole sender rests after answers that are about us, not about a letter.

Kept in the database, so that neither a restart nor another leader tries earlier. The next success ends it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.mail.smtp_replies import without_addresses
from booking.model import MailPause

SENDER = "smtp"
# After so many unclear refusals in a row it is the server that wants a rest, not the letters.
PATIENCE = 5
# How long the first, the second, … rest since the last success lasts. A server that nobody reaches is asked by each
# letter at its own pace.
RESTS = {
    "throttled": [timedelta(minutes=m) for m in (1, 5, 15, 30, 60)],
    "setup": [timedelta(minutes=m) for m in (1, 5, 15)],
    "unclear": [timedelta(minutes=m) for m in (1, 2, 5)],
}
# What a person has to look at.
NEEDS_A_PERSON = {"setup", "unreachable"}


class Trouble(NamedTuple):
    """Why a round ended early: a kind of `MailPause`, and what the server said."""

    kind: str
    reply: str


def current(session: Session) -> MailPause | None:
    """What has kept the mail from leaving since its last success."""
    return session.get(MailPause, SENDER, populate_existing=True)


def shown(session: Session) -> MailPause | None:
    """The same for people and machines that watch; a few unclear refusals are no news yet."""
    pause = current(session)
    return pause if pause and (pause.rests or pause.kind in NEEDS_A_PERSON) else None


def rests(pause: MailPause | None, now: datetime) -> bool:
    return pause is not None and now < pause.until


def refused(session: Session, trouble: Trouble, refusals: int, now: datetime) -> None:
    """Note so many more refusals in a row, and rest, the longer the more often nothing else has helped."""
    transactions.advisory_lock(session, "mail_pause")
    pause = current(session)
    if rests(pause, now):  # another sender has heard the same meanwhile
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
    """A letter was taken: nothing keeps the others."""
    session.execute(delete(MailPause))


def wake(session: Session, now: datetime) -> bool:
    """A person wants the sender to try now. False when nothing keeps it."""
    woken = update(MailPause).where(MailPause.sender == SENDER).values(until=now)
    return session.scalar(woken.returning(MailPause.sender)) is not None
