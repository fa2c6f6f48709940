"""Node policy: the numbers that a city, district or centre sets for all below, and which of them it locks.

Saved after a preview; a job then applies it to the stations below, see `applying`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from booking import policy, tree
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.inheritance import PolicyLine, lines_of
from booking.model import Node
from booking.network.nodes import TREE, about, let_apply
from booking.network.policy_preview import PolicyPreview, preview_of
from booking.policy import CITY_BOUNDS, Policy
from booking.slots import refuse_locked


@dataclass(frozen=True)
class NodePolicy:
    """What a node sets: the numbers of its own, as values, and the names of those that nothing below may change."""

    own: Mapping[str, Any]
    locks: frozenset[str]


def inherited_lines(session: Session, node: Node) -> dict[str, PolicyLine]:
    """The numbers that the nodes above hand on to this one."""
    return lines_of(tree.ancestors(session, node)[:-1])


def preview_policy(session: Session, node: Node, wanted: NodePolicy, now: datetime) -> PolicyPreview:
    """Whom these numbers would change. Raises what `set_node_policy` raises."""
    return preview_of(session, node, _changed_node(session, node, wanted), now)


@transactional
def set_node_policy(
    session: Session, node: Node, wanted: NodePolicy, shown: str, now: datetime, actor_id: int | None
) -> int:
    """Save what the preview with the fingerprint `shown` said; a job applies it. Returns how many stations wait for it.

    Raises `unknown_number`, `city_numbers_only`, `out_of_bounds`, `policy_locked`, `node_closed`, and `policy_changed` when
    it would change something else by now.
    """
    transactions.advisory_lock(session, TREE)
    session.refresh(node)
    if node.closed_at:
        raise RuleViolation("node_closed")
    changed = _changed_node(session, node, wanted)
    if preview_of(session, node, changed, now).fingerprint != shown:
        raise RuleViolation("policy_changed")
    was = {"own": node.own_policy, "locks": node.locks}
    node.own_policy, node.locks = changed.own_policy, changed.locks
    if was == {"own": node.own_policy, "locks": node.locks}:
        return 0
    became = {"own": node.own_policy, "locks": node.locks}
    record(session, "node_policy", now, actor_id=actor_id, **about(node), was=was, became=became)
    session.flush()
    return let_apply(session, node)


def _changed_node(session: Session, node: Node, wanted: NodePolicy) -> Node:
    """A copy of the node, which is in no session, as it would be. What it sets below a lock stays, for the day when that
    is lifted."""
    lines = inherited_lines(session, node)
    if unknown := sorted((wanted.own.keys() | wanted.locks) - lines.keys()):
        raise RuleViolation("unknown_number", fields=" ".join(unknown))
    if node.level != "city" and (wrong := sorted((wanted.own.keys() | wanted.locks) & CITY_BOUNDS.keys())):
        raise RuleViolation("city_numbers_only", fields=" ".join(wrong))
    numbers = Policy(**{name: wanted.own.get(name, line.value) for name, line in lines.items()})
    if wrong := policy.out_of_bounds(numbers):
        raise RuleViolation("out_of_bounds", fields=" ".join(wrong))
    refuse_locked(lines, wanted.own)
    free = {name for name, line in lines.items() if not line.locked_by}
    own = {name: value for name, value in node.own_policy.items() if name not in free}
    own |= policy.write_own(numbers, wanted.own.keys() & free)
    locks = [name for name in vars(numbers) if name in (wanted.locks if name in free else node.locks)]
    kept = {name: getattr(node, name) for name in ("id", "parent_id", "level", "code", "name", "name_en", "path")}
    return Node(**kept, own_policy=own, locks=locks)
