"""Catalogue: what a manager changes for a whole station: plans, zones, activities, calendar.

Each verb leaves the slots to `plan_ahead`, which updates those without bookings in the same transaction.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from booking import clock, draws, pictures, workdays
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Activity, Plan, PlanException, Slot, Station, Zone
from booking.sanitise import name_key
from booking.slots import deadlines
from booking.slots.planning import Planned, plan_ahead, untouched, zone_on
from booking.slots.station_policy import check_openings
from booking.slots.value_rules import check_value

Item = TypeVar("Item", Plan, Zone, Activity)


class NothingSaved(Exception):
    """A set of items was not saved: the refusals by the place of the item, none after a mere trial."""

    def __init__(self, refusals: Mapping[int, RuleViolation]) -> None:
        super().__init__()
        self.refusals = refusals


@transactional
def save_plan(
    session: Session, plan: Plan, now: datetime, actor_id: int | None = None, *, ahead: bool = True
) -> Planned:
    """Add or change a plan; refused when its zone is too small, or used by another plan at that time.

    Its slots are made at once, or, where not `ahead`, by the next planning run.
    """
    plan, changed = _incoming(session, plan)
    zone = _zone_and_activity(session, plan)
    if not 1 <= plan.capacity <= zone.capacity:
        raise RuleViolation("zone_max", limit=zone.capacity)
    if other := _rival(session, plan):
        raise RuleViolation("zone_taken", plan_id=other.id)
    check_value(session, plan)
    check_openings(session, plan)
    is_given_anew = bool({"allocation", "draw_share"} & changed.keys())
    if plan.id and is_given_anew and (under_way := draws.under_way(session, plan.id, now)):
        details = {"entered": under_way.entered, "until": under_way.result_at, "applies": under_way.next_at}
        raise RuleViolation("draw_gathering", **details)
    kind = "plan_changed" if plan.id else "plan_added"
    session.add(plan)
    session.flush()
    _note(session, kind, now, plan.station_id, actor_id, plan_id=plan.id, changed=changed)
    return plan_ahead.inside(session, plan.station_id, now) if ahead else Planned()


@transactional
def stop_plan(session: Session, plan: Plan, now: datetime, actor_id: int | None = None) -> Planned:
    """Stop a plan: it makes no more slots. Those with bookings stay, and are listed as stranded."""
    plan.stopped_at = plan.stopped_at or now
    session.flush()
    _note(session, "plan_stopped", now, plan.station_id, actor_id, plan_id=plan.id)
    return plan_ahead.inside(session, plan.station_id, now)


@transactional
def save_exception(
    session: Session, exception: PlanException, now: datetime, actor_id: int | None = None, *, ahead: bool = True
) -> Planned:
    """Change or skip a plan on one date. Its slot is made or moved at once, or, where not `ahead`, as for `save_plan`."""
    plan = session.get_one(Plan, exception.plan_id)
    zone = session.get(Zone, exception.zone_id or plan.zone_id)
    if zone is None or zone.station_id != plan.station_id or zone.closed_at:
        raise RuleViolation("no_such_zone")
    if (exception.capacity or plan.capacity) > zone.capacity:
        raise RuleViolation("zone_max", limit=zone.capacity)
    _leave_people_alone(session, exception, now)
    session.merge(exception)
    session.flush()
    session.refresh(plan, ["exceptions"])
    when = exception.date.isoformat()
    _note(session, "exception", now, plan.station_id, actor_id, plan_id=plan.id, date=when, skip=exception.skip)
    return plan_ahead.inside(session, plan.station_id, now) if ahead else Planned()


@transactional
def save_zone(session: Session, zone: Zone, now: datetime, actor_id: int | None = None) -> None:
    """Add or change a zone; its capacity cannot fall below that of a slot or plan in it. A closed one keeps its name."""
    zone, changed = _incoming(session, zone)
    if zone.id:
        planned = largest_planned(session, zone.id, now)
        if zone.capacity < planned:
            raise RuleViolation("zone_in_use", limit=planned)
    if not zone.id or _renamed(changed, "name"):
        if _has_twin(session, zone, "name", Zone.closed_at.is_(None)):
            raise RuleViolation("name_taken")
        if _has_twin(session, zone, "name"):
            raise RuleViolation("name_reserved")
    session.add(zone)
    session.flush()
    _note(session, "zone_saved", now, zone.station_id, actor_id, zone=zone.id, name=zone.name, changed=changed)


@transactional
def close_zone(session: Session, zone: Zone, now: datetime, actor_id: int | None = None) -> None:
    """Close a zone without plans and coming slots."""
    if largest_planned(session, zone.id, now):
        raise RuleViolation("zone_in_use", limit=largest_planned(session, zone.id, now))
    zone.closed_at = zone.closed_at or now
    _note(session, "zone_closed", now, zone.station_id, actor_id, zone=zone.id)


@transactional
def save_activity(
    session: Session, activity: Activity, now: datetime, actor_id: int | None = None, *, same_host: bool = False
) -> None:
    """Add or change an activity. The title of an archived one is free, and taken again when that is restored.

    What its teacher held stays with the old name, unless another name is that of the `same_host`.
    """
    activity, changed = _incoming(session, activity)
    named = not activity.id or _renamed(changed, "title") or "retired_at" in changed
    if named and _has_twin(session, activity, "title", Activity.retired_at.is_(None)):
        raise RuleViolation("name_taken")
    session.add(activity)
    session.flush()
    if was := changed.get("host", [""])[0]:
        (_correct_host if same_host else _keep_host)(session, activity, was)
    left, _taken = changed.get("picture", ("", ""))
    pictures.keep(session, activity.picture, left, now)
    told = {"activity": activity.id, "name": activity.title, "changed": changed}
    _note(session, "activity_saved", now, activity.station_id, actor_id, **told)


def _keep_host(session: Session, activity: Activity, host: str) -> None:
    """Write who held them to the slots that are over: they are counted by teacher."""
    held = (Slot.activity_id == activity.id, Slot.host.is_(None), Slot.state == "done")
    session.execute(update(Slot).where(*held).values(host=host), execution_options=transactions.NO_SYNC)


def _correct_host(session: Session, activity: Activity, was: str) -> None:
    """Let the slots that are over, and were written to this teacher, follow the activity again."""
    held = (Slot.activity_id == activity.id, Slot.host == was, Slot.state == "done")
    session.execute(update(Slot).where(*held).values(host=None), execution_options=transactions.NO_SYNC)


@transactional
def save_all(
    session: Session,
    items: Sequence[Activity | Plan],
    now: datetime,
    actor_id: int | None = None,
    *,
    only_try: bool = False,
) -> None:
    """Add all of these, or none: raises `NothingSaved` with every refusal, and always where it is only tried.

    Slots are made once, after all plans: for each plan it would look at all of the station's again.
    """
    refusals: dict[int, RuleViolation] = {}
    for place, item in enumerate(items):
        try:
            if isinstance(item, Plan):
                save_plan.inside(session, item, now, actor_id, ahead=False)
            else:
                save_activity.inside(session, item, now, actor_id)
        except RuleViolation as no:
            refusals[place] = no
    if refusals or only_try:
        raise NothingSaved(refusals)
    for station_id in sorted({item.station_id for item in items if isinstance(item, Plan)}):
        plan_ahead.inside(session, station_id, now)


@transactional
def retire_activity(session: Session, activity: Activity, now: datetime, actor_id: int | None = None) -> None:
    """Archive an activity that no running plan and no coming slot uses."""
    plans = select(func.count(Plan.id)).where(Plan.activity_id == activity.id, Plan.stopped_at.is_(None))
    coming = select(func.count(Slot.id)).where(
        Slot.activity_id == activity.id, Slot.state.in_(("planned", "open", "running")), Slot.ends_at > now
    )
    if session.scalar(plans) or session.scalar(coming):
        raise RuleViolation("activity_in_use")
    activity.retired_at = activity.retired_at or now
    _note(session, "activity_retired", now, activity.station_id, actor_id, activity=activity.id)


@transactional
def set_day(
    session: Session,
    station: Station,
    when: date,
    works: bool | None,
    now: datetime,
    *,
    follows: int | None = None,
    note: str = "",
    actor_id: int | None = None,
) -> Planned:
    """The manager's override of one date; `works` None removes it. Today and the past cannot be changed."""
    if when <= clock.at_station(now, station.zone_name).date():
        raise RuleViolation("past")
    if works is None:
        workdays.clear_override(session, station.id, when)
    else:
        workdays.override(session, station.id, when, works, follows, note)
    session.flush()
    _note(session, "calendar", now, station.id, actor_id, date=when.isoformat(), works=works)
    return plan_ahead.inside(session, station.id, now)


@transactional
def renew_door(session: Session, station: Station, now: datetime, actor_id: int | None = None) -> None:
    """A new secret for the check-in codes: it unpairs every kiosk, and invalidates every code shown."""
    station.door_secret = secrets.token_hex(20)
    _note(session, "door_renewed", now, station.id, actor_id)


@transactional
def show_headline(session: Session, station: Station, shows: bool, now: datetime, actor_id: int | None = None) -> None:
    """Set whether everybody may see how many slots and visits the station has had."""
    station.shows_headline = shows
    _note(session, "headline", now, station.id, actor_id, shows=shows)


def stranded(session: Session, station: Station, now: datetime) -> Sequence[Slot]:
    """Coming slots with bookings, or whose draw has opened, that the plans and the calendar would not make any more, or
    at another time, in another zone or with another activity."""
    first = clock.at_station(now, station.zone_name).date()
    found = kept(session, station, [slot for slot in _coming(session, station.id, now) if slot.plan_id], now)
    last = max((slot.date for slot in found), default=first) + timedelta(days=1)
    calendar = workdays.load(session, station.id, first, last)
    return [slot for slot in found if not _still_due(session, slot, calendar)]


def _zone_and_activity(session: Session, plan: Plan) -> Zone:
    """The plan's zone; refused where it, or the activity, is another station's or out of use."""
    zone, activity = session.get(Zone, plan.zone_id), session.get(Activity, plan.activity_id)
    if zone is None or zone.station_id != plan.station_id or zone.closed_at:
        raise RuleViolation("no_such_zone")
    is_out_of_use = activity is not None and activity.retired_at and not plan.stopped_at
    if activity is None or activity.station_id != plan.station_id or is_out_of_use:
        raise RuleViolation("no_such_activity")
    return zone


def kept(session: Session, station: Station, coming: Sequence[Slot], now: datetime) -> list[Slot]:
    """Those of a station's coming slots that planning leaves as they are: with people, or with a draw that has opened."""
    entered = draws.opened(session, station.id, clock.at_station(now, station.zone_name).date(), now)
    return [slot for slot in coming if slot.draw_id in entered or not untouched(slot, now)]


def _leave_people_alone(session: Session, exception: PlanException, now: datetime) -> None:
    """Refuse a change of a date with bookings, or with an opened draw: planning changes no such slot, so it would not
    take effect."""
    slot = session.scalar(select(Slot).where(Slot.plan_id == exception.plan_id, Slot.date == exception.date))
    if slot is None or slot.state == "cancelled" or not exception.changes or exception.skip:
        return
    if slot.draw_id in draws.opened(session, slot.station_id, slot.date, now) and untouched(slot, now):
        raise RuleViolation("slot_in_draw", entered=sum(draws.entered(session, [slot.draw_id or 0]).values()))
    if not untouched(slot, now):
        raise RuleViolation("slot_in_use", taken=slot.taken, waiting=slot.waiting)


def _still_due(session: Session, slot: Slot, calendar: workdays.Calendar) -> bool:
    plan = session.get_one(Plan, slot.plan_id)
    said = session.get(PlanException, (plan.id, slot.date))
    zone_id = zone_on(plan, said, partial(session.get_one, Zone))
    due = (*deadlines.hours(plan, slot.date, said), zone_id, plan.activity_id)
    is_like_it = (slot.starts_at, slot.ends_at, slot.zone_id, slot.activity_id) == due
    return is_like_it and deadlines.runs_on(plan, calendar.day(slot.date), said)


def _coming(session: Session, station_id: int, now: datetime) -> Sequence[Slot]:
    found = select(Slot).where(Slot.station_id == station_id, Slot.state.in_(("planned", "open")), Slot.starts_at > now)
    return session.scalars(found.order_by(Slot.id)).all()


def _rival(session: Session, plan: Plan) -> Plan | None:
    """A running plan that would use the same zone at the same time on some weekday."""
    with session.no_autoflush:
        others = session.scalars(
            select(Plan).where(
                Plan.zone_id == plan.zone_id,
                Plan.stopped_at.is_(None),
                or_(Plan.valid_until.is_(None), Plan.valid_until >= plan.valid_from),
            )
        ).all()
    return next((other for other in others if other is not plan and _collide(plan, other)), None)


def _collide(one: Plan, other: Plan) -> bool:
    if not set(one.weekdays) & set(other.weekdays):
        return False
    if one.valid_until and other.valid_from > one.valid_until:
        return False
    begins, others = _minute(one), _minute(other)
    return begins < others + other.minutes and others < begins + one.minutes


def _minute(plan: Plan) -> int:
    return plan.starts.hour * 60 + plan.starts.minute


def largest_planned(session: Session, zone_id: int, now: datetime) -> int:
    """The largest number of people in a coming slot, a running plan or a date of one in the zone, which its capacity
    cannot fall below."""
    slots = select(func.max(Slot.capacity + Slot.door_seats)).where(
        Slot.zone_id == zone_id, Slot.state != "cancelled", Slot.ends_at > now
    )
    station_id = select(Zone.station_id).where(Zone.id == zone_id).scalar_subquery()
    running = (Plan.station_id == station_id, Plan.stopped_at.is_(None))
    plans = select(func.max(Plan.capacity)).where(*running, Plan.zone_id == zone_id)
    # Until then the slots are there.
    later = (PlanException.date > now.date(), PlanException.skip.is_(False))
    here = func.coalesce(PlanException.zone_id, Plan.zone_id) == zone_id
    dates = select(func.max(func.coalesce(PlanException.capacity, Plan.capacity))).join(PlanException.plan)
    asked = (slots, plans, dates.where(*running, *later, here))
    with session.no_autoflush:
        return max(session.scalar(one) or 0 for one in asked)


def _incoming(session: Session, wanted: Item) -> tuple[Item, dict[str, list[str]]]:
    """The item with the wanted columns, new or one of the session's, and what changes: column, before, after.

    Called first: whatever reads the database next may flush the changes. The rules about the others of a station hold
    because its catalogue is changed by one transaction at a time.
    """
    table = type(wanted).__table__
    with session.no_autoflush:
        transactions.advisory_lock(session, f"catalogue {wanted.station_id}")
        before = session.execute(select(table).where(table.c.id == wanted.id)).mappings().one_or_none()
        item = session.merge(wanted) if before else wanted
    pairs = {name: (before[name], getattr(item, name)) for name in before} if before else {}
    return item, {name: [_said(was), _said(became)] for name, (was, became) in pairs.items() if was != became}


def _renamed(changed: Mapping[str, list[str]], column: str) -> bool:
    """Whether a name changed by more than width, case and spaces. Twins of earlier days can be edited."""
    was, became = changed.get(column, ("", ""))
    return name_key(was) != name_key(became)


def _has_twin(session: Session, item: Zone | Activity, column: str, *among: ColumnElement[bool]) -> bool:
    """Whether another one of the station's has that name, however it is written."""
    table, mine = type(item), name_key(getattr(item, column))
    others = select(getattr(table, column)).where(
        table.station_id == item.station_id, table.id != (item.id or 0), *among
    )
    with session.no_autoflush:
        return mine in map(name_key, session.scalars(others))


def _said(value: Any) -> str:
    return "" if value is None else str(value)[:80]


def _note(session: Session, kind: str, now: datetime, station_id: int, actor_id: int | None, **details: Any) -> None:
    record(session, kind, now, actor_id=actor_id, station_id=station_id, **details)
