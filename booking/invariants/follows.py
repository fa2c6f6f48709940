"""Follows, I7 for followed activities: a person follows one exactly if the last event about it says so."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.history import last_of
from booking.model import Event, Follow, Person


def follows(session: Session, _now: datetime) -> Iterator[str]:
    """The last word of each person's history about each activity, beside what is there."""
    there = {
        (person_id, activity_id)
        for person_id, activity_id in session.execute(select(Follow.person_id, Follow.activity_id))
    }
    last = last_of(("followed", "unfollowed"), Event.person_id, Event.details["activity"].as_integer())
    says = select(Event.person_id, Event.details["activity"].as_integer()).where(
        Event.id.in_(last), Event.kind == "followed", Person.deleted_at.is_(None)
    )
    told = {(*row,) for row in session.execute(says.join(Person, Person.id == Event.person_id))}
    for person_id, activity_id in sorted(there ^ told):
        follows = (person_id, activity_id) in there
        words = ("follows", "does not say so") if follows else ("does not follow", "says so")
        yield f"I7 person {person_id}: {words[0]} activity {activity_id}, their history {words[1]}"
