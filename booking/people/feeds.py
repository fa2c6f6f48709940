"""Calendar feeds: the secret address at which calendar programs read a person's seats, until it is closed."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, scoped_session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.enqueue import enqueue
from booking.history import record
from booking.model import Booking, Feed, Person
from booking.people.accounts import alive
from booking.people.login_throttle import ask_for_letter


@transactional
def open_feed(session: Session, person_id: int, now: datetime) -> str:
    """A new secret of 43 characters, returned once and stored only as a hash. An older one becomes invalid."""
    transactions.lock(session, people={person_id})
    alive(session, person_id)
    session.execute(delete(Feed).where(Feed.person_id == person_id))
    token = secrets.token_urlsafe(32)
    session.add(Feed(person_id=person_id, token_hash=_hash(token), made_at=now))
    record(session, "feed_opened", now, actor_id=person_id, person_id=person_id)
    return token


@transactional
def close_feed(session: Session, person_id: int, now: datetime) -> None:
    """Close the address at once. Idempotent."""
    gone = delete(Feed).where(Feed.person_id == person_id).returning(Feed.person_id)
    if session.scalars(gone).all():
        record(session, "feed_closed", now, actor_id=person_id, person_id=person_id)


@transactional
def mail_calendar(session: Session, booking: Booking, now: datetime) -> None:
    """Mail a booking's calendar entry to its person. Raises `too_many_letters`."""
    ask_for_letter(session, booking.person_id, "calendar", now)
    who, slot_id = booking.person_id, booking.slot_id
    enqueue(session, "calendar", now, person_id=who, slot_id=slot_id, booking_id=booking.id)


def feed_of(session: Session | scoped_session[Any], person_id: int) -> Feed | None:
    return session.get(Feed, person_id)


def whose_feed(session: Session | scoped_session[Any], token: str) -> Person | None:
    """Whose calendar this secret opens; None for an unknown one, or when the person is deleted or disabled."""
    found = select(Person).join(Feed, Feed.person_id == Person.id).where(Feed.token_hash == _hash(token))
    return session.scalar(found.where(Person.deleted_at.is_(None), Person.disabled_at.is_(None)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
