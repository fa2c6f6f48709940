"""Tree: reads the nodes of a city, and which stations are below one. Its verbs are in `network`."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.model import Node, Station


def node_by_code(session: Session, code: str) -> Node | None:
    """The node with this code, closed or not."""
    return session.scalar(select(Node).where(Node.code == code))


def children(session: Session, node_id: int | None) -> Sequence[Node]:
    """The nodes right below; None for the cities."""
    below = select(Node).where(Node.parent_id.is_not_distinct_from(node_id))
    return session.scalars(below.order_by(Node.code)).all()


def path_of(node: Node) -> list[int]:
    """The ids from the root to the node."""
    return [int(one) for one in node.path.split(".") if one]


def ancestors(session: Session, node: Node) -> list[Node]:
    """The nodes from the root down to this one, itself included."""
    found = {one.id: one for one in session.scalars(select(Node).where(Node.id.in_(path_of(node))))}
    return [found[one] for one in path_of(node)]


def nodes_above(session: Session, station: Station) -> list[Node]:
    """The nodes from the root down to the station's centre; none outside a network."""
    return chains(session, [station.centre_id]).get(station.centre_id, []) if station.centre_id else []


def chains(session: Session, centre_ids: Collection[int]) -> dict[int, list[Node]]:
    """The nodes from the root down to each of these centres, freshly read."""
    fresh = {"populate_existing": True}
    centres = session.scalars(select(Node).where(Node.id.in_(in_array(centre_ids))), execution_options=fresh).all()
    above = {one for centre in centres for one in path_of(centre)}
    nodes = session.scalars(select(Node).where(Node.id.in_(in_array(above))), execution_options=fresh)
    found = {one.id: one for one in nodes}
    return {centre.id: [found[one] for one in path_of(centre)] for centre in centres}


def below(node: Node) -> ColumnElement[bool]:
    """A condition on `Node`: the node itself and all below."""
    return Node.path.startswith(node.path, autoescape=True)


def stations_below(node: Node) -> ColumnElement[bool]:
    """A condition on `Station`: those of the centres at or below the node."""
    return Station.centre_id.in_(select(Node.id).where(below(node)))
