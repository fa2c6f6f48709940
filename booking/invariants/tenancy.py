"""Tenancy, I10: nothing of one station was changed by another station's staff."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from booking.model import Event, Manages, Person

Terms = dict[tuple[int | None, int | None], list[tuple[int, bool]]]


def strangers(session: Session, _now: datetime) -> Iterator[str]:
    """Events whose actor was neither the person concerned, nor a manager of the station then, nor an admin."""
    rows = session.execute(_doubtful().order_by(Event.id)).all()
    terms = _terms(session) if rows else {}
    known = {person_id for person_id, _station in terms}
    for row in rows:
        # A deleted account has lost its admin role, but may have had it.
        was_admin = row.deleted_at is not None and row.actor_id not in known
        if not was_admin and not _managed_then(terms.get((row.actor_id, row.station_id), []), row.id):
            yield (
                f"I10 event {row.id}: {row.kind} at station {row.station_id} by person {row.actor_id}, a stranger there"
            )


def _doubtful() -> Any:
    runs_it = exists().where(
        Manages.person_id == Event.actor_id, Manages.station_id == Event.station_id, Manages.since <= Event.at
    )
    return (
        select(Event.id, Event.kind, Event.station_id, Event.actor_id, Person.deleted_at)
        .join(Person, Event.actor_id == Person.id)
        .where(
            Event.station_id.is_not(None),
            or_(Event.person_id.is_(None), Event.actor_id != Event.person_id),
            Person.is_admin.is_(False),
            ~runs_it,
        )
    )


def _terms(session: Session) -> Terms:
    """When people were appointed (True) and dismissed (False), by person and station, as event ids."""
    roles = select(Event.person_id, Event.station_id, Event.id, Event.kind)
    found: Terms = {}
    for person_id, station_id, event_id, kind in session.execute(
        roles.where(Event.kind.in_(("appointed", "dismissed"))).order_by(Event.id)
    ):
        found.setdefault((person_id, station_id), []).append((event_id, kind == "appointed"))
    return found


def _managed_then(terms: list[tuple[int, bool]], event_id: int) -> bool:
    """Whether the last appointment or dismissal before the event was an appointment; without one, a later dismissal
    implies an appointment older than the history."""
    before = [appointed for at, appointed in terms if at < event_id]
    if before:
        return before[-1]
    return bool(terms) and not terms[0][1]
