"""Consent, I7 for the privacy notice: each one stands in the history too, and a deleted account has none."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.model import Consent, Event, Person


def consents(session: Session, _now: datetime) -> Iterator[str]:
    told = exists().where(Event.person_id == Consent.person_id, Event.kind == "privacy_agreed", Event.at == Consent.at)
    rows = select(Consent.person_id, Person.deleted_at).join(Person, Person.id == Consent.person_id)
    for person_id, deleted_at in session.execute(rows.where(Person.deleted_at.is_not(None) | ~told)):
        yield f"I7 person {person_id}: a consent, its history says {'deleted' if deleted_at else 'none'}"
