"""Tree: reads the nodes of a city, and which stations are below one. Its verbs are in `network`."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

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


def below(node: Node) -> ColumnElement[bool]:
    """A condition on `Node`: the node itself and all below."""
    return Node.path.startswith(node.path, autoescape=True)


def stations_below(node: Node) -> ColumnElement[bool]:
    """A condition on `Station`: those of the centres at or below the node."""
    return Station.centre_id.in_(select(Node.id).where(below(node)))
