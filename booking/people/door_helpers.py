"""Door helpers: people who check in at a station for a day, until midnight there.

The role ends by itself; its row stays for a month, so that it is renewed with one tap. Expiry writes no event: the
history has `until` of each grant.
"""

from datetime import datetime, time
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, scoped_session

from booking import clock, workdays
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import DoorHelper, Event, Manages, Person, Station
from booking.people.accounts import alive
from booking.people.sign_ins import person_of
from booking.workdays import LOOK_AHEAD, ONE_DAY


@transactional
def grant_door(session: Session, station_id: int, email: str, now: datetime, actor_id: int) -> Person:
    """Make the account with this address a door helper until midnight.

    Raises `no_account`, `disabled_account`, or `manages_already` for who may do more.
    """
    person_id = person_of(session, email)
    if person_id is None:
        raise RuleViolation("no_account")
    person = _may_help(session, person_id, station_id)
    _extend(session, person_id, station_id, now, actor_id, ahead=False)
    return person


@transactional
def renew_door(
    session: Session, station_id: int, person_id: int, now: datetime, actor_id: int, *, ahead: bool
) -> DoorHelper:
    """Extend the role to the end of the next workday where `ahead`, otherwise, and where it has ended, to the end of today.

    Idempotent. Raises `no_door_helper`.
    """
    _may_help(session, person_id, station_id)
    helper = session.get(DoorHelper, (person_id, station_id))
    if helper is None:
        raise RuleViolation("no_door_helper")
    _extend(session, person_id, station_id, now, actor_id, ahead=ahead and helper.until > now)
    return helper


@transactional
def end_door(session: Session, station_id: int, person_id: int, now: datetime, actor_id: int | None) -> None:
    """End the role from the next request on, and forget it. Idempotent."""
    transactions.lock(session, people={person_id})
    gone = delete(DoorHelper).where(DoorHelper.person_id == person_id, DoorHelper.station_id == station_id)
    if session.scalar(gone.returning(DoorHelper.person_id)):
        record(session, "door_helper_ended", now, actor_id=actor_id, person_id=person_id, station_id=station_id)


def door_helper(session: Session | scoped_session[Any], person_id: int, station_id: int) -> DoorHelper | None:
    """The person's role at the station, which may have ended."""
    return session.get(DoorHelper, (person_id, station_id))


def was_ended(session: Session | scoped_session[Any], person_id: int, station_id: int, now: datetime) -> bool:
    """Whether the person, who has no role at the station, had this one until a manager ended it within the last day."""
    roles = ("door_helper_granted", "door_helper_ended", "appointed", "dismissed")
    theirs = (Event.person_id == person_id, Event.station_id == station_id, Event.kind.in_(roles))
    last = session.scalar(select(Event).where(*theirs).order_by(Event.id.desc()).limit(1))
    return last is not None and last.kind == "door_helper_ended" and last.at > now - ONE_DAY


def _may_help(session: Session, person_id: int, station_id: int) -> Person:
    person = alive(session, person_id)
    if person.disabled_at:
        raise RuleViolation("disabled_account")
    if person.is_admin or session.get(Manages, (person_id, station_id)) is not None:
        raise RuleViolation("manages_already")
    return person


def _extend(session: Session, person_id: int, station_id: int, now: datetime, actor_id: int, *, ahead: bool) -> None:
    """Let the role last until the midnight after today; `ahead`, after the next workday. Never shortens it."""
    zone = session.get_one(Station, station_id).zone_name
    last = clock.at_station(now, zone).date()
    if ahead:
        last = workdays.load(session, station_id, last, last + LOOK_AHEAD).workday_after(last)
    until, helper = clock.instant(last + ONE_DAY, time(), zone), session.get(DoorHelper, (person_id, station_id))
    if helper and helper.until >= until:
        return
    session.merge(DoorHelper(person_id=person_id, station_id=station_id, until=until, granted_by=actor_id))
    about: dict[str, Any] = {
        "person_id": person_id,
        "station_id": station_id,
        "until": until.isoformat(),
        "date": last.isoformat(),
    }
    record(session, "door_helper_granted", now, actor_id=actor_id, **about)
