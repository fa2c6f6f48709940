"""Follows, I7 for followed activities: a person follows one exactly if the last event about it says so."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import Event, Follow, Person


def follows(session: Session, _now: datetime) -> Iterator[str]:
    """The last word of each person's history about each activity, beside what is there."""
    there = {
        (person_id, activity_id)
        for person_id, activity_id in session.execute(select(Follow.person_id, Follow.activity_id))
    }
    events = select(Event.person_id, Event.details, Event.kind).join(Person, Person.id == Event.person_id)
    words = events.where(Event.kind.in_(("followed", "unfollowed")), Person.deleted_at.is_(None)).order_by(Event.id)
    said = {(person_id, details["activity"]): kind for person_id, details, kind in session.execute(words)}
    told = {pair for pair, kind in said.items() if kind == "followed"}
    for person_id, activity_id in sorted(there ^ told):
        words_of = (
            ("follows", "does not say so") if (person_id, activity_id) in there else ("does not follow", "says so")
        )
        yield f"I7 person {person_id}: {words_of[0]} activity {activity_id}, their history {words_of[1]}"
