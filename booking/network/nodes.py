"""Nodes: cities, districts and centres, added and changed, and the stations that join a centre."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import LEVELS, Node, Station
from booking.stations import check_code

TREE = "network tree"


@dataclass(frozen=True)
class NodeDetails:
    """What is entered about a node; grade and category are words of the city's own."""

    name: str
    name_en: str = ""
    grade: str = ""
    category: str = ""


@transactional
def add_node(
    session: Session,
    parent: Node | None,
    level: str,
    code: str,
    details: NodeDetails,
    now: datetime,
    actor_id: int | None,
) -> Node:
    """A new node under `parent`; without one, a city. Raises `bad_code`, `node_code_taken`, `wrong_level`, `node_closed`."""
    check_code(code)
    transactions.advisory_lock(session, TREE)
    if session.scalar(select(Node.id).where(Node.code == code)):
        raise RuleViolation("node_code_taken")
    if level != _level_below(parent):
        raise RuleViolation("wrong_level", level=level, parent=parent.level if parent else None)
    if parent and parent.closed_at:
        raise RuleViolation("node_closed")
    node = Node(parent_id=parent.id if parent else None, level=level, code=code, path=code, **asdict(details))
    session.add(node)
    session.flush()
    node.path = f"{parent.path if parent else ''}{node.id}."
    record(session, "node_added", now, actor_id=actor_id, **_about(node))
    return node


@transactional
def change_node(session: Session, node: Node, details: NodeDetails, now: datetime, actor_id: int) -> None:
    """Change its names, grade and category; the code stays, since it is in people's bookmarks."""
    wanted = asdict(details)
    changed = {name: [getattr(node, name), value] for name, value in wanted.items() if getattr(node, name) != value}
    for name in changed:
        setattr(node, name, wanted[name])
    if changed:
        record(session, "node_changed", now, actor_id=actor_id, **_about(node), changed=changed)


@transactional
def join_centre(session: Session, station: Station, centre: Node, now: datetime, actor_id: int | None) -> None:
    """Let the station belong to this centre, whose policy is applied to it soon. Idempotent.

    Raises `not_a_centre`, `node_closed`.
    """
    if centre.level != "centre":
        raise RuleViolation("not_a_centre")
    if centre.closed_at:
        raise RuleViolation("node_closed")
    if station.centre_id == centre.id:
        return
    was = station.centre_id
    station.centre_id, station.policy_due = centre.id, True
    if station.own_policy is None:
        station.own_policy = station.policy
    record(session, "station_joined", now, actor_id=actor_id, station_id=station.id, was=was, **_about(centre))


def _level_below(parent: Node | None) -> str | None:
    levels = dict(zip((None, *LEVELS), (*LEVELS, None), strict=True))
    return levels[parent.level if parent else None]


def _about(node: Node) -> dict[str, Any]:
    return {"node": node.id, "name": node.name, "level": node.level}
