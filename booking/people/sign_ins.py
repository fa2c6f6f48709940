"""Sign-ins: the server side of a session: one row for each browser, which can be ended from here at once.

Sliding expiry: a sign-in of staff (a manager or an admin) ends after twelve idle hours, and every action extends it. A
worker's lasts thirty days. So `expires_at` alone says whether it is valid.
"""

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, or_, select, update
from sqlalchemy.orm import Session, scoped_session

from booking.db import pool, transactions
from booking.db.statements import CompiledStatement, param
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import SIGNED_IN, Manages, Oversees, Person, SecondFactor, SignedIn, SignIn
from booking.people import codes, login_throttle, suppression
from booking.people.validation import clean_email

SIGN_IN_LASTS = timedelta(days=30)
STAFF_IDLE = timedelta(hours=12)
RENEWED_EVERY = timedelta(minutes=10)  # an extended end is at least this much later than the one before
RENEWED_UNTIL = STAFF_IDLE - RENEWED_EVERY  # a staff sign-in that ends sooner is due for an extension


@dataclass(frozen=True)
class Attempt:
    """A try that has been counted, with what is needed to check it outside of the transaction."""

    failure_id: int | None  # none where the code has been counted and taken back
    person_id: int | None
    password_hash: str | None


class PendingSignIn(NamedTuple):
    """Somebody who has taken the first step of a sign-in and has a second factor; `proof` is what was proven."""

    person_id: int
    proof: str


@transactional
def attempt(
    session: Session, email: str, address: str, now: datetime, per_address: int = login_throttle.PER_ADDRESS
) -> Attempt:
    """Begin a sign-in by password: count it, and find the hash to check. An unknown address is treated the same."""
    with suppress(RuleViolation):  # what is no address is looked for, and counted, too
        email = clean_email(email)
    failure = login_throttle.reserve(session, email, address, now, per_address)
    known = (Person.email == email, Person.deleted_at.is_(None))
    found = session.execute(select(Person.id, Person.password_hash).where(*known)).first()
    return Attempt(failure.id, found.id, found.password_hash) if found else Attempt(failure.id, None, None)


@transactional
def attempt_by_code(
    session: Session,
    person_id: int,
    code: str,
    browser: str,
    address: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
) -> Attempt | None:
    """The same by a code that was mailed to somebody without a password. None for a wrong one, whose count must be
    committed too."""
    without = (Person.id == person_id, Person.password_hash.is_(None))
    email = session.scalar(select(Person.email).where(*without))
    if not (email and codes.redeem(session, email, "sign_in", code, browser, address, now, per_address)):
        return None
    return Attempt(None, person_id, None)


def confirm(session: Session, tried: Attempt) -> Person:
    """The password or the code fitted: take the failure back. Returns the person, locked. Raises `changed` if it fits no more."""
    if tried.person_id is None:
        raise RuleViolation("changed")
    codes.alone(session, tried.person_id)
    person = _locked(session, tried.person_id)
    if person.password_hash != tried.password_hash or person.deleted_at:
        raise RuleViolation("changed")
    if tried.failure_id is not None:
        login_throttle.take_back(session, tried.failure_id)
    return person


def person_of(session: Session | scoped_session[Any], email: str) -> int | None:
    """The id of the account with this e-mail address, for the log."""
    try:
        known = Person.email == clean_email(email)
    except RuleViolation:
        return None
    return session.scalar(select(Person.id).where(known))


@transactional
def complete(session: Session, tried: Attempt, agent: str, now: datetime) -> str | PendingSignIn:
    """The password fitted: sign in. Raises `disabled`, or `changed` if it fits no more."""
    return first_step(session, confirm(session, tried), agent, now)


@transactional
def with_code(
    session: Session,
    email: str,
    code: str,
    browser: str,
    address: str,
    agent: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
) -> str | PendingSignIn | None:
    """Sign in by a mailed code. None for a wrong code, whose count must be committed too."""
    if not codes.redeem(session, email, "sign_in", code, browser, address, now, per_address):
        return None
    person_id = session.scalar(select(Person.id).where(Person.email == clean_email(email)))
    if person_id is None:
        return None
    person = _locked(session, person_id)
    suppression.lift(session, person, now)
    return first_step(session, person, agent, now)


def first_step(session: Session, person: Person, agent: str, now: datetime) -> str | PendingSignIn:
    """Sign in a locked person: the token, or where they have a second factor what its step needs to know."""
    factor = session.get(SecondFactor, person.id, populate_existing=True)
    if factor is None or person.disabled_at:
        return begin(session, person, agent, now)
    return PendingSignIn(person.id, proof(person, factor))


def proof(person: Person, factor: SecondFactor) -> str:
    """A fingerprint of the password and the second factor: a new one of either ends every pending sign-in."""
    return hash_token(f"{person.id}|{person.password_hash}|{factor.seed}")[:32]


def begin(session: Session, person: Person, agent: str, now: datetime) -> str:
    """A new sign-in of a locked person. The token is returned once and stored only as a hash."""
    if person.disabled_at:
        raise RuleViolation("disabled")
    token = secrets.token_urlsafe(32)
    row = SignIn(
        person_id=person.id,
        token_hash=hash_token(token),
        agent=agent[:200],
        created_at=now,
        expires_at=now + (STAFF_IDLE if is_staff(session, person.id) else SIGN_IN_LASTS),
    )
    session.add(row)
    record(session, "signed_in", now, actor_id=person.id, person_id=person.id)
    return token


def find_sign_in(session: Session | scoped_session[Any], token: str, now: datetime) -> SignedIn | None:
    """The sign-in with this token, if it is still valid."""
    return find_sign_in_at(session.get_bind().engine, token, now)


def find_sign_in_at(engine: Engine, token: str, now: datetime) -> SignedIn | None:
    """The same without a session."""
    rows = pool.fetch(engine, _FIND, token_hash=hash_token(token), now=now, soon=now + RENEWED_UNTIL)
    return next((SignedIn(*row) for row in rows), None)


_FIND = CompiledStatement(
    select(*SIGNED_IN, SignIn.expires_at < param("soon"))
    .join(Person, SignIn.person_id == Person.id)
    .where(SignIn.token_hash == param("token_hash"), SignIn.lets_in(param("now")))
)


@transactional
def renew(session: Session, sign_in_id: int, now: datetime) -> None:
    """Extend a staff sign-in after an action, but not beyond the age limit of any sign-in, nor after it has ended."""
    until = now + STAFF_IDLE
    is_live = (SignIn.ended_at.is_(None), SignIn.expires_at > now, SignIn.created_at > until - SIGN_IN_LASTS)
    due = update(SignIn).where(SignIn.id == sign_in_id, *is_live, SignIn.expires_at < until - RENEWED_EVERY)
    session.execute(due.values(expires_at=until))


def was_idle(session: Session | scoped_session[Any], token: str, now: datetime) -> bool:
    """Whether this sign-in ended because it was idle."""
    row = session.scalar(select(SignIn).where(SignIn.token_hash == hash_token(token)))
    return row is not None and row.ended_at is None and row.expires_at <= now < row.created_at + SIGN_IN_LASTS


def fit_to_role(session: Session, person_id: int, now: datetime) -> None:
    """After a change of role, give existing sign-ins the expiry that they would have with the new one."""
    idles = is_staff(session, person_id)
    for row in sign_ins(session, person_id, now):
        row.expires_at = min(row.expires_at, now + STAFF_IDLE) if idles else row.created_at + SIGN_IN_LASTS


def sign_ins(session: Session | scoped_session[Any], person_id: int, now: datetime) -> Sequence[SignIn]:
    """The person's valid sign-ins, newest first."""
    live = SignIn.ended_at.is_(None) & (SignIn.expires_at > now)
    return session.scalars(select(SignIn).where(SignIn.person_id == person_id, live).order_by(SignIn.id.desc())).all()


@transactional
def end_sign_in(session: Session, person_id: int, sign_in_id: int, now: datetime) -> None:
    """End one sign-in of this person; another person's id does nothing."""
    _end(session, person_id, now, person_id, SignIn.id == sign_in_id)


@transactional
def end_sign_ins(
    session: Session, person_id: int, now: datetime, actor_id: int | None = None, but: int | None = None
) -> int:
    """End every sign-in of the person, except the one with the id `but`. Returns how many."""
    return _end(session, person_id, now, actor_id, *([SignIn.id != but] if but else []))


def end_everybodys_sign_ins(session: Session, now: datetime) -> int:
    """End all sign-ins there are. Returns how many."""
    live = update(SignIn).where(SignIn.ended_at.is_(None)).values(ended_at=now)
    return len(session.scalars(live.returning(SignIn.id)).all())


def _end(session: Session, person_id: int, now: datetime, actor_id: int | None, *which: Any) -> int:
    live = update(SignIn).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None), *which)
    ended = len(session.scalars(live.values(ended_at=now).returning(SignIn.id)).all())
    if ended:
        record(session, "signed_out", now, actor_id=actor_id, person_id=person_id, sign_ins=ended)
    return ended


def is_staff(session: Session | scoped_session[Any], person_id: int) -> bool:
    """Whether the person is a manager, oversees a part of a network, or is an admin."""
    held = (select(role).where(role.person_id == person_id).exists() for role in (Manages, Oversees))
    roles = or_(Person.is_admin, *held)
    return bool(session.scalar(select(roles).where(Person.id == person_id)))


def _locked(session: Session, person_id: int) -> Person:
    transactions.lock(session, people={person_id})
    return session.get_one(Person, person_id, populate_existing=True)


def hash_token(token: str) -> str:
    """The hash under which a sign-in's token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
