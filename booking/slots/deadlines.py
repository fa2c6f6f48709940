"""Deadlines: the instants of one slot, from wall times, policy and calendar."""

from datetime import date, datetime, time, timedelta
from typing import TypedDict

from booking import clock
from booking.model import Plan, PlanException
from booking.policy import Policy
from booking.workdays import Calendar, Day


class Timetable(TypedDict):
    """The instants that a slot carries; see `model.Slot`."""

    opens_at: datetime
    free_until: datetime
    waitlist_until: datetime
    checkin_from: datetime
    starts_at: datetime
    release_at: datetime
    ends_at: datetime


def deadlines(starts_at: datetime, ends_at: datetime, numbers: Policy) -> Timetable:
    """Everything that follows from start, end and policy; `opens_at` is a placeholder, the start."""
    minutes = {name: timedelta(minutes=getattr(numbers, f"{name}_minutes")) for name in ("free", "line", "checkin")}
    return Timetable(
        opens_at=starts_at,
        free_until=starts_at - minutes["free"],
        waitlist_until=starts_at - minutes["line"],
        checkin_from=starts_at - minutes["checkin"],
        starts_at=starts_at,
        release_at=min(starts_at + timedelta(minutes=numbers.grace_minutes), ends_at),
        ends_at=ends_at,
    )


def opening(day: date, calendar: Calendar, zone: str, workdays_before: int, wall: time) -> datetime:
    """The instant at which the slots of `day` open: `wall` on the n-th workday before it."""
    return clock.instant(calendar.workday_before(day, workdays_before), wall, zone)


def of_plan(plan: Plan, day: date, numbers: Policy, calendar: Calendar, said: PlanException | None) -> Timetable:
    """The deadlines of `plan` on `day`, with an exception for that date if there is one."""
    table = deadlines(*hours(plan, day, said), numbers)
    how = opens(plan.opens_workdays_before, plan.opens_clock, numbers)
    table["opens_at"] = min(opening(day, calendar, plan.station.zone_name, *how), table["starts_at"])
    return table


def hours(plan: Plan, day: date, said: PlanException | None) -> tuple[datetime, datetime]:
    """Start and end of `plan` on `day`, with an exception for that date if there is one."""
    starts_at = clock.instant(day, (said and said.starts) or plan.starts, plan.station.zone_name)
    return starts_at, starts_at + timedelta(minutes=plan.minutes)


def opens(workdays_before: int | None, wall: time | None, numbers: Policy) -> tuple[int, time]:
    """How many workdays before, and at what wall time, slots of a plan open that says this of itself."""
    return numbers.opens_workdays_before if workdays_before is None else workdays_before, wall or numbers.opens_at


def runs_on(plan: Plan, day: Day, said: PlanException | None) -> bool:
    """Whether the weekly rule makes a slot on that day."""
    if plan.stopped_at or (said and said.skip):
        return False
    if day.date < plan.valid_from or (plan.valid_until and day.date > plan.valid_until):
        return False
    return str(day.follows) in plan.weekdays and (day.works or plan.on_rest_days)
