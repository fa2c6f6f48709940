"""Codes by mail: six digits for one address, purpose and browser, valid once and for a quarter of an hour.

A code is valid only in the browser that asked for it: talking somebody into reading one out is of no use.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ScalarSelect, func, select, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.enqueue import enqueue
from booking.errors import RuleViolation
from booking.model import Code, Person
from booking.people import login_throttle
from booking.people.validation import clean_code, clean_email

GOOD_FOR = timedelta(minutes=15)
TRIES = 5
PER_HOUR = 5
PURPOSES = ("register", "reset", "sign_in")


@transactional
def ask_for_code(
    session: Session,
    email: str,
    purpose: str,
    language: str,
    now: datetime,
    browser: str,
    address: str,
    per_address: int = login_throttle.PER_ADDRESS,
    told: str = "",
) -> None:
    """Mail a code, if the address may have one. The rows, the time taken and the answer are the same if not.

    `browser` is the secret of the asking browser, `address` its network address, `told` what the letter says that the code
    is for, where that is not its purpose. Raises `too_many_codes` when the
    e-mail address or the network client has reached its hourly limit.
    """
    email, browser, address = clean_email(email), _hash(browser), login_throttle.client_network(address)
    transactions.advisory_lock(session, f"codes of {email}")
    _stop(session, email, now)
    login_throttle.ask_for_code(session, purpose, address, now, per_address)
    person = session.scalar(select(Person).where(Person.email == email, Person.deleted_at.is_(None)))
    code = f"{secrets.randbelow(10**6):06d}"
    wanted = (person is None) if purpose == "register" else (person is not None and person.disabled_at is None)
    _forget(session, email, purpose, browser, now)
    kept = code if wanted else secrets.token_hex()  # nobody can guess what was never mailed
    session.add(
        Code(
            email=email,
            purpose=purpose,
            browser=browser,
            address=address,
            code_hash=_hash(email, purpose, kept),
            created_at=now,
            expires_at=now + GOOD_FOR,
        )
    )
    if wanted:
        tongue = person.language if person else language
        enqueue(session, "code", now, to=email, language=tongue, code=code, purpose=told or purpose)
    elif purpose == "register" and person and person.disabled_at is None:
        enqueue(session, "already_registered", now, to=email, language=person.language)


def redeem(
    session: Session, email: str, purpose: str, code: str, browser: str, address: str, now: datetime, per_address: int
) -> bool:
    """Use up a code that this browser asked for. False counts as a failed try: commit it, do not raise.

    Raises `no_code` for what cannot be one, `code_used` for the right one pressed again, and `too_many_tries` when the
    network address has reached its limit of failures.
    """
    email, code = clean_email(email), clean_code(code)
    transactions.advisory_lock(session, f"codes of {email}")
    failure = login_throttle.reserve(session, f"{purpose} code of {email}", address, now, per_address)
    asked = (Code.email == email, Code.purpose == purpose, Code.browser == _hash(browser))
    newest = select(Code.id).where(*asked).order_by(Code.id.desc()).limit(1).scalar_subquery()
    alive = (Code.id == newest, Code.used_at.is_(None), Code.tries < TRIES, Code.expires_at > now)
    tried = session.execute(update(Code).where(*alive).values(tries=Code.tries + 1).returning(Code.id, Code.code_hash))
    found = tried.one_or_none()
    if found is None:
        _stop_used(session, newest, _hash(email, purpose, code), now)
    if found is None or not hmac.compare_digest(found.code_hash, _hash(email, purpose, code)):
        return False
    login_throttle.take_back(session, failure.id)
    return _use(session, found.id, now)


def alone(session: Session, person_id: int) -> None:
    """Block codes to this person's address until the transaction ends; call it before any row is locked."""
    if address := session.scalar(select(Person.email).where(Person.id == person_id)):
        transactions.advisory_lock(session, f"codes of {address}")


def _use(session: Session, code_id: int, now: datetime) -> bool:
    used = update(Code).where(Code.id == code_id, Code.used_at.is_(None)).values(used_at=now).returning(Code.id)
    return session.execute(used).one_or_none() is not None


def _stop_used(session: Session, newest: ScalarSelect[int], code_hash: str, now: datetime) -> None:
    """The answer to the first press may have been lost, so to call the code wrong would be untrue."""
    used = (Code.id == newest, Code.used_at.is_not(None), Code.code_hash == code_hash, Code.expires_at > now)
    if session.scalar(select(Code.id).where(*used)):
        raise RuleViolation("code_used")


def _forget(session: Session, email: str, purpose: str, browser: str, now: datetime) -> None:
    """Invalidate the same browser's earlier code; another browser cannot do that."""
    asked = (Code.email == email, Code.purpose == purpose, Code.browser == browser)
    session.execute(update(Code).where(*asked, Code.used_at.is_(None)).values(used_at=now))


def _stop(session: Session, email: str, now: datetime) -> None:
    recent = select(func.count(Code.id), func.min(Code.created_at)).where(
        Code.email == email, Code.created_at > now - timedelta(hours=1)
    )
    count, first = session.execute(recent).one()
    if count >= PER_HOUR:
        raise RuleViolation("too_many_codes", until=first + timedelta(hours=1))


def _hash(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
