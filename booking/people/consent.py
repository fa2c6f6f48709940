"""Consent to the privacy notice: given when registering, or later on one's own pages. Nobody is locked out for lack of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.history import record
from booking.model import Consent

# The date of the text in templates/privacy.html. Whoever agreed to an earlier one is asked once more.
PRIVACY_VERSION = "2026-12-01"


@transactional
def agree(session: Session, person_id: int, version: str, now: datetime) -> bool:
    """Record that the person agrees. False for another version than today's: they have read a text that has changed."""
    if version != PRIVACY_VERSION:
        return False
    transactions.lock(session, people={person_id})
    if session.get(Consent, (person_id, version), populate_existing=True) is None:
        session.add(Consent(person_id=person_id, version=version, at=now))
        record(session, "privacy_agreed", now, actor_id=person_id, person_id=person_id, version=version)
    return True


def agreed_version(session: Session | scoped_session[Any], person_id: int) -> str:
    """The newest version that the person agreed to; empty for none."""
    versions = select(Consent.version).where(Consent.person_id == person_id)
    return session.scalar(versions.order_by(Consent.version.desc()).limit(1)) or ""
