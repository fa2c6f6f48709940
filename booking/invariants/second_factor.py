"""Second factor, I7 for sign-ins: a person has one exactly if their history says so, and a deleted account has none."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.history import last_of
from booking.model import Event, Person, SecondFactor

TURNED_ON, TURNED_OFF = "second_factor_on", ("second_factor_off", "second_factor_reset")


def second_factors(session: Session, _now: datetime) -> Iterator[str]:
    """The last word of each person's history, beside what is there."""
    words = last_of((TURNED_ON, *TURNED_OFF))
    last = select(Event.person_id, Event.kind).where(Event.id.in_(words)).subquery()
    rows = (
        select(Person.id, Person.deleted_at, SecondFactor.person_id.is_not(None), last.c.kind)
        .outerjoin(SecondFactor, SecondFactor.person_id == Person.id)
        .outerjoin(last, last.c.person_id == Person.id)
        .where(SecondFactor.person_id.is_not(None) | last.c.person_id.is_not(None))
    )
    for person_id, deleted_at, has_one, word in session.execute(rows.order_by(Person.id)):
        if has_one and (deleted_at or word != TURNED_ON):
            yield f"I7 person {person_id}: a second factor, its history says {'deleted' if deleted_at else 'off'}"
        if not has_one and not deleted_at and word == TURNED_ON:
            yield f"I7 person {person_id}: no second factor, its history says on"
