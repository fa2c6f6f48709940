"""Roles: who manages which station."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking.db.transactions import transactional
from booking.history import record
from booking.model import Manages, Person
from booking.people.accounts import alive, create
from booking.people.door_helpers import end_door
from booking.people.sign_ins import fit_to_role


@transactional
def appoint(session: Session, person_id: int, station_id: int, now: datetime, actor_id: int | None = None) -> None:
    """Make the person a manager of the station. Idempotent."""
    alive(session, person_id)
    if session.get(Manages, (person_id, station_id)) is None:
        session.add(Manages(person_id=person_id, station_id=station_id, since=now))
        fit_to_role(session, person_id, now)
        end_door.inside(session, station_id, person_id, now, actor_id)
        record(session, "appointed", now, actor_id=actor_id, person_id=person_id, station_id=station_id)


@transactional
def create_manager(
    session: Session, station_id: int, email: str, name: str, now: datetime, *, password_hash: str, language: str
) -> Person:
    """A new account that manages the station. Raises `email_taken`."""
    person = create.inside(session, email, name, now, password_hash=password_hash, language=language)
    appoint.inside(session, person.id, station_id, now)
    return person


@transactional
def dismiss(session: Session, person_id: int, station_id: int, now: datetime, actor_id: int | None = None) -> None:
    """Remove the person as manager of the station, from the next request on."""
    alive(session, person_id)
    end_door.inside(session, station_id, person_id, now, actor_id)
    if (role := session.get(Manages, (person_id, station_id))) is not None:
        session.delete(role)
        fit_to_role(session, person_id, now)
        record(session, "dismissed", now, actor_id=actor_id, person_id=person_id, station_id=station_id)
