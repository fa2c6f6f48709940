"""Roles: who manages which station."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Event, Manages, Person, Station
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
def dismiss(
    session: Session,
    person_id: int,
    station_id: int,
    now: datetime,
    actor_id: int | None = None,
    *,
    confirmed: bool = False,
) -> bool:
    """Remove the person as manager of the station, from the next request on. Idempotent: whether they were one.

    Raises `last_manager` where a station of a network would have none, unless that is `confirmed`.
    """
    hold_managers(session, station_id)
    alive(session, person_id)
    if not confirmed and is_last_manager(session, person_id, station_id):
        raise RuleViolation("last_manager")
    end_door.inside(session, station_id, person_id, now, actor_id)
    if (role := session.get(Manages, (person_id, station_id))) is not None:
        session.delete(role)
        fit_to_role(session, person_id, now)
        record(session, "dismissed", now, actor_id=actor_id, person_id=person_id, station_id=station_id)
    return role is not None


def was_dismissed(session: Session | scoped_session[Any], person_id: int, station_id: int) -> bool:
    """Whether the person managed the station once, until somebody ended it."""
    theirs = (Event.person_id == person_id, Event.station_id == station_id, Event.kind == "dismissed")
    return session.scalar(select(Event.id).where(*theirs).limit(1)) is not None


def hold_managers(session: Session, *station_ids: int) -> None:
    """Let nobody else decide who leaves these stations, until the transaction ends; before any person is locked."""
    transactions.advisory_lock(session, *(f"managers of {station_id}" for station_id in sorted(station_ids)))


def is_last_manager(session: Session, person_id: int, station_id: int) -> bool:
    """Whether an open station of a network has no other manager who can sign in. False for who does not manage it."""
    open_ = (Station.id == station_id, Station.centre_id.is_not(None), Station.closed_at.is_(None))
    able = (Person.disabled_at.is_(None), Person.deleted_at.is_(None))
    others = select(Manages.person_id).join(Person).where(Manages.station_id == station_id, *able)
    found = select(Station.id).where(*open_, ~others.where(Manages.person_id != person_id).exists())
    manages = select(Manages.person_id).where(Manages.station_id == station_id, Manages.person_id == person_id)
    return session.scalar(found.where(manages.exists())) is not None
