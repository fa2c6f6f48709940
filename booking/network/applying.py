"""Applying: brings stations and their coming slots in step with the policy of the nodes above, after it has changed."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from booking import policy, slots, tree
from booking.db import transactions
from booking.db.arrays import in_array, update_rows
from booking.db.statements import CompiledStatement, wrap
from booking.db.transactions import transactional
from booking.history import record
from booking.inheritance import PolicyLine, lines_of, policy_over
from booking.model import Station
from booking.network.nodes import TREE
from booking.policy import Policy

APART = 64
# The numbers that a slot carries as deadlines.
DEADLINES = ("free_minutes", "line_minutes", "checkin_minutes", "grace_minutes")


def stations_due(session: Session) -> Sequence[int]:
    """The stations that a change above has still to reach, neighbours far apart: the slots of a day that share a page of
    the database are not all written by one transaction, for it has room for some of them only (see the fill factor)."""
    return session.scalars(select(Station.id).where(Station.policy_due).order_by(Station.id % APART, Station.id)).all()


@transactional
def apply_policy(session: Session, station_ids: Sequence[int], now: datetime) -> int:
    """Apply to these stations, where it is due, what the nodes above say. Returns how many were due.

    One event for each station whose numbers changed. Slots get the new deadlines; what has opened stays open.
    """
    ids = sorted(station_ids)
    transactions.advisory_lock(session, TREE, *map(slots.plan_lock, ids))
    due = _locked(session, ids)
    above = tree.chains(session, {one.centre_id for one in due if one.centre_id})
    lines = {centre_id: lines_of(nodes) for centre_id, nodes in above.items()}
    numbers = {one.id: policy_over(lines[one.centre_id], one.own_policy) for one in due if one.centre_id in lines}
    before = {one.id: policy.read(one.policy) for one in due}
    changed = {station_id: before[station_id] for station_id, new in numbers.items() if new != before[station_id]}
    written = {station_id: policy.write(new) for station_id, new in numbers.items()}
    for one in due:
        if one.id in changed:
            record(session, "policy_applied", now, station_id=one.id, was=one.policy, became=written[one.id])
    session.flush()
    rows = [[one.id, written.get(one.id, one.policy)] for one in due]
    _APPLIED.run(wrap(session.connection()), rows=rows, ids=[one.id for one in due])
    _let_open(session, due, lines, changed, numbers, now)
    slots.rewrite_deadlines(session, _alike(numbers, changed), now)
    return len(due)


def _locked(session: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    about = (Station.id, Station.centre_id, Station.own_policy, Station.policy)
    wanted = select(*about).where(Station.id.in_(in_array(ids)), Station.policy_due).order_by(Station.id)
    return session.execute(wanted.with_for_update(key_share=True)).all()


def _let_open(
    session: Session,
    due: Sequence[Row[Any]],
    lines: Mapping[int, Mapping[str, PolicyLine]],
    changed: Mapping[int, Policy],
    numbers: Mapping[int, Policy],
    now: datetime,
) -> None:
    """Move the openings where their rule has changed, or a lock has set aside that of a plan."""
    moved = {one for one, was in changed.items() if _opens(was) != _opens(numbers[one])}
    for name in slots.OPENINGS:
        locking = {centre_id for centre_id, theirs in lines.items() if theirs[name].locked_by}
        locked = [one.id for one in due if one.centre_id in locking]
        moved |= set(slots.drop_own_openings(session, name, locked) if locked else ())
    if moved:
        slots.rewrite_openings(session, {one: numbers[one] for one in moved}, now)


def _alike(numbers: Mapping[int, Policy], changed: Mapping[int, Policy]) -> Mapping[Policy, Collection[int]]:
    """The stations whose deadlines change, by what applies there now."""
    found = defaultdict(list)
    for one, was in changed.items():
        if any(getattr(was, name) != getattr(numbers[one], name) for name in DEADLINES):
            found[numbers[one]].append(one)
    return found


def _opens(numbers: Policy) -> tuple[Any, ...]:
    return numbers.opens_workdays_before, numbers.opens_at


_APPLIED = CompiledStatement(update_rows(Station, ("policy",), policy_due=False))
