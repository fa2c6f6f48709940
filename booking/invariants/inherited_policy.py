"""Inherited policy, I16: what applies at a station is what it and the nodes above set, unless a change is on its way."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import policy, tree
from booking.inheritance import lines_of, policy_over
from booking.model import Station


def inherited_policies(session: Session, _now: datetime) -> Iterator[str]:
    """I16: a station below a node has its effective policy."""
    about = (Station.id, Station.centre_id, Station.own_policy, Station.policy)
    settled = (Station.centre_id.is_not(None), Station.policy_due.is_(False))
    stations = session.execute(select(*about).where(*settled).order_by(Station.id)).all()
    above = tree.chains(session, {one.centre_id for one in stations})
    lines = {centre_id: lines_of(nodes) for centre_id, nodes in above.items()}
    for one in stations:
        due, there = policy_over(lines[one.centre_id], one.own_policy), policy.read(one.policy)
        if wrong := [name for name, value in vars(due).items() if value != getattr(there, name)]:
            yield f"I16 station {one.id}: {', '.join(wrong)} as neither it nor a node above sets them"
