"""Subscriptions: the kinds of letters that their reader can switch off, each by itself. They can wait for all others."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.history import record
from booking.model import Person
from booking.people import suppression

# The column by which each kind is switched off.
WANTED = {
    "worker_digest": "wants_digest",
    "manager_digest": "wants_manager_digest",
    "reminder": "wants_reminder",
}
KINDS = tuple(WANTED)


def wanted_by(person: Person, kind: str) -> bool:
    """Whether a person wants that kind of letter."""
    return bool(getattr(person, WANTED[kind]))


@transactional
def want(session: Session, person_id: int, kind: str, now: datetime, *, wanted: bool) -> None:
    """Subscribe a person to that kind of letter, or unsubscribe. Repeating it changes nothing, nor do deleted accounts."""
    person = session.get_one(Person, person_id)
    if wanted_by(person, kind) != wanted and person.deleted_at is None:
        setattr(person, WANTED[kind], wanted)
        record(session, "profile_changed", now, actor_id=person_id, person_id=person_id, changed=[WANTED[kind]])


def reads(kind: str) -> ColumnElement[bool]:
    """Whether a person is subscribed to that kind of letter and has an active account that mail reaches."""
    wants: ColumnElement[bool] = getattr(Person, WANTED[kind])
    active = and_(Person.email.is_not(None), Person.deleted_at.is_(None), Person.disabled_at.is_(None))
    return and_(active, wants, ~suppression.is_suppressed())
