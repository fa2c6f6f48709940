"""Temporary roles, I7 for door helpers: a row is there exactly if the history says so, and lasts as long."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.history import last_of
from booking.model import DoorHelper, Event
from booking.people import retention

GRANTED, ENDED = "door_helper_granted", "door_helper_ended"


def door_helpers(session: Session, now: datetime) -> Iterator[str]:
    """The last word of the history on each helper of each station, beside what is there."""
    last = last_of((GRANTED, ENDED), Event.person_id, Event.station_id)
    said = {
        (row.person_id, row.station_id): datetime.fromisoformat(row.details["until"])
        for row in session.execute(
            select(Event.person_id, Event.station_id, Event.details).where(Event.id.in_(last), Event.kind == GRANTED)
        )
    }
    there = {(row.person_id, row.station_id): row.until for row in session.scalars(select(DoorHelper))}
    for key in sorted({*said, *there}):
        until = said.get(key)
        if there.get(key) != until and (key in there or (until and until > now - retention.DOOR_HELPERS)):
            yield f"I7 door helper {key[0]} of station {key[1]}: until {there.get(key)}, the history says {until}"
