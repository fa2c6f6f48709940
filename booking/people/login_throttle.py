"""Login throttle: rate limits that protect accounts, counted by account and by network client, in the database.

Every process counts in the same rows, under an advisory lock, so that any number of processes has one limit.
"""

import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.model import Code, Failure, Letter


class Limit(NamedTuple):
    """At most `most` within `span`."""

    most: int
    span: timedelta


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PER_ACCOUNT = (Limit(5, 15 * MINUTE), Limit(10, 24 * HOUR))
PER_ADDRESS = 20  # an hour; whole offices share an address, so it is a setting
DOOR_GUESSES = (Limit(10, MINUTE), Limit(60, HOUR))
DRAW_GUESSES = (Limit(5, 10 * MINUTE), Limit(20, 24 * HOUR))
LETTERS_ASKED = Limit(10, HOUR)
INVITATIONS_BY = Limit(30, 24 * HOUR)  # by one admin
INVITATIONS_TO = Limit(3, 24 * HOUR)  # to one address
# IPv4 clients that arrive as IPv6: mapped by the operating system, or translated by a provider's NAT64.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def reserve(session: Session, account: str, address: str, now: datetime, per_address: int = PER_ADDRESS) -> Failure:
    """Count one try as failed before it is made, so that parallel tries count too; a successful one is taken back.

    Raises `too_many_tries` with the instant `until`; an account that does not exist is counted the same.
    """
    key, address = account_key(account), client_network(address)
    transactions.advisory_lock(session, f"tries of {key}", f"tries from {address}")
    _stop(session, RuleViolation("too_many_tries"), Failure.at, Failure.account == key, PER_ACCOUNT, now)
    _stop(
        session,
        RuleViolation("too_many_tries"),
        Failure.at,
        Failure.address == address,
        [Limit(per_address, HOUR)],
        now,
    )
    failure = Failure(account=key, address=address, at=now)
    session.add(failure)
    session.flush()
    return failure


def take_back(session: Session, failure_id: int) -> None:
    session.execute(delete(Failure).where(Failure.id == failure_id))


def account_key(account: str) -> str:
    """Hashed, since people type passwords into the wrong field."""
    return hashlib.sha256(account.strip().lower().encode()).hexdigest()


@transactional
def guess_door_code(session: Session, who: str, now: datetime, *, right: bool) -> None:
    """Count a guess at the check-in code, unless it is right. Raises `too_many_tries`, also for a right one.

    A wrong one must be committed. The network client is not counted: a whole station shares one.
    """
    _guess(session, f"door code by {who}", DOOR_GUESSES, now, right=right)


@transactional
def guess_draw_code(session: Session, person_id: int, now: datetime, *, right: bool) -> None:
    """The same for the code of somebody who invites to a draw."""
    _guess(session, f"draw code by {person_id}", DRAW_GUESSES, now, right=right)


def _guess(session: Session, what: str, limits: Iterable[Limit], now: datetime, *, right: bool) -> None:
    key = account_key(what)
    transactions.advisory_lock(session, f"tries of {key}")
    _stop(session, RuleViolation("too_many_tries"), Failure.at, Failure.account == key, limits, now)
    if not right:
        session.add(Failure(account=key, address="", at=now))


def count_invitation(session: Session, actor_id: int | None, email: str, now: datetime) -> None:
    """Count a letter that invites somebody. Raises `too_many_invitations` when the inviter, if any, or the address had
    enough."""
    counted = [(f"invitations by {actor_id}", INVITATIONS_BY)] if actor_id else []
    for who, limit in (*counted, (f"invitations to {email}", INVITATIONS_TO)):
        key = account_key(who)
        transactions.advisory_lock(session, f"tries of {key}")
        _stop(session, RuleViolation("too_many_invitations"), Failure.at, Failure.account == key, [limit], now)
        session.add(Failure(account=key, address="", at=now))
        session.flush()


def ask_for_letter(session: Session, person_id: int, kind: str, now: datetime) -> None:
    """Raises `too_many_letters` when the person has sent themselves enough letters of this kind."""
    transactions.advisory_lock(session, f"letters of {kind} for person {person_id}")
    mine = (Letter.person_id == person_id) & (Letter.kind == kind)
    _stop(session, RuleViolation("too_many_letters"), Letter.created_at, mine, [LETTERS_ASKED], now)


def ask_for_code(session: Session, purpose: str, address: str, now: datetime, per_address: int) -> None:
    """Raises `too_many_codes` when this network client has asked for enough codes of the purpose."""
    transactions.advisory_lock(session, f"codes from {address}")
    theirs = (Code.address == address) & (Code.purpose == purpose)
    _stop(session, RuleViolation("too_many_codes"), Code.created_at, theirs, [Limit(per_address, HOUR)], now)


def client_network(address: str | None) -> str:
    """The key of a network client: its IPv4 address, or the IPv6 /64, of which one client may use every address."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return (address or "unknown")[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    inside = found.ipv4_mapped or (ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in NAT64 else None)
    return str(inside or ipaddress.ip_network((found, 64), strict=False))


def _stop(
    session: Session,
    no: RuleViolation,
    at: InstrumentedAttribute[datetime],
    which: ColumnElement[bool],
    limits: Iterable[Limit],
    now: datetime,
) -> None:
    for limit in limits:
        recent = select(at).where(which, at > now - limit.span).order_by(at.desc())
        oldest = session.scalar(recent.offset(limit.most - 1).limit(1))
        if oldest is not None:
            no.details["until"] = oldest + limit.span
            raise no
