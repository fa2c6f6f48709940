"""A whole phone number, for somebody who has to call: asking for it is written down."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking.history import record
from booking.model import Person


def show_phone(session: Session, person_id: int, station_id: int, now: datetime, actor_id: int) -> str:
    """The number, this once; the history says who asked."""
    person = session.get_one(Person, person_id)
    record(session, "phone_shown", now, actor_id=actor_id, station_id=station_id, person_id=person_id)
    return person.phone
