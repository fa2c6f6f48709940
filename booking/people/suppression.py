"""Suppression list: the people whom mail does not reach, and why. Who proves the address with a mailed code leaves it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, scoped_session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.history import record
from booking.model import Event, Person, Suppression
from booking.people import codes, login_throttle

PROVED = ("mail_resumed", "address_changed")  # events by which somebody shows that mail reaches them
# From the mildest to the strictest.
KINDS = ("soft", "hard")


@transactional
def suppress(session: Session, person_id: int, kind: str, reply: str, now: datetime) -> bool:
    """Put a person on the list, or make the entry stricter. False when nothing changes."""
    transactions.lock(session, people={person_id})
    person = session.get(Person, person_id, populate_existing=True)
    known = session.get(Suppression, person_id, populate_existing=True)
    if person is None or person.email is None or (known and KINDS.index(known.kind) >= KINDS.index(kind)):
        return False
    if known is None:
        known = Suppression(person_id=person_id, since=now)
        session.add(known)
    known.kind, known.reply = kind, reply
    record(session, "mail_stopped", now, person_id=person_id, reason=kind)
    return True


@transactional
def prove_address(
    session: Session,
    person_id: int,
    code: str,
    browser: str,
    address: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
) -> bool:
    """Take a person off the list who has read a code that was mailed to them. A wrong code must be committed too."""
    email = session.scalar(select(Person.email).where(Person.id == person_id))
    if not (email and codes.redeem(session, email, "sign_in", code, browser, address, now, per_address)):
        return False
    transactions.lock(session, people={person_id})
    lift(session, session.get_one(Person, person_id), now)
    return True


def lift(session: Session, person: Person, now: datetime) -> None:
    """Take a locked person off the list: mail reached them."""
    if known := session.get(Suppression, person.id, populate_existing=True):
        session.delete(known)
        record(session, "mail_resumed", now, actor_id=person.id, person_id=person.id)


def suppressed(session: Session | scoped_session[Any], person_id: int) -> Suppression | None:
    return session.get(Suppression, person_id, populate_existing=True)


def is_suppressed() -> ColumnElement[bool]:
    """Condition on `Person`."""
    return exists().where(Suppression.person_id == Person.id)


def last_proved(session: Session, person_id: int) -> datetime | None:
    """When mail last reached the person after it had not, or reached a new address. Letters of before say nothing more."""
    proved = (Event.person_id == person_id, Event.kind.in_(PROVED))
    return session.scalar(select(func.max(Event.at)).where(*proved))
