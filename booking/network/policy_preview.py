"""Policy preview: which stations and slots a change of a node's policy touches, and which stations keep their own number."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from booking import tree
from booking.db.arrays import in_array
from booking.inheritance import PolicyLine, effective_policy, lines_of, policy_over
from booking.model import Node, Plan, Slot, Station
from booking.slots import OPENINGS

Change = tuple[PolicyLine, PolicyLine]


class Keeping(NamedTuple):
    """Why stations do not follow in one number: the `node` between sets it, or, where it is None, each of them itself."""

    number: str
    node: Node | None


@dataclass
class PolicyPreview:
    """What a change does: for each changed number what was and what becomes, to how many of the `below` open stations.

    `slots` are the coming slots of the `stations` that it touches. `keeping` counts stations by why they do not follow,
    `overridden` those whose own number a new lock sets aside, `plans` the plans that open by the policy from now on.
    """

    numbers: Mapping[str, Change]
    below: int = 0
    stations: int = 0
    slots: int = 0
    plans: int = 0
    keeping: Counter[Keeping] = field(default_factory=Counter)
    overridden: Counter[str] = field(default_factory=Counter)

    @property
    def fingerprint(self) -> str:
        """A hash of what it says, but for the slots and plans, which change by the minute."""
        numbers = {name: [_said(was), _said(becomes)] for name, (was, becomes) in self.numbers.items()}
        keeping = sorted((one.number, one.node.id if one.node else 0, n) for one, n in self.keeping.items())
        told = [numbers, self.below, self.stations, keeping, sorted(self.overridden.items())]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def preview_of(session: Session, node: Node, changed: Node, now: datetime) -> PolicyPreview:
    """What happens when the node becomes as `changed`, a copy of it."""
    above = tree.ancestors(session, node)[:-1]
    numbers = _differences(lines_of([*above, node]), lines_of([*above, changed]))
    preview = PolicyPreview(numbers)
    if not numbers:
        return preview
    touched = []
    chains = _chains(session, above, node)
    effects: dict[str, _Effect] = {}
    for station in _stations(session, node):
        key = json.dumps([station.centre_id, station.own_policy], sort_keys=True)
        if key not in effects:
            chain = chains[station.centre_id]
            after = [changed if one is node else one for one in chain]
            effects[key] = _effect(chain, after, station.own_policy, numbers)
        preview.below += 1
        preview.keeping.update(effects[key].keeping)
        preview.overridden.update(effects[key].overridden)
        if effects[key].touches:
            touched.append(station.id)
    preview.stations, preview.slots = len(touched), _coming(session, touched, now)
    preview.plans = _plans(session, node, [name for name, (_, line) in numbers.items() if line.locked_by])
    return preview


@dataclass(frozen=True)
class _Effect:
    """What happens at the stations of one centre that set the same numbers."""

    touches: bool
    keeping: Sequence[Keeping]
    overridden: Sequence[str]


def _effect(
    chain: Sequence[Node], after: Sequence[Node], own: Mapping[str, Any] | None, numbers: Mapping[str, Change]
) -> _Effect:
    lines = lines_of(after)
    was, becomes = vars(effective_policy(chain, own)), vars(policy_over(lines, own))
    kept = [name for name, (old, new) in numbers.items() if old.value != new.value and becomes[name] == was[name]]
    keeping = [_reason(name, lines[name], own or {}) for name in kept if becomes[name] != numbers[name][1].value]
    set_aside = [
        name for name in numbers if lines[name].locked_by and name in (own or {}) and was[name] != becomes[name]
    ]
    return _Effect(was != becomes, keeping, [name for name in set_aside if was[name] != numbers[name][0].value])


def _reason(name: str, line: PolicyLine, own: Mapping[str, Any]) -> Keeping:
    return Keeping(name, None if name in own and not line.locked_by else line.set_by)


def _differences(before: Mapping[str, PolicyLine], after: Mapping[str, PolicyLine]) -> dict[str, Change]:
    return {name: (line, after[name]) for name, line in before.items() if _said(line) != _said(after[name])}


def _said(line: PolicyLine) -> list[Any]:
    """Also who sets it: a number of its own that is the same as above can be set and given back."""
    return [str(line.value), line.locked_by is not None, line.set_by.id if line.set_by else 0]


def _chains(session: Session, above: Sequence[Node], node: Node) -> dict[int, list[Node]]:
    """The nodes from the root down to each node at or below this one."""
    nodes = session.scalars(select(Node).where(tree.below(node))).all()
    known = {one.id: one for one in (*above, *nodes)}
    return {one.id: [known[place] for place in tree.path_of(one)] for one in nodes}


def _stations(session: Session, node: Node) -> Sequence[Row[Any]]:
    open_ones = (tree.stations_below(node), Station.closed_at.is_(None))
    return session.execute(select(Station.id, Station.centre_id, Station.own_policy).where(*open_ones)).all()


def _coming(session: Session, station_ids: Sequence[int], now: datetime) -> int:
    coming = (Slot.state.in_(("planned", "open")), Slot.starts_at > now)
    theirs = Slot.station_id.in_(in_array(station_ids))
    return session.scalar(select(func.count(Slot.id)).where(*coming, theirs)) or 0


def _plans(session: Session, node: Node, numbers: Collection[str]) -> int:
    """How many plans below open by a rule of their own that these numbers lock."""
    own = [getattr(Plan, OPENINGS[name]).is_not(None) for name in numbers if name in OPENINGS]
    if not own:
        return 0
    found = select(func.count(Plan.id)).join(Station, Plan.station_id == Station.id)
    running = (tree.stations_below(node), Station.closed_at.is_(None), Plan.stopped_at.is_(None))
    return session.scalar(found.where(*running, or_(*own))) or 0
