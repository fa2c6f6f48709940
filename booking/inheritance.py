"""Inheritance: the numbers that apply at a station: defaults, city, district, centre, station, each over the one before.

A number that a node locks is final: what stands below it is left aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from booking import policy
from booking.model import Node
from booking.policy import DEFAULT, Policy


@dataclass(frozen=True)
class PolicyLine:
    """One number as it stands somewhere: its value, the node that set it (None: the default, or the station itself),
    and the node that locks it."""

    value: Any
    set_by: Node | None
    locked_by: Node | None


def lines_of(nodes: Sequence[Node]) -> dict[str, PolicyLine]:
    """What these nodes, from the root down, hand on to what is below them, by the name of each number."""
    lines = {name: PolicyLine(value, None, None) for name, value in vars(DEFAULT).items()}
    for node in nodes:
        own = vars(policy.read(node.own_policy))
        for name, line in lines.items():
            if line.locked_by:
                continue
            value, set_by = (own[name], node) if name in node.own_policy else (line.value, line.set_by)
            lines[name] = PolicyLine(value, set_by, node if name in node.locks else None)
    return lines


def inherited(nodes: Sequence[Node]) -> Policy:
    """The policy that these nodes hand on."""
    return Policy(**{name: line.value for name, line in lines_of(nodes).items()})


def effective_policy(nodes: Sequence[Node], own: Mapping[str, Any] | None) -> Policy:
    """The policy of a station below these nodes that itself sets `own`."""
    return policy_over(lines_of(nodes), own)


def policy_over(lines: Mapping[str, PolicyLine], own: Mapping[str, Any] | None) -> Policy:
    """The same, where these lines are handed on to the station."""
    numbers = vars(policy.read(own))
    city_only = policy.CITY_BOUNDS.keys()
    return Policy(
        **{
            name: numbers[name] if name in (own or {}) and not line.locked_by and name not in city_only else line.value
            for name, line in lines.items()
        }
    )
