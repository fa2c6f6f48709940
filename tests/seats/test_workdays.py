"""Rule 1: workdays: as announced, by law where nothing is announced yet, or Monday to Friday."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import slots, workdays
from booking.db import transactions
from booking.model import Plan, Slot, Station, Workday
from booking.workdays import seeding, statutory
from tests.support.lunch_hour import SHANGHAI, LunchHour, make_station
from tests.support.statements import heard

# The lunar calendar, from two other sources: the first day of 春节, 清明, 端午 and 中秋.
LUNAR = {
    2025: ("01-29", "04-04", "05-31", "10-06"),
    2026: ("02-17", "04-05", "06-19", "09-25"),
    2027: ("02-06", "04-05", "06-09", "09-15"),
    2028: ("01-26", "04-04", "05-28", "10-03"),  # 中秋 within 国庆
    2029: ("02-13", "04-04", "06-16", "09-22"),
    2030: ("02-03", "04-05", "06-05", "09-12"),
}


def by_law(year: int) -> Iterator[date]:
    """The decision of the State Council of November 2024, written out."""
    spring, qingming, dragon, autumn = (date.fromisoformat(f"{year}-{day}") for day in LUNAR[year])
    yield from (date(year, 1, 1), date(year, 5, 1), date(year, 5, 2))
    yield from (spring + timedelta(days=n) for n in (-1, 0, 1, 2))
    yield from (qingming, dragon, autumn)
    yield from (date(year, 10, day) for day in (1, 2, 3))


@pytest.mark.parametrize("year", LUNAR)
def test_the_statutory_holidays_are_those_of_the_law_and_no_guesses(year: int) -> None:
    assert sorted(statutory.days_off(year)) == sorted(set(by_law(year)))
    assert set(statutory.days_off(year).values()) <= {"元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节"}


def test_a_statutory_holiday_that_nobody_has_announced_is_a_tentative_rest_day(session: Session) -> None:
    with transactions.transaction(session):
        workdays.seed(session)
    calendar = workdays.load(session, None, date(2026, 12, 1), date(2028, 12, 31))
    told = {when: calendar.day(when) for when in (date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 4))}
    assert [(day.works, day.tentative, day.name) for day in told.values()] == [
        (True, False, ""),
        (False, True, "元旦"),
        (True, True, ""),
    ]
    assert calendar.day(date(2028, 10, 3)) == workdays.Day(date(2028, 10, 3), False, 2, "国庆节", tentative=True)
    for year in (2027, 2028):
        assert not any(calendar.is_workday(when) for when in by_law(year))


def test_the_law_announces_nothing_and_is_learnt_once(session: Session) -> None:
    with transactions.transaction(session):
        added = workdays.seed(session)
    with transactions.transaction(session):
        assert (added > 1000, workdays.seed(session)) == (True, 0)
    assert workdays.announced_years(session) == {2024, 2025, 2026}
    ends = {date(2026, 11, 1): False, date(2026, 11, 3): True, date(2027, 1, 4): True}
    for today, soon in ends.items():
        known = workdays.known_until(session, today)
        assert (known, workdays.ends_soon(known, today)) == (date(2026, 12, 31), soon)


def test_the_libraries_are_asked_before_anything_is_locked(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    for module, name in ((statutory, "days_off"), (seeding, "seed_year")):
        ask = getattr(module, name)
        monkeypatch.setattr(module, name, lambda year, ask=ask: asked.append(session.info.get("writes")) or ask(year))
    assert workdays.seed(session) > 1000
    assert (len(asked) > 5, any(asked)) == (True, False)
    with heard(session.get_bind()) as sent:
        assert workdays.seed(session) == 0
    assert {one.text.split()[0] for one in sent} <= {"BEGIN", "SELECT"}


def test_a_year_that_the_library_learns_takes_the_place_of_the_law(session: Session) -> None:
    with transactions.transaction(session):
        workdays.seed(session)
    with transactions.transaction(session):  # as it was before the library knew 2026
        for row in session.scalars(select(Workday).where(Workday.date >= date(2026, 1, 1))):
            session.delete(row)
        session.add(Workday(date=date(2026, 1, 1), works=False, name="元旦", source="law"))
        session.add(Workday(date=date(2026, 12, 31), works=False, name="元旦", source="import 2026-11-25"))
    with transactions.transaction(session):
        workdays.seed(session)
    calendar = workdays.load(session, None, date(2026, 1, 1), date(2026, 12, 31))
    assert calendar.day(date(2026, 1, 1)).tentative is False
    assert calendar.is_workday(date(2026, 12, 31)) is False  # set by a notice already


def planned_around_new_year(session: Session, *, knowing: bool) -> LunchHour:
    """A station with a plan for every working day, planned on 21 December."""
    lunch = LunchHour(session)
    with transactions.transaction(session):
        there = session.get_one(Slot, lunch.slot_id)
        weekly = {"weekdays": "12345", "starts": time(14, 0), "minutes": 50, "capacity": 2}
        where = {"station_id": there.station_id, "activity_id": there.activity_id, "zone_id": there.zone_id}
        session.add(Plan(**where, **weekly, valid_from=date(2026, 12, 1)))
        if knowing:
            workdays.seed(session)
    plan_ahead(lunch)
    return lunch


def plan_ahead(lunch: LunchHour) -> slots.Planned:
    with transactions.transaction(lunch.session) as session:
        return slots.plan_ahead(session, lunch.station_id, datetime(2026, 12, 21, 9, 0, tzinfo=SHANGHAI))


def planned(lunch: LunchHour, first: date) -> dict[date, datetime]:
    lunch.session.rollback()
    found = select(Slot).where(Slot.date >= first, Slot.plan_id.is_not(None)).order_by(Slot.date)
    return {slot.date: slot.opens_at.astimezone(SHANGHAI) for slot in lunch.session.scalars(found)}


def test_nothing_is_planned_on_new_years_day_and_what_follows_opens_before_it(session: Session) -> None:
    lunch = planned_around_new_year(session, knowing=True)
    opens = planned(lunch, date(2026, 12, 31))
    assert list(opens) == [date(2026, 12, 31), date(2027, 1, 4)]
    assert opens[date(2027, 1, 4)] == datetime(2026, 12, 31, 10, 0, tzinfo=SHANGHAI)


def test_slots_planned_on_a_day_that_turns_out_a_holiday_go_but_for_those_that_people_are_on(session: Session) -> None:
    lunch = planned_around_new_year(session, knowing=False)
    assert date(2027, 1, 1) in planned(lunch, date(2026, 12, 31))
    with transactions.transaction(session):
        held = session.scalars(select(Slot).where(Slot.date == date(2027, 1, 1))).one()
        held.taken = 1
        workdays.seed(session)
    assert plan_ahead(lunch).withdrawn == 0
    station = session.get_one(Station, lunch.station_id)
    now = datetime(2026, 12, 21, 9, 0, tzinfo=SHANGHAI)
    assert [slot.id for slot in slots.stranded(session, station, now)] == [held.id]
    with transactions.transaction(session):
        session.get_one(Slot, held.id).taken = 0
    assert plan_ahead(lunch).withdrawn == 1
    assert date(2027, 1, 1) not in planned(lunch, date(2026, 12, 31))


def test_a_manager_may_open_on_a_statutory_holiday(session: Session) -> None:
    with transactions.transaction(session):
        workdays.seed(session)
        station_id = make_station(session, "cbd")
        workdays.override(session, station_id, date(2027, 1, 1), works=True, follows=None, note="照常")
    assert workdays.load(session, station_id, date(2027, 1, 1), date(2027, 1, 1)).is_workday(date(2027, 1, 1))
