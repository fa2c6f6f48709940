"""Closing: a city, district or centre is closed and opened again; each station of a closed centre is closed or moved."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import sanitise, stations, tree
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Node, Station
from booking.network.nodes import TREE, about, join_centre


def open_stations(session: Session, centre: Node) -> Sequence[Station]:
    """The open stations of a centre, by code."""
    theirs = select(Station).where(Station.centre_id == centre.id, Station.closed_at.is_(None))
    return session.scalars(theirs.order_by(Station.code)).all()


@transactional
def close_node(
    session: Session,
    node: Node,
    decided: Mapping[int, Node | None],
    reason: str,
    now: datetime,
    actor_id: int,
) -> None:
    """Close a node below which nothing is open, or a centre with its stations: `decided` says of each by its id to which
    centre it moves; None closes it. All in one transaction. Idempotent.

    Raises `reason_missing`, `node_not_empty`, `stations_undecided`, `moved_into_closed`, and what `join_centre` raises.
    """
    transactions.advisory_lock(session, TREE)
    session.refresh(node)
    words = sanitise.one_line(reason)[:200]
    if not words:
        raise RuleViolation("reason_missing")
    if node.closed_at:
        return
    if still := [child for child in tree.children(session, node.id) if not child.closed_at]:
        raise RuleViolation("node_not_empty", count=len(still))
    theirs = open_stations(session, node)
    if missing := [one.name for one in theirs if one.id not in decided]:
        raise RuleViolation("stations_undecided", count=len(missing))
    for station in theirs:
        centre = decided[station.id]
        if centre is None:
            stations.close_station.inside(session, station.id, words, now, actor_id)
        elif centre.id == node.id:
            raise RuleViolation("moved_into_closed")
        else:
            join_centre.inside(session, station, centre, now, actor_id)
    node.closed_at = now
    moved = sum(decided[one.id] is not None for one in theirs)
    counts: dict[str, Any] = {"closed": len(theirs) - moved, "moved": moved}
    record(session, "node_closed", now, actor_id=actor_id, reason=words, **about(node), **counts)


@transactional
def reopen_node(session: Session, node: Node, now: datetime, actor_id: int) -> None:
    """Open a node again; its stations stay as they are. Idempotent. Raises `node_closed` where the one above is closed."""
    transactions.advisory_lock(session, TREE)
    session.refresh(node)
    if node.parent_id and session.get_one(Node, node.parent_id).closed_at:
        raise RuleViolation("node_closed")
    if node.closed_at:
        node.closed_at = None
        record(session, "node_reopened", now, actor_id=actor_id, **about(node))
