"""How often somebody may try: failures counted by account and by network address, in the database."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking import store
from booking.model import Failure
from booking.refusals import Refused

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
PER_QUARTER, PER_DAY = 5, 10
PER_ADDRESS = 20  # an hour; whole offices share an address, so it can be set


def reserve(session: Session, account: str, address: str, now: datetime, per_address: int = PER_ADDRESS) -> Failure:
    """Count one try as failed before it is made; a good one is taken back. So parallel tries count too.

    Raises `too_many_tries` with the instant `until`; an account that does not exist is counted the same.
    """
    key = account_key(account)
    store.one_at_a_time(session, f"tries of {key}", f"tries from {address}")
    _stop(session, Failure.account, key, now, QUARTER, PER_QUARTER)
    _stop(session, Failure.account, key, now, DAY, PER_DAY)
    _stop(session, Failure.address, address, now, HOUR, per_address)
    failure = Failure(account=key, address=address, at=now)
    session.add(failure)
    session.flush()
    return failure


def take_back(session: Session, failure_id: int) -> None:
    session.execute(delete(Failure).where(Failure.id == failure_id))


def account_key(account: str) -> str:
    """Hashed: people type passwords into the wrong field."""
    return hashlib.sha256(account.strip().lower().encode()).hexdigest()


def _stop(
    session: Session, column: InstrumentedAttribute[str], value: str, now: datetime, span: timedelta, limit: int
) -> None:
    recent = select(Failure.at).where(column == value, Failure.at > now - span)
    oldest = session.scalar(recent.order_by(Failure.at.desc()).offset(limit - 1).limit(1))
    if oldest is not None:
        raise Refused("too_many_tries", until=oldest + span)
