"""Copying a week: its one-off slots and the exceptions of its plans, to the weeks after it.

What the plans make by themselves is not copied. A day takes what ran on the weekday that it follows, so a holiday takes
nothing, and a make-up workday takes the weekday that the calendar names.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking import clock, draws, workdays
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.model import Plan, PlanException, Slot, Station, WatchLink, Zone
from booking.slots import catalogue, deadlines, edits
from booking.slots.planning import clash, plan_ahead, untouched
from booking.workdays import Day

WEEK = timedelta(days=7)
MOST_WEEKS = 8


@dataclass(frozen=True)
class Copy:
    """One item for one day. `outcome` is `add`, or why it will not be copied: `holiday`, `zone_taken`, `same`, `past` …

    `people` is how many are booked on what it changes or conflicts with.
    """

    day: Day
    slot: Slot | None = None
    said: PlanException | None = None
    outcome: str = "add"
    people: int = 0
    there: Slot | None = None


@dataclass(frozen=True)
class Preview:
    """What a copy would do, day by day; the rest days that take nothing, and the make-up workdays."""

    copies: list[Copy]
    rests: list[Day]
    gained: list[Day]


def preview_week(session: Session, station: Station, monday: date, weeks: int, now: datetime) -> Preview:
    """What copying the week from `monday` to the next `weeks` weeks would do. Changes nothing."""
    last = monday + WEEK * (weeks + 1) - timedelta(days=1)
    calendar = workdays.load(session, station.id, monday, last)
    days = [calendar.day(monday + WEEK + timedelta(days=n)) for n in range(7 * weeks)]
    slots, exceptions = _of_week(session, station.id, monday)
    copies = [copy for day in days for copy in _for_day(session, station, calendar, day, (slots, exceptions), now)]
    rests = [day for day in days if not day.works and day.date.isoweekday() <= 5]
    return Preview(copies, rests, [day for day in days if day.works and day.date.isoweekday() > 5])


@transactional
def copy_week(
    session: Session, station: Station, monday: date, weeks: int, now: datetime, actor_id: int | None = None
) -> list[Copy]:
    """Copy the week. What became impossible since the preview is left out, and its `outcome` says why."""
    planned = preview_week(session, station, monday, weeks, now).copies
    done = [_do(session, station, copy, now, actor_id) for copy in planned]
    plan_ahead.inside(session, station.id, now)  # once: it looks at all slots of the station
    return done


def _of_week(session: Session, station_id: int, monday: date) -> tuple[list[Slot], list[PlanException]]:
    these = (monday, monday + WEEK - timedelta(days=1))
    one_offs = select(Slot).where(
        Slot.station_id == station_id, Slot.date.between(*these), Slot.plan_id.is_(None), Slot.state != "cancelled"
    )
    said = (
        select(PlanException)
        .join(PlanException.plan)
        .where(Plan.station_id == station_id, Plan.stopped_at.is_(None), PlanException.date.between(*these))
    )
    load = (joinedload(Slot.activity), joinedload(Slot.zone))
    slots = session.scalars(one_offs.options(*load).order_by(Slot.starts_at, Slot.id)).all()
    exceptions = session.scalars(said.options(joinedload(PlanException.plan)).order_by(PlanException.date)).all()
    return list(slots), [one for one in exceptions if not one.is_empty]


def _for_day(
    session: Session,
    station: Station,
    calendar: workdays.Calendar,
    day: Day,
    week: tuple[list[Slot], list[PlanException]],
    now: datetime,
) -> Iterator[Copy]:
    for slot in week[0]:
        if slot.date.isoweekday() != day.follows:
            continue
        rested = not calendar.is_workday(slot.date)  # a slot on a rest day was put there on purpose
        if day.works or rested:
            yield _slot_there(session, station, Copy(day, slot=slot), slot, now)
        else:
            yield Copy(day, slot=slot, outcome="holiday")
    for said in week[1]:
        if said.date.isoweekday() == day.follows and deadlines.runs_on(said.plan, day, None):
            yield _exception_there(session, Copy(day, said=said), said, now)


def _slot_there(session: Session, station: Station, copy: Copy, slot: Slot, now: datetime) -> Copy:
    wall = clock.at_station(slot.starts_at, station.zone_name).time()
    starts_at = clock.instant(copy.day.date, wall, station.zone_name)
    if starts_at <= now:
        return replace(copy, outcome="past")
    if slot.zone.closed_at:
        return replace(copy, outcome="no_such_zone")
    if slot.activity.retired_at:
        return replace(copy, outcome="no_such_activity")
    if slot.seats > slot.zone.capacity:
        return replace(copy, outcome="zone_max")
    there = clash(session, slot.zone_id, starts_at, starts_at + (slot.ends_at - slot.starts_at))
    if there is None:
        return copy
    same = (there.activity_id, there.starts_at, there.plan_id) == (slot.activity_id, starts_at, None)
    return replace(copy, outcome="same" if same else "zone_taken", there=there, people=there.taken + there.waiting)


def _exception_there(session: Session, copy: Copy, said: PlanException, now: datetime) -> Copy:
    known = session.get(PlanException, (said.plan_id, copy.day.date))
    if known and not known.is_empty:
        return replace(copy, outcome="same")
    zone = session.get_one(Zone, said.zone_id or said.plan.zone_id)
    if zone.closed_at or (said.capacity or said.plan.capacity) > zone.capacity:
        return replace(copy, outcome="no_such_zone" if zone.closed_at else "zone_max")
    slot = session.scalar(
        select(Slot).where(Slot.plan_id == said.plan_id, Slot.date == copy.day.date, Slot.state != "cancelled")
    )
    people = slot.taken + slot.waiting if slot else 0
    if slot and not said.skip and not untouched(slot, now):
        return replace(copy, outcome="slot_in_use", there=slot, people=people)
    if slot and not said.skip and slot.draw_id in draws.opened(session, slot.station_id, slot.date, now):
        return replace(copy, outcome="slot_in_draw", there=slot)
    return replace(copy, there=slot, people=people)


def _do(session: Session, station: Station, copy: Copy, now: datetime, actor_id: int | None) -> Copy:
    if copy.outcome != "add":
        return copy
    try:
        if copy.slot is not None:
            edits.add.inside(session, station.id, _wish(session, copy.slot, station, copy.day.date), now, actor_id)
        elif copy.said is not None:
            catalogue.save_exception.inside(session, _said(copy.said, copy.day.date), now, actor_id, ahead=False)
    except RuleViolation as no:
        return replace(copy, outcome=no.reason)
    return copy


def _wish(session: Session, slot: Slot, station: Station, when: date) -> edits.OneOff:
    """The same slot on another day. Its link to watch it online is not copied: it is of that day."""
    wall = clock.at_station(slot.starts_at, station.zone_name).time()
    minutes = int((slot.ends_at - slot.starts_at).total_seconds()) // 60
    given, hybrid = "draw" if slot.draw_id else "first", session.get(WatchLink, slot.id) is not None
    return edits.OneOff(slot.activity_id, slot.zone_id, when, wall, minutes, slot.seats, slot.host, given, hybrid)


def _said(one: PlanException, when: date) -> PlanException:
    same = {name: getattr(one, name) for name in ("plan_id", "skip", *PlanException.CHANGES)}
    return PlanException(date=when, **same)
