"""Tenancy, I10: nothing of one station was changed by another station's staff. Door helpers count while they are some,
and for what is done at check-in; organisers of a node above, for what is not about a slot, and for closing a station with
its slots. Nothing of a node was changed by who was no organiser of it or above."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from booking.model import Event, Manages, Node, Oversees, Person, Station

# What a door helper's check-in, its undoing, or a walk-in writes.
AT_CHECK_IN = frozenset(
    {
        "checked_in",
        "undone",
        "walked_in",
        "standby",
        "standby_undone",
        "waiting",
        "guest",
        "strike_dropped",
        "strike",
        "came_late",
        "forgiven",
        "name_settled",
    }
)
APPOINTED, GRANTED = "appointed", "door_helper_granted"
ROLES = (APPOINTED, "dismissed", GRANTED, "door_helper_ended")


class Term(NamedTuple):
    """One word of the history about a role. `until` is when a door helper's ends by itself."""

    event_id: int
    kind: str
    until: datetime | None


Terms = dict[tuple[int | None, int | None], list[Term]]


def strangers(session: Session, _now: datetime) -> Iterator[str]:
    """Events whose actor was neither the person concerned, nor staff of the station then, nor an admin."""
    rows = session.execute(_doubtful().order_by(Event.id)).all()
    terms = _terms(session) if rows else {}
    known = {person_id for person_id, _station in terms}
    above = Organisers(session) if rows else None
    for row in rows:
        # A deleted account has lost its admin role, but may have had it.
        was_admin = row.deleted_at is not None and row.actor_id not in known
        theirs = terms.get((row.actor_id, row.station_id), [])
        if above and _organised(above, row):
            continue
        if not was_admin and not _managed_then(theirs, row.id) and not _helped_then(theirs, row):
            yield (
                f"I10 event {row.id}: {row.kind} at station {row.station_id} by person {row.actor_id}, a stranger there"
            )


def _organised(above: "Organisers", row: Any) -> bool:
    """Whether an organiser did it of what is theirs: not about a slot, unless the whole station was closed by it."""
    if row.kind == "station_joined":
        return above.of_node(row.actor_id, row.details["node"], row.id)
    return (row.slot_id is None or row.closing) and above.of_station(row.actor_id, row.station_id, row.id)


def organisers(session: Session, _now: datetime) -> Iterator[str]:
    """Events of nodes whose actor was neither the person concerned, nor an organiser of it or above then, nor an admin."""
    of_node = Event.details["node"].as_integer()
    changed = (Event.station_id.is_(None), Event.slot_id.is_(None), of_node.is_not(None))
    by_others = (Person.is_admin.is_(False), or_(Event.person_id.is_(None), Event.actor_id != Event.person_id))
    found = select(Event.id, Event.kind, Event.actor_id, of_node.label("node"), Person.deleted_at)
    rows = session.execute(
        found.join(Person, Event.actor_id == Person.id).where(*changed, *by_others).order_by(Event.id)
    ).all()
    above = Organisers(session) if rows else None
    for row in rows:
        # A deleted account has lost its admin role, but may have had it.
        was_admin = row.deleted_at is not None and above is not None and row.actor_id not in above.known
        if above and not was_admin and not above.of_node(row.actor_id, row.node, row.id):
            yield f"I10 event {row.id}: {row.kind} of node {row.node} by person {row.actor_id}, no organiser there"


class Organisers:
    """Who was an organiser of what, by the history; a role older than the history is the one that is held now."""

    def __init__(self, session: Session) -> None:
        self.paths = dict(session.execute(select(Node.id, Node.path)).all())
        self.centres = dict(session.execute(select(Station.id, Station.centre_id)).all())
        self.terms: dict[tuple[int, int], list[tuple[int, bool]]] = {}
        kinds = ("overseer_appointed", "overseer_ended")
        told = select(Event.id, Event.kind, Event.person_id, Event.before, Event.after, Event.details)
        for row in session.execute(told.where(Event.kind.in_(kinds)).order_by(Event.id)):
            begins = row.kind == kinds[0] and row.details["role"] == "organiser"
            older = [(0, True)] if _organised_before(row, begins=begins) else []
            self.terms.setdefault((row.person_id, row.details["node"]), older).append((row.id, begins))
        held = select(Oversees.person_id, Oversees.node_id).where(Oversees.role == "organiser")
        for person_id, node_id in session.execute(held):
            self.terms.setdefault((person_id, node_id), [(0, True)])
        self.known = {person_id for person_id, _node in self.terms}

    def of_node(self, person_id: int, node_id: int | None, event_id: int) -> bool:
        path = self.paths.get(node_id or 0, "")
        return any(self._was(person_id, int(one), event_id) for one in path.split(".") if one)

    def of_station(self, person_id: int, station_id: int, event_id: int) -> bool:
        return self.of_node(person_id, self.centres.get(station_id), event_id)

    def _was(self, person_id: int, node_id: int, event_id: int) -> bool:
        before = [begins for at, begins in self.terms.get((person_id, node_id), []) if at < event_id]
        return bool(before) and before[-1]


def _organised_before(row: Any, *, begins: bool) -> bool:
    """Whether this word about a role, the first that the history has, ended the role of an organiser."""
    if row.after or begins:
        return bool(row.before == "organiser")
    # Nobody wrote down once which role a reader had had.
    return bool(row.kind == "overseer_appointed" or row.details["role"] == "organiser")


def _doubtful() -> Any:
    runs_it = exists().where(
        Manages.person_id == Event.actor_id, Manages.station_id == Event.station_id, Manages.since <= Event.at
    )
    closed = aliased(Event)
    closing = exists().where(
        *(getattr(closed, name) == getattr(Event, name) for name in ("station_id", "actor_id", "at")),
        closed.kind == "station_closed",
    )
    about = (Event.id, Event.at, Event.kind, Event.station_id, Event.slot_id, Event.actor_id, Event.details)
    return (
        select(*about, Person.deleted_at, closing.label("closing"))
        .join(Person, Event.actor_id == Person.id)
        .where(
            Event.station_id.is_not(None),
            or_(Event.person_id.is_(None), Event.actor_id != Event.person_id),
            Person.is_admin.is_(False),
            ~runs_it,
        )
    )


def _terms(session: Session) -> Terms:
    """What the history says about roles, by person and station, oldest first."""
    roles = select(Event.person_id, Event.station_id, Event.id, Event.kind, Event.details)
    found: Terms = {}
    for row in session.execute(roles.where(Event.kind.in_(ROLES)).order_by(Event.id)):
        until = datetime.fromisoformat(row.details["until"]) if row.kind == GRANTED else None
        found.setdefault((row.person_id, row.station_id), []).append(Term(row.id, row.kind, until))
    return found


def _managed_then(terms: list[Term], event_id: int) -> bool:
    """Whether the last appointment or dismissal before the event was an appointment; without one, a later dismissal
    implies an appointment older than the history."""
    managing = [term for term in terms if term.kind in (APPOINTED, "dismissed")]
    before = [term.kind == APPOINTED for term in managing if term.event_id < event_id]
    if before:
        return before[-1]
    return bool(managing) and managing[0].kind == "dismissed"


def _helped_then(terms: list[Term], event: Any) -> bool:
    """Whether the actor was a door helper then, and did what one may. An offline tap is older than its event's id."""
    before = [term for term in terms if term.kind in (GRANTED, "door_helper_ended") and term.event_id < event.id]
    until = before[-1].until if before else None
    return until is not None and event.at < until and event.kind in AT_CHECK_IN
