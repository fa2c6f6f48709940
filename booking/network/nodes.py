"""Nodes: cities, districts and centres, added and changed, and the stations that join a centre."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, update
from sqlalchemy.orm import Session

from booking import tree
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
    if level != level_below(parent):
        raise RuleViolation("wrong_level", level=level, parent=parent.level if parent else None)
    if parent and parent.closed_at:
        raise RuleViolation("node_closed")
    node = Node(parent_id=parent.id if parent else None, level=level, code=code, path=code, **asdict(details))
    session.add(node)
    session.flush()
    node.path = f"{parent.path if parent else ''}{node.id}."
    record(session, "node_added", now, actor_id=actor_id, **about(node))
    return node


@transactional
def change_node(session: Session, node: Node, details: NodeDetails, now: datetime, actor_id: int | None) -> None:
    """Change its names, grade and category; the code stays, since it is in people's bookmarks."""
    wanted = asdict(details)
    changed = {name: [getattr(node, name), value] for name, value in wanted.items() if getattr(node, name) != value}
    for name in changed:
        setattr(node, name, wanted[name])
    if changed:
        record(session, "node_changed", now, actor_id=actor_id, **about(node), changed=changed)


@transactional
def move_node(session: Session, node: Node, parent: Node, now: datetime, actor_id: int | None) -> None:
    """Let a district or centre belong to another node, with all below; the policy of that one is applied soon. Idempotent.

    Raises `node_cycle`, `wrong_level`, `node_closed`.
    """
    transactions.advisory_lock(session, TREE)
    _refresh(session, node, parent)
    if parent.path.startswith(node.path):
        raise RuleViolation("node_cycle")
    if node.level != level_below(parent):
        raise RuleViolation("wrong_level", level=node.level, parent=parent.level)
    if node.closed_at or parent.closed_at:
        raise RuleViolation("node_closed")
    if node.parent_id == parent.id:
        return
    was, path = session.get_one(Node, node.parent_id), node.path
    moved: dict[str, Any] = {"was": was.id, "was_name": was.name, "to": parent.id, "to_name": parent.name}
    record(session, "node_moved", now, actor_id=actor_id, **about(node), **moved)
    node.parent_id = parent.id
    session.flush()
    rewritten = literal(f"{parent.path}{node.id}.") + func.substr(Node.path, len(path) + 1)
    below = update(Node).where(tree.below(node)).values(path=rewritten)
    session.execute(below, execution_options=transactions.NO_SYNC)
    session.refresh(node)
    let_apply(session, node)


@transactional
def join_centre(session: Session, station: Station, centre: Node, now: datetime, actor_id: int | None) -> None:
    """Let the station belong to this centre, whose policy is applied to it soon. Idempotent.

    Raises `not_a_centre`, `node_closed`.
    """
    transactions.advisory_lock(session, TREE)
    if centre.level != "centre":
        raise RuleViolation("not_a_centre")
    if centre.closed_at:
        raise RuleViolation("node_closed")
    if station.centre_id == centre.id:
        return
    left = session.get(Node, station.centre_id) if station.centre_id else None
    details = about(centre) | ({"was": left.id, "was_name": left.name} if left else {})
    station.centre_id, station.policy_due = centre.id, True
    if station.own_policy is None:
        station.own_policy = station.policy
    record(session, "station_joined", now, actor_id=actor_id, station_id=station.id, **details)


def let_apply(session: Session, node: Node) -> int:
    """Let the job apply the policy to every station below. Returns how many there are."""
    due = update(Station).where(tree.stations_below(node)).values(policy_due=True)
    done: Any = session.execute(due, execution_options=transactions.NO_SYNC)
    return int(done.rowcount)


def level_below(parent: Node | None) -> str | None:
    """The level of a child; of the root, where there is no parent."""
    levels = dict(zip((None, *LEVELS), (*LEVELS, None), strict=True))
    return levels[parent.level if parent else None]


def about(node: Node) -> dict[str, Any]:
    """What an event tells of a node."""
    return {"node": node.id, "name": node.name, "level": node.level}


def _refresh(session: Session, *nodes: Node) -> None:
    """Read again what was read before the lock."""
    for node in nodes:
        session.refresh(node)
