"""Value rules: which public value the draws of a plan can have."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, draws, policy
from booking.errors import RuleViolation
from booking.model import Plan, Station
from booking.policy import Policy
from booking.slots import deadlines

# Any day: from opening to start it is never shorter than over workdays only.
SOME_DAY = date(2026, 6, 10)


def check_value(session: Session, plan: Plan) -> None:
    """Refuse a value that would come before the list is sealed, or too late to draw, or that differs from another
    plan's in the same draws."""
    if plan.value_kind in (None, "none"):
        return
    value = draws.value_of(plan)
    if value is None or not value.source:
        raise RuleViolation("value_unnamed")
    station = session.get_one(Station, plan.station_id)
    numbers = policy.read(station.policy)
    closes_at, waitlist_until = _usual(plan, numbers, station.zone_name)
    begins = draws.value_from(value.wall, closes_at, station.zone_name)
    if begins <= closes_at:
        raise RuleViolation("value_before_closing", time=_wall(closes_at, station))
    if begins > (latest := draws.latest_value(waitlist_until)):
        raise RuleViolation("value_too_late", time=_wall(latest, station))
    if other := _rival(session, plan, numbers):
        raise RuleViolation("value_rival", source=other.value_source)


def _usual(plan: Plan, numbers: Policy, zone: str) -> tuple[datetime, datetime]:
    """When its draws close, and the waiting list ends after that, over days that are all workdays."""
    days, opens = _opening(plan, numbers)
    opens_at = clock.instant(SOME_DAY - timedelta(days=days), opens, zone)
    waitlist_until = clock.instant(SOME_DAY, plan.starts, zone) - timedelta(minutes=numbers.line_minutes)
    return draws.closing(opens_at, waitlist_until, numbers), waitlist_until


def _opening(plan: Plan, numbers: Policy) -> tuple[int, time]:
    return deadlines.opens(plan.opens_workdays_before, plan.opens_clock, numbers)


def _wall(at: datetime, station: Station) -> str:
    return f"{clock.at_station(at, station.zone_name):%H:%M}"


def _rival(session: Session, plan: Plan, numbers: Policy) -> Plan | None:
    """A running plan of the same draws, which asks for another value."""
    typed = (Plan.station_id == plan.station_id, Plan.stopped_at.is_(None), Plan.value_kind != "none")
    with session.no_autoflush:
        others = session.scalars(select(Plan).where(*typed).order_by(Plan.id)).all()
    same_draw = (
        other
        for other in others
        if other is not plan
        and set(other.weekdays) & set(plan.weekdays)
        and _opening(other, numbers) == _opening(plan, numbers)
    )
    return next((other for other in same_draw if draws.value_of(other) != draws.value_of(plan)), None)
