"""Bounces: letters that came back, by a report (`dsn`) or by the server's own reply, and whom mail does not reach.

A report counts only when it names the Message-ID of a letter that we tried to send lately: 128 random bits that nobody
but the letter's reader and the servers between has seen. So a forged report marks nobody. A letter counts once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from booking import clock
from booking.db import transactions
from booking.db.transactions import transactional
from booking.enqueue import ATTEMPTED
from booking.mail import dsn
from booking.mail.dsn import FailedRecipient, FailureReport
from booking.mail.smtp_replies import ABOUT_US, Meaning, classify, without_addresses
from booking.model import Booking, Bounce, Letter, Person, Suppression
from booking.people import suppression
from booking.sanitise import one_line

# Servers give up after five days; older letters' reports are not believed.
REPORTED_WITHIN = timedelta(days=14)
# Soft bounces on so many days of the last two weeks are more than a full mailbox.
SOFT_DAYS, SOFT_WITHIN = 3, timedelta(days=14)
SHOWN_FOR = timedelta(days=7)
KINDS = ("hard", "soft", "sender", "unmatched")
LONGEST_REPLY = 300


class BounceOutcome(StrEnum):
    """What became of a report. The first four are the kinds of `Bounce`."""

    HARD = "hard"
    SOFT = "soft"
    SENDER = "sender"
    UNMATCHED = "unmatched"
    KNOWN = "known"  # the letter is counted already, or mail has reached its reader since
    NOBODY = "nobody"  # its reader has no account
    IGNORED = "ignored"  # no report of a failure


def receive(session: Session | scoped_session[Any], raw: bytes, now: datetime) -> BounceOutcome:
    """Read one message, whatever it is."""
    report = dsn.read(raw)
    return take(session, report, now) if report else BounceOutcome.IGNORED


@transactional
def take(session: Session, report: FailureReport, now: datetime) -> BounceOutcome:
    """Count the letter that a report is about, and stop mail to its reader where that is due. Safe to repeat."""
    letter = _letter(session, report.letters, now)
    if letter is None:
        transactions.advisory_lock(session, f"bounce {report.key}")
        return (
            BounceOutcome.UNMATCHED if _keep(session, report.key, None, "unmatched", "", now) else BounceOutcome.KNOWN
        )
    person = _reader(session, letter)
    if person is None:
        _note_lost_invitation(letter, report)
        return BounceOutcome.NOBODY
    failure, meaning = _reason(report.failures, person.email or "")
    return _count(session, letter, person, _kind(failure, meaning, person.email or ""), failure.said, now)


@transactional
def refused(session: Session, letter_id: int, meaning: Meaning, said: str, now: datetime) -> BounceOutcome:
    """The same for a letter that the server itself refused for good."""
    letter = session.get_one(Letter, letter_id)
    person = _reader(session, letter)
    kind = BounceOutcome.HARD if meaning is Meaning.ADDRESS else BounceOutcome.SOFT
    return _count(session, letter, person, kind, said, now) if person else BounceOutcome.NOBODY


def lately(session: Session, now: datetime) -> dict[str, int]:
    """How many letters came back in the last seven days, by kind."""
    found = select(Bounce.kind, func.count()).where(Bounce.at > now - SHOWN_FOR).group_by(Bounce.kind)
    counted = dict(session.execute(found).all())
    return {kind: counted.get(kind, 0) for kind in KINDS} if counted else {}


def unreached(session: Session, station_id: int | None = None) -> int:
    """How many people mail does not reach: all, or those with a booking at a station."""
    found = select(func.count(Suppression.person_id))
    if station_id is not None:
        found = found.where(
            Suppression.person_id.in_(select(Booking.person_id).where(Booking.station_id == station_id))
        )
    return session.scalar(found) or 0


def _letter(session: Session, message_ids: Iterable[str], now: datetime) -> Letter | None:
    """The letter with one of these Message-IDs, if it was tried lately."""
    tried = func.coalesce(Letter.sent_at, Letter.next_try_at) > now - REPORTED_WITHIN
    named = select(Letter).where(Letter.message_id.in_(sorted(message_ids)), ATTEMPTED, tried)
    return session.scalars(named.order_by(Letter.id).limit(1)).first()


def _reader(session: Session, letter: Letter) -> Person | None:
    """The account with the address to which the letter was sent."""
    whose = Person.id == letter.person_id if letter.person_id else Person.email == letter.to
    return session.scalars(select(Person).where(whose, Person.email.is_not(None), Person.deleted_at.is_(None))).first()


def _note_lost_invitation(letter: Letter, report: FailureReport) -> None:
    """Whoever invited an address without an account is shown that the letter came back."""
    failure, meaning = _reason(report.failures, letter.to or "")
    if letter.kind == "manager_invitation" and _kind(failure, meaning, letter.to or "") is not BounceOutcome.SENDER:
        letter.state, letter.error = "failed", _reply(failure.said)


def _reply(said: str) -> str:
    return without_addresses(one_line(said))[:LONGEST_REPLY]


def _reason(failures: Iterable[FailedRecipient], email: str) -> tuple[FailedRecipient, Meaning]:
    """The failure that is about the address, else the first that says anything clear."""
    read = [(one, classify(one.code, one.said)) for one in failures] or [
        (FailedRecipient(frozenset(), 0, ""), Meaning.UNCLEAR)
    ]
    named = [pair for pair in read if email in pair[0].addresses]
    clear = [pair for pair in named or read if pair[1] is not Meaning.UNCLEAR]
    return (clear or named or read)[0]


def _kind(failure: FailedRecipient, meaning: Meaning, email: str) -> BounceOutcome:
    """An address behind ours, to which its owner forwards, may be gone while ours is not."""
    if meaning in ABOUT_US:
        return BounceOutcome.SENDER
    is_ours = not failure.addresses or email in failure.addresses
    return BounceOutcome.HARD if meaning is Meaning.ADDRESS and is_ours else BounceOutcome.SOFT


def _count(
    session: Session, letter: Letter, person: Person, kind: BounceOutcome, said: str, now: datetime
) -> BounceOutcome:
    transactions.lock(session, people={person.id})
    proved = suppression.last_proved(session, person.id)
    if proved and (letter.sent_at or letter.created_at) <= proved:
        return BounceOutcome.KNOWN
    reply = _reply(said)
    if not _keep(session, letter.message_id, person.id, kind.value, reply, now):
        return BounceOutcome.KNOWN
    if kind is BounceOutcome.HARD or (
        kind is BounceOutcome.SOFT and _soft_days(session, person.id, proved, now) >= SOFT_DAYS
    ):
        suppression.suppress.inside(session, person.id, kind.value, reply, now)
    return kind


def _keep(session: Session, key: str, person_id: int | None, kind: str, reply: str, now: datetime) -> bool:
    """Write one bounce; False when the key is there."""
    if session.get(Bounce, key):
        return False
    session.add(Bounce(key=key, person_id=person_id, kind=kind, at=now, reply=reply))
    session.flush()
    return True


def _soft_days(session: Session, person_id: int, proved: datetime | None, now: datetime) -> int:
    since = max(now - SOFT_WITHIN, proved) if proved else now - SOFT_WITHIN
    soft = (Bounce.person_id == person_id, Bounce.kind == "soft", Bounce.at > since)
    return len(
        {clock.at_station(at, clock.COUNTRY_ZONE).date() for at in session.scalars(select(Bounce.at).where(*soft))}
    )
