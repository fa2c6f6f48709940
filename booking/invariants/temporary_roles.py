"""Temporary roles, I7 for door helpers: a row is there exactly if the history says so, and lasts as long."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.model import DoorHelper, Event

GRANTED, ENDED = "door_helper_granted", "door_helper_ended"
FORGOTTEN = timedelta(days=30)  # after its end, `people/retention.py`


def door_helpers(session: Session, now: datetime) -> Iterator[str]:
    """The last word of the history on each helper of each station, beside what is there."""
    newest = select(func.max(Event.id)).where(Event.kind.in_((GRANTED, ENDED)))
    last = newest.group_by(Event.person_id, Event.station_id)
    said = {
        (row.person_id, row.station_id): datetime.fromisoformat(row.details["until"])
        for row in session.execute(
            select(Event.person_id, Event.station_id, Event.details).where(Event.id.in_(last), Event.kind == GRANTED)
        )
    }
    there = {(row.person_id, row.station_id): row.until for row in session.scalars(select(DoorHelper))}
    for key in sorted({*said, *there}):
        until = said.get(key)
        if there.get(key) != until and (key in there or (until and until > now - FORGOTTEN)):
            yield f"I7 door helper {key[0]} of station {key[1]}: until {there.get(key)}, the history says {until}"
