"""Tree: reads the nodes of a city, and which stations are below one. Its verbs are in `network`."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session, aliased

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
    return ids_in(node.path)


def ids_in(path: str) -> list[int]:
    """The ids in a `Node.path`, from the root."""
    return [int(one) for one in path.split(".") if one]


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


def districts(session: Session) -> Sequence[Node]:
    """The districts of all cities that are not closed."""
    open_ones = select(Node).where(Node.level == "district", Node.closed_at.is_(None))
    return session.scalars(open_ones.order_by(Node.code)).all()


def below_cities(session: Session) -> Sequence[Row[int, str, str, str, str, str]]:
    """The columns `id`, `level`, `path`, `code`, `name` and `name_en` of every district and centre."""
    columns = (Node.id, Node.level, Node.path, Node.code, Node.name, Node.name_en)
    return session.execute(select(*columns).where(Node.level != "city")).all()


def districts_of(session: Session, stations: Sequence[Station]) -> dict[int, Node]:
    """The district of each of these stations that has one, by the id of its centre."""
    centres = {station.centre_id for station in stations} - {None}
    if not centres:
        return {}
    district, centre = aliased(Node), aliased(Node)
    pairs = select(centre.id, district).join(district, centre.parent_id == district.id).where(centre.id.in_(centres))
    return {row[0]: row[1] for row in session.execute(pairs)}
