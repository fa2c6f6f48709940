"""Phone access: a person's whole phone number, for staff who have to call; every access is recorded in the history."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.history import record
from booking.model import Person


@transactional
def show_phone(session: Session, person_id: int, station_id: int, now: datetime, actor_id: int) -> str:
    """The whole number; the history records who asked."""
    person = session.get_one(Person, person_id)
    record(session, "phone_shown", now, actor_id=actor_id, station_id=station_id, person_id=person_id)
    return person.phone
