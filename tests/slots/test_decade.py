"""Every date of 2024 to 2034 in twelve zones: each plan runs each workday once, and no deadline is lost or doubled."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, policy, slots, workdays
from booking.db import transactions
from booking.mail import digests
from booking.model import Activity, Plan, Slot, Station, Workday, Zone
from booking.slots import deadlines
from booking.workdays import Calendar, DateRow, seeding

FIRST, LAST = date(2024, 1, 1), date(2034, 12, 31)
ONE_DAY = timedelta(days=1)
# Noon, and hours that a clock change leaves out or repeats somewhere.
STARTS = NOON, AFTER_MIDNIGHT, BY_NIGHT, BEFORE_MIDNIGHT = time(12, 10), time(0, 15), time(2, 30), time(23, 20)
# Shifts to the north and south, by half an hour, at midnight, and none; a zone that left out whole
# weeks of summer time (Casablanca), the earliest and nearly the latest clock of the world.
ZONES = {
    "Asia/Shanghai": NOON,
    "Asia/Kathmandu": BEFORE_MIDNIGHT,
    "Asia/Beirut": AFTER_MIDNIGHT,
    "Africa/Casablanca": BY_NIGHT,
    "Africa/Cairo": AFTER_MIDNIGHT,
    "Europe/London": NOON,
    "America/New_York": BY_NIGHT,
    "America/Santiago": BEFORE_MIDNIGHT,
    "America/St_Johns": BY_NIGHT,
    "Australia/Lord_Howe": BY_NIGHT,
    "Pacific/Kiritimati": AFTER_MIDNIGHT,
    "Pacific/Pago_Pago": BEFORE_MIDNIGHT,
}
NUMBERS = policy.Policy()


def dates() -> Iterator[date]:
    when = FIRST
    while when <= LAST:
        yield when
        when += ONE_DAY


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    """What has been announced, and Monday to Friday where nothing has."""
    announced = [row for year in seeding.seed_years() for row in seeding.seed_year(year)]
    return Calendar(DateRow(row.date, row.works, row.name, row.source) for row in announced)


def plan(zone: str, starts: time) -> Plan:
    """Every day of the week, workdays only."""
    station = Station(code="cbd", name="站", zone_name=zone)
    return Plan(station=station, weekdays="1234567", starts=starts, minutes=50, valid_from=FIRST, on_rest_days=False)


def zones_and_hours() -> Iterator[Any]:
    """Each zone at each hour; without --whole at one that its clock changes, if there is one."""
    for zone, likely in ZONES.items():
        for starts in STARTS:
            yield pytest.param(zone, starts, marks=[] if starts == likely else pytest.mark.whole)


@pytest.mark.parametrize(("zone", "starts"), list(zones_and_hours()))
def test_each_workday_has_one_slot_with_its_deadlines_in_order(calendar: Calendar, zone: str, starts: time) -> None:
    rule, before = plan(zone, starts), datetime(2023, 12, 1, tzinfo=UTC)
    opened: Counter[datetime] = Counter()
    for day in (calendar.day(when) for when in dates()):
        if not deadlines.runs_on(rule, day, None):
            assert not day.works
            continue
        assert day.works
        table = deadlines.of_plan(rule, day.date, NUMBERS, calendar, None)
        starts_at = table["starts_at"]
        assert before < starts_at, f"{day.date}: not after the one before"
        assert table["opens_at"] < table["free_until"] < table["waitlist_until"] < table["checkin_from"] < starts_at
        assert starts_at < table["release_at"] < table["ends_at"]
        assert (table["release_at"] - starts_at, table["ends_at"] - starts_at) == (
            timedelta(minutes=5),
            timedelta(minutes=50),
        )
        assert _reads(starts_at, zone, day.date, starts)
        workday = calendar.workday_before(day.date)
        assert _reads(table["opens_at"], zone, workday, NUMBERS.opens_at)
        opened[table["opens_at"]] += 1
        before = starts_at
    assert set(opened.values()) == {1}
    assert len(opened) == sum(calendar.is_workday(when) for when in dates())


def _reads(moment: datetime, zone: str, day: date, wall: time) -> bool:
    """Whether the wall clock shows that time; one that was left out is read with the offset before the change."""
    local = moment.astimezone(ZoneInfo(zone))
    if (local.date(), local.time()) == (day, wall):
        return local.fold == 0
    asked = datetime.combine(day, wall, ZoneInfo(zone))
    left_out = asked.utcoffset() != asked.replace(fold=1).utcoffset()
    return left_out and timedelta() < local.replace(tzinfo=None) - asked.replace(tzinfo=None) <= timedelta(hours=1)


@pytest.mark.parametrize("zone", ZONES)
def test_each_date_has_its_hours_for_digests_once(zone: str) -> None:
    for kind, (since, until) in digests.HOURS.items():
        over = datetime(2023, 12, 1, tzinfo=UTC)
        for when in dates():
            due, end = clock.instant(when, since, zone), clock.instant(when, until, zone)
            assert over < due < end, f"{kind} {when}"
            assert (
                clock.at_station(due, zone).date() == clock.at_station(end - timedelta(seconds=1), zone).date() == when
            )
            over = end


AROUND = {
    "week 53 of 2026": ("Asia/Shanghai", date(2026, 12, 21)),
    "29 February 2028": ("Asia/Shanghai", date(2028, 2, 21)),
    "summer time begins": ("America/New_York", date(2026, 3, 2)),
    "summer time ends": ("America/New_York", date(2026, 10, 26)),
    "midnight is left out": ("Asia/Beirut", date(2027, 3, 22)),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("when", AROUND)
def test_planned_day_by_day_each_workday_gets_exactly_one_slot_and_opens_once(session: Session, when: str) -> None:
    zone, first = AROUND[when]
    days = [first + n * ONE_DAY for n in range(21)]
    station_id = _station_with_plan(session, zone, first)
    for day in days:
        for wall in (time(0, 30), time(10, 0), time(23, 30)):
            now = clock.instant(day, wall, zone)
            with transactions.transaction(session):
                slots.plan_ahead(session, station_id, now)
            with transactions.transaction(session):
                slots.open_due(session, now)
    calendar = workdays.load(session, station_id, first, days[-1] + timedelta(days=30))
    planned = Counter(session.scalars(select(Slot.date).where(Slot.date <= days[-1])))
    assert planned == Counter(day for day in days if calendar.is_workday(day))
    states = {slot.date: slot.state for slot in session.scalars(select(Slot))}
    assert all(states[day] == "open" for day in planned if day > first)


def _station_with_plan(session: Session, zone: str, first: date) -> int:
    with transactions.transaction(session):
        session.add_all(Workday(date=d, works=d.isoweekday() <= 5, source="test") for d in _around(first))
        station = Station(code="cbd", name="站", zone_name=zone)
        session.add(station)
        session.flush()
        room = Zone(station_id=station.id, name="厅", capacity=20)
        yoga = Activity(station_id=station.id, kind="yoga", title="瑜伽")
        session.add_all([room, yoga])
        session.flush()
        columns = {"weekdays": "12345", "starts": time(12, 10), "minutes": 50, "capacity": 10, "valid_from": first}
        session.add(Plan(station_id=station.id, activity_id=yoga.id, zone_id=room.id, **columns))
        return station.id


def _around(first: date) -> Iterator[date]:
    return (first + n * ONE_DAY for n in range(-60, 60))
