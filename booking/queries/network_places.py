"""Network places: the nodes that somebody oversees, what stands below one, and its history."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session, joinedload

from booking import tree
from booking.db.arrays import in_array
from booking.model import OF_NODES, Event, Node, Oversees, Person, Station
from booking.queries.newest_first import newest_first


def any_node(session: Session) -> bool:
    """Whether there is a network at all."""
    return session.scalar(select(Node.id).limit(1)) is not None


def overseen_by(session: Session, person_id: int | None) -> Sequence[Node]:
    """The nodes that this person was given; None for the cities, of which an admin sees all."""
    mine = select(Node).order_by(Node.path)
    if person_id is None:
        return session.scalars(mine.where(Node.parent_id.is_(None))).all()
    return session.scalars(mine.join(Oversees).where(Oversees.person_id == person_id)).all()


def open_nodes(session: Session, level: str) -> Sequence[Node]:
    """Open nodes of this level, with the one above, by path."""
    found = select(Node).where(Node.level == level, Node.closed_at.is_(None)).options(joinedload(Node.parent))
    return session.scalars(found.order_by(Node.path)).all()


def places_below(session: Session, node: Node) -> dict[str, Any]:
    """`children` of the node, how many open `stations_of` each has by id, and the `stations` of a centre."""
    children = tree.children(session, node.id)
    theirs = select(Station).where(Station.centre_id == node.id).order_by(Station.closed_at.is_not(None), Station.code)
    counts = stations_at(session, node)
    stations_of = {one.id: sum(n for path, n in counts.items() if path.startswith(one.path)) for one in children}
    return {"children": children, "stations": session.scalars(theirs).all(), "stations_of": stations_of}


def stations_at(session: Session, node: Node) -> dict[str, int]:
    """How many open stations each centre at or below the node has, by its path."""
    counted = select(Node.path, func.count(Station.id)).join(Station, Station.centre_id == Node.id)
    found = counted.where(tree.below(node), Station.closed_at.is_(None)).group_by(Node.path)
    return {row.path: row[1] for row in session.execute(found)}


def station_of(session: Session, node: Node, code: str) -> Station | None:
    """A station at or below this node."""
    return session.scalar(select(Station).where(Station.code == code, tree.stations_below(node)))


def node_history(session: Session, node: Node, limit: int) -> Sequence[Event]:
    """What happened to the node and all below, who oversees it, and which stations came and left, newest first."""
    below = select(Node.id).where(tree.below(node))
    about = (Event.details[name].as_integer().in_(below) for name in ("node", "was", "to"))
    found = select(Event).where(text(OF_NODES), or_(*about))
    return newest_first(session, found, limit)


def stations_named(session: Session, events: Sequence[Event]) -> dict[int, Station]:
    """The stations of these events, by id."""
    ids = {event.station_id for event in events if event.station_id}
    return {one.id: one for one in session.scalars(select(Station).where(Station.id.in_(in_array(ids))))}


def staff_named(session: Session, events: Sequence[Event]) -> dict[int, str]:
    """The names of who acted, and of whose role it was, in events of nodes: staff, never people who come for lunch."""
    ids = {who for event in events for who in (event.actor_id, event.person_id) if who}
    people = select(Person.id, Person.name).where(Person.id.in_(in_array(ids)), Person.deleted_at.is_(None))
    return {row.id: row.name for row in session.execute(people)}
