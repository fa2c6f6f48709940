"""Outbox, I5, and what can be checked of I3 afterwards: one digest each, no stuck letter, no false confirmation."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from booking.history import last_of
from booking.model import Digest, Event, Letter, Person, Suppression

STUCK = timedelta(minutes=10)
# The kinds of letters about a seat, and the events behind each.
PROMISES = {
    "confirmed": ("booked", "reserved", "drawn"),
    "promoted": ("promoted",),
    "booking_removed": ("removed",),
    "reminder": ("booked", "reserved", "promoted", "drawn"),
}


def letters(session: Session, now: datetime) -> Iterator[str]:
    who = (Digest.person_id, Digest.kind, Digest.date)
    for person_id, kind, day in session.execute(select(*who).group_by(*who).having(func.count(Digest.id) > 1)):
        yield f"I5 person {person_id}: more than one {kind} digest of {day}"
    twice = select(Letter.booking_id).where(Letter.kind == "reminder").group_by(Letter.booking_id)
    for booking_id in session.scalars(twice.having(func.count(Letter.id) > 1).order_by(Letter.booking_id)):
        yield f"I5 booking {booking_id}: more than one reminder"
    stuck = or_(Letter.claimed_at.is_(None), Letter.claimed_at < now - STUCK)
    for letter_id in session.scalars(select(Letter.id).where(Letter.state == "sending", stuck).order_by(Letter.id)):
        yield f"I5 letter {letter_id}: stuck in sending"
    yield from _promises(session)
    yield from _suppressions(session)


def _promises(session: Session) -> Iterator[str]:
    """I3: everybody who was told of a seat, or of its loss, has it in the history."""
    for kind, events in PROMISES.items():
        kept = exists().where(
            Event.slot_id == Letter.slot_id, Event.booking_id == Letter.booking_id, Event.kind.in_(events)
        )
        broken = select(Letter.id, Letter.person_id, Letter.slot_id).where(Letter.kind == kind, ~kept)
        for letter_id, person_id, slot_id in session.execute(broken.order_by(Letter.id)):
            yield f"I3 letter {letter_id}: {kind} to person {person_id} for slot {slot_id}, but the history has none"


def _suppressions(session: Session) -> Iterator[str]:
    """I7: mail to a person is stopped if, and only if, the last event about it says so."""
    newest = last_of(("mail_stopped", "mail_resumed"))
    stopped = select(Event.person_id).where(Event.id.in_(newest), Event.kind == "mail_stopped")
    told = set(session.scalars(stopped.join(Person, Person.id == Event.person_id).where(Person.deleted_at.is_(None))))
    listed = set(session.scalars(select(Suppression.person_id)))
    for person_id in sorted(one for one in listed ^ told if one):
        words = ("stopped", "does not say so") if person_id in listed else ("not stopped", "says so")
        yield f"I7 person {person_id}: mail to them is {words[0]}, their history {words[1]}"
