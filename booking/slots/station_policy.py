"""Station policy: changes the numbers of a station's rules, and brings its coming slots in step with them.

A number that a node above locks is final there. Slots that are open stay open: only planning moves the opening of slots
that nobody has booked.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.orm import Session

from booking import policy, tree, workdays
from booking.db import transactions
from booking.db.arrays import in_array, is_in_array, to_text, update_rows
from booking.db.intervals import minutes_after
from booking.db.statements import CompiledStatement, wrap
from booking.db.transactions import NO_SYNC, transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.inheritance import PolicyLine, effective_policy, lines_of
from booking.model import Event, Plan, Slot, Station
from booking.policy import BOUNDS, Policy
from booking.slots import deadlines
from booking.slots.planning import Planned, plan_ahead
from booking.workdays import Calendar

# What a station can set: all but the limits of the city.
STATION_NUMBERS = (*BOUNDS, "opens_at")
# The numbers that say when slots open, each with the column of a plan that may say otherwise.
OPENINGS = {"opens_workdays_before": "opens_workdays_before", "opens_at": "opens_clock"}
# An array, whose length the planner knows: given a subquery it reads the coming slots of all stations.
_OF_STATIONS = is_in_array(Slot.station_id, "stations")
# Slots with seats taken whose people may cancel freely until the start.
_FREE_UNTIL_START = and_(Slot.taken > 0, Slot.free_until == Slot.starts_at)
# What opens before so long may be booked while a transaction of ours lasts; slots open by the clock, whatever their state.
OPENS_SOON = timedelta(minutes=1)


@transactional
def set_policy(
    session: Session,
    station: Station,
    numbers: Policy,
    now: datetime,
    actor_id: int | None = None,
    *,
    own: Collection[str] | None = None,
) -> Planned:
    """Change a station's policy. Slots that have not started get the new deadlines; open ones stay open, and people on a
    moved or restored slot may still cancel freely until it starts.

    In a network `own` names the numbers that the station sets itself, by default those that differ from what it inherits;
    the others are inherited. Raises `out_of_bounds`, and `policy_locked` for another value of a locked number, each with the
    names of the numbers in `fields`.
    """
    transactions.advisory_lock(session, plan_lock(station.id))
    session.refresh(station, with_for_update={"key_share": True})
    if wrong := policy.out_of_bounds(numbers):
        raise RuleViolation("out_of_bounds", fields=" ".join(wrong))
    if above := tree.nodes_above(session, station):
        station.own_policy = _own(station.own_policy or {}, lines_of(above), numbers, own)
        numbers = effective_policy(above, station.own_policy)
    before, station.policy = station.policy, policy.write(numbers)
    record(session, "policy", now, actor_id=actor_id, station_id=station.id, was=before, became=station.policy)
    session.flush()
    rewrite_deadlines(session, {numbers: [station.id]}, now)
    session.expire_all()
    return plan_ahead.inside(session, station.id, now)


def plan_lock(station_id: int) -> str:
    """The name by which planning of one station is serialised."""
    return f"plan {station_id}"


def check_openings(session: Session, plan: Plan) -> None:
    """Refuse an opening of the plan's own, where a node locks when slots open. Raises `policy_locked`."""
    asked = {number: getattr(plan, column) for number, column in OPENINGS.items()}
    if all(value is None for value in asked.values()):
        return
    with session.no_autoflush:
        above = tree.nodes_above(session, session.get_one(Station, plan.station_id))
    refuse_locked(lines_of(above), {name: value for name, value in asked.items() if value is not None}, OPENINGS)


def refuse_locked(
    lines: Mapping[str, PolicyLine], asked: Mapping[str, Any], fields: Mapping[str, str] | None = None
) -> None:
    """Raises `policy_locked` when a number is asked for that differs from a locked one, named as in `fields`."""
    wrong = [name for name, value in asked.items() if (line := lines[name]).locked_by and value != line.value]
    if wrong and (by := lines[wrong[0]].locked_by):
        named = " ".join((fields or {}).get(name, name) for name in wrong)
        raise RuleViolation("policy_locked", fields=named, node=by.name)


def rewrite_deadlines(session: Session, stations: Mapping[Policy, Collection[int]], now: datetime) -> None:
    """Write the deadlines that follow from these numbers to all slots of their stations that have not started.

    `opens_at` stays, and so does free cancellation until the start that people were promised. The session's own copies of
    the slots are not refreshed. Slots that can be booked come last: who books one waits for as short as possible; and all
    of them are locked at once, by id, as those who book lock theirs.
    """
    numbers_of = {one: numbers for numbers, theirs in stations.items() for one in theirs}
    closed = and_(Slot.state == "planned", Slot.opens_at > now + OPENS_SOON)
    for which in (closed, and_(Slot.state.in_(("planned", "open")), ~closed)):
        coming = (_OF_STATIONS, which, Slot.starts_at > now)
        about = (Slot.id, Slot.station_id, _FREE_UNTIL_START.label("free"))
        locked = select(*about).where(*coming).order_by(Slot.id).with_for_update(key_share=True)
        rows = session.execute(locked, {"stations": list(numbers_of)}).all()
        promised = _promised(session, [row.id for row in rows if row.free])
        alike = defaultdict(list)
        for row in rows:
            alike[numbers_of[row.station_id], row.id in promised].append(row.id)
        for (numbers, stays_free), found in alike.items():
            table = _table(numbers)
            if stays_free:
                del table["free_until"]
            stale = or_(*(getattr(Slot, name) != moment for name, moment in table.items()))
            write = update(Slot).where(Slot.id.in_(in_array(found)), stale).values(table)
            session.execute(write, execution_options=NO_SYNC)


def rewrite_openings(session: Session, numbers: Mapping[int, Policy], now: datetime) -> None:
    """Write when the untouched slots of these stations open, as planning would. What has opened stays open, and slots
    whose seats are drawn are left to planning."""
    rows = session.execute(_untouched(now), {"stations": list(numbers)}).all()
    if not rows:
        return
    days = [row.date for row in rows]
    country, own = workdays.load_each(session, min(days), max(days))
    moved, known = [], _Openings(country, own)
    for row in rows:
        opens_at = min(known.of(row, numbers[row.station_id]), row.starts_at)
        if opens_at != row.opens_at:
            moved.append([row.id, to_text(opens_at)])
    _MOVE.run(wrap(session.connection()), rows=moved, ids=[one[0] for one in moved])


def drop_own_openings(session: Session, number: str, station_ids: Sequence[int]) -> Sequence[int]:
    """Let the plans of these stations open by this number of the policy, because a node has locked it. Returns the
    stations that had a plan with its own."""
    column = getattr(Plan, OPENINGS[number])
    theirs = (Plan.station_id.in_(in_array(station_ids)), column.is_not(None))
    found = session.execute(select(Plan.id, Plan.station_id).where(*theirs)).all()
    if found:
        write = update(Plan).where(Plan.id.in_(in_array([one.id for one in found]))).values({column: None})
        session.execute(write, execution_options=NO_SYNC)
    return [one.station_id for one in found]


class _Openings:
    """When slots open, computed once for each date, calendar and rule: whole cities open at the same time."""

    def __init__(self, country: Calendar, own: Mapping[int, Calendar]) -> None:
        self.country, self.own = country, own
        self._known: dict[Hashable, datetime] = {}

    def of(self, row: Any, numbers: Policy) -> datetime:
        """`row` is one of `_untouched`."""
        calendar = self.own.get(row.station_id, self.country)
        before, wall = deadlines.opens(row.opens_workdays_before, row.opens_clock, numbers)
        key = (id(calendar), row.date, row.zone_name, before, wall)
        if key not in self._known:
            self._known[key] = deadlines.opening(row.date, calendar, row.zone_name, before, wall)
        return self._known[key]


def _own(
    stored: Mapping[str, Any], lines: Mapping[str, PolicyLine], numbers: Policy, names: Collection[str] | None
) -> dict[str, Any]:
    """What the station stores of its own: what it sets now, and below a lock what it had set before."""
    wanted = vars(numbers)
    if names is None:
        names = {name for name in STATION_NUMBERS if name in stored or wanted[name] != lines[name].value}
    refuse_locked(lines, {name: wanted[name] for name in names})
    free = [name for name in STATION_NUMBERS if name in names and not lines[name].locked_by]
    kept = {name: value for name, value in stored.items() if name in lines and lines[name].locked_by}
    return kept | policy.write_own(numbers, free)


def _promised(session: Session, slot_ids: Sequence[int]) -> set[int | None]:
    """Those of these slots that are free until the start because they were moved or restored, not by the policy."""
    told = (Event.slot_id.in_(in_array(slot_ids)), Event.kind.in_(("slot_moved", "reinstated")))
    return set(session.scalars(select(Event.slot_id).where(*told))) if slot_ids else set()


def _table(numbers: Policy) -> dict[str, Any]:
    """What `deadlines.deadlines` computes, computed by the database; the columns that a policy decides."""
    released = minutes_after(Slot.starts_at, numbers.grace_minutes)
    return {
        "free_until": minutes_after(Slot.starts_at, -numbers.free_minutes),
        "waitlist_until": minutes_after(Slot.starts_at, -numbers.line_minutes),
        "checkin_from": minutes_after(Slot.starts_at, -numbers.checkin_minutes),
        "release_at": case((released < Slot.ends_at, released), else_=Slot.ends_at),
    }


def _untouched(now: datetime) -> Any:
    """Slots of plans of the `stations` that have not opened and that nobody is on, locked."""
    about = (Slot.id, Slot.station_id, Slot.date, Slot.opens_at, Slot.starts_at)
    rule = (Plan.opens_workdays_before, Plan.opens_clock, Station.zone_name)
    free = (Slot.taken == 0, Slot.waiting == 0, Slot.draw_id.is_(None))
    ahead = (Slot.state == "planned", Slot.opens_at > now, Slot.starts_at > now)
    found = select(*about, *rule).join(Plan, Slot.plan_id == Plan.id).join(Station, Slot.station_id == Station.id)
    return found.where(_OF_STATIONS, *free, *ahead).order_by(Slot.id).with_for_update(key_share=True, of=Slot)


_MOVE = CompiledStatement(update_rows(Slot, ("opens_at",)))
