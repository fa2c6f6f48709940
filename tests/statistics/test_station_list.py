"""The list of all stations: what it says of each, how it sorts, and which stand on top."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking import people, statistics, workdays
from booking.db import transactions
from booking.model import Manages, Person, SetAside, Slot, Station, StationDayTotals, Suppression
from booking.statistics import Span, StationRow
from tests.support.lunch_hour import LunchHour, at, make_manager
from tests.support.statements import heard

DAY = timedelta(days=1)
NOW = at("Tue 12:20")
TODAY = NOW.date()  # 2026-11-24


def listed(session: Session, now: datetime = NOW, **asked: str) -> Sequence[StationRow]:
    session.rollback()
    return statistics.station_list(session, now, **asked).items  # type: ignore[arg-type]


def codes(session: Session, now: datetime = NOW, **asked: str) -> list[str]:
    return [row.code for row in listed(session, now, **asked)]


def count(session: Session, now: datetime) -> None:
    """As the job does."""
    session.rollback()
    for day in statistics.days_to_count(session, now):
        statistics.count_day(session, day, statistics.stations_to_count(session, day))


def make_days(session: Session, code: str, last_held: date | None, **counts: int) -> int:
    """A station of four counted weeks that held a slot on each day up to `last_held`."""
    with transactions.transaction(session):
        station = Station(code=code, name=code, zone_name="Asia/Shanghai")
        session.add(station)
        session.flush()
        for n in range(1, 28):
            day = TODAY - n * DAY
            held = last_held is not None and day <= last_held
            told = {"seats": 10, "visits": 5, "expected": 6, "no_shows": 1} | counts
            zero = dict.fromkeys(told, 0)
            session.add(StationDayTotals(date=day, station_id=station.id, slots=int(held), **(told if held else zero)))
        return station.id


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats at cbd: one comes, one does not, one at the door gets the seat; 周明 and 王磊 are on Wednesday's slot."""
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00:30")
    lunch.book("李静", "Mon 10:00:30")
    lunch.check_in("周明", "12:05")
    lunch.stand_by("陈晨", "12:06")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    return lunch


def test_a_day_is_counted_for_good_once_it_is_over_and_as_the_statistics_have_it(lunch: LunchHour) -> None:
    session, station_id = lunch.session, lunch.station_id
    count(session, at("Wed 02:59"))
    row = session.get_one(StationDayTotals, (TODAY, station_id))
    assert (row.slots, row.final) == (1, False)
    assert listed(session, at("Wed 00:01"))[0].fill == 1  # also before it is counted for good
    for _again in range(2):
        count(session, at("Wed 03:00"))
    session.refresh(row)
    assert row.final
    told = statistics.of_station(session, station_id, Span(TODAY, TODAY)).total
    assert (row.slots, row.seats, row.visits, row.no_shows) == (told.slots, told.seats, told.visits, told.no_shows)
    assert row.expected == told.visits - told.walk_ins + told.no_shows == 2
    days = session.scalars(select(StationDayTotals.date)).all()
    assert len(days) == len(set(days)) == 63  # two months, and one more since
    (there,) = listed(session, at("Wed 12:00"))
    assert (there.fill, there.no_show_rate) == (told.fill, told.no_show_rate)


def test_a_slot_without_attendance_counts_as_held_and_in_no_share(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    assert listed(session, at("Tue 12:30"))[0].troubles.get("attendance") == 1
    lunch.tick("15:01")
    count(session, at("Wed 03:00"))
    (there,) = listed(session, at("Wed 12:00"))
    assert there.past
    assert (there.past.last_held, there.fill, there.no_show_rate) == (TODAY, None, None)


def test_todays_openings_are_told_by_the_clock_and_by_what_was_done(session: Session) -> None:
    lunch = LunchHour(session)
    told = {}
    for clock in ("Mon 09:59", "Mon 10:00:30", "Tue 08:00"):
        today = listed(session, at(clock))[0].today
        told[clock] = today and today[:3]
    assert told == {"Mon 09:59": None, "Mon 10:00:30": None, "Tue 08:00": (1, 1, 0)}
    assert listed(session, at("Tue 08:00"))[0].troubles["not_opened"] == 1
    lunch.tick("Tue 08:00")
    row = listed(session, at("Tue 08:00"))[0]
    assert row.today
    assert (row.today[:3], "not_opened" in row.troubles) == ((1, 1, 1), False)
    with transactions.transaction(session):
        session.get_one(Slot, lunch.slot_id).state = "cancelled"
    assert listed(session, at("Tue 08:00"))[0].today is None


# Tuesday 2026-11-24: the five workdays before it begin on Tuesday the 17th.
LAST_HELD = [(date(2026, 11, 17), False), (date(2026, 11, 16), True), (None, True)]


@pytest.mark.parametrize(("last_held", "dormant"), LAST_HELD)
def test_a_station_that_has_not_opened_for_five_workdays_stands_on_top(
    session: Session, last_held: date | None, dormant: bool
) -> None:
    make_days(session, "busy", TODAY - DAY)
    make_days(session, "quiet", last_held)
    for station in session.scalars(select(Station)).all():
        with transactions.transaction(session):
            make_manager(session, station.id, f"{station.code}经理")
    rows = listed(session)
    assert [row.code for row in rows] == (["quiet", "busy"] if dormant else ["busy", "quiet"])
    assert [row.is_dormant for row in rows] == [dormant, False]
    assert codes(session, state="attention") == (["quiet"] if dormant else [])


def test_holidays_and_days_off_of_the_station_are_no_workdays(session: Session) -> None:
    quiet, off = (make_days(session, code, date(2026, 11, 13)) for code in ("quiet", "off"))
    with transactions.transaction(session):
        for day in (date(2026, 11, 16), date(2026, 11, 17)):
            workdays.override(session, off, day, False, None, "停电")
    assert {row.code: row.is_dormant for row in listed(session)} == {"quiet": True, "off": False}
    with transactions.transaction(session):  # a Saturday on which the country works is one more day without a slot
        session.execute(delete(StationDayTotals).where(StationDayTotals.station_id == quiet))
        workdays.override(session, off, date(2026, 11, 14), True, None, "调休")
        workdays.override(session, off, date(2026, 11, 15), True, None, "调休")
    assert {row.code: row.is_dormant for row in listed(session)} == {
        "quiet": False,
        "off": True,
    }  # not counted: not known


def test_an_opened_slot_of_today_ends_the_silence(session: Session) -> None:
    lunch = LunchHour(session)
    count(session, NOW)
    assert listed(session)[0].is_dormant
    lunch.tick("Mon 10:00")
    assert not listed(session)[0].is_dormant
    assert codes(session, state="opened") == ["cbd"]


def test_each_column_sorts_both_ways_and_what_has_no_value_is_last(session: Session) -> None:
    worst = make_days(session, "worst", TODAY - DAY, visits=1, no_shows=5)
    best = make_days(session, "best", TODAY - DAY, visits=9, no_shows=0)
    make_days(session, "none", None)
    with transactions.transaction(session):
        long_ago, lately = make_manager(session, worst, "安经理"), make_manager(session, best, "周经理")
        for person, when in ((long_ago, "Mon 09:00"), (lately, "Tue 09:00")):
            people.begin(session, session.get_one(Person, person), "browser", at(when))
    expected = {
        "fill": ["worst", "best", "none"],
        "no_shows": ["worst", "best", "none"],
        "sign_in": ["worst", "best", "none"],
        "manager": ["worst", "best", "none"],
    }
    for key, order in expected.items():
        assert (key, codes(session, sort=key)) == (key, order)
        assert (key, codes(session, sort=f"-{key}")) == (key, [*order[:2][::-1], "none"])
    assert codes(session, sort="name") == ["best", "none", "worst"]
    assert codes(session, sort="-name") == ["worst", "none", "best"]
    assert codes(session, sort="health") == ["none", "worst", "best"]
    assert codes(session, sort="today") == ["worst", "best", "none"]


def test_closed_stations_are_listed_apart_and_ask_for_nothing(session: Session) -> None:
    gone = make_days(session, "gone", None)
    make_days(session, "here", TODAY - DAY)
    with transactions.transaction(session):
        session.get_one(Station, gone).closed_at = NOW
    assert (codes(session), codes(session, state="closed")) == (["here"], ["gone"])
    assert listed(session, state="closed")[0].troubles == {}
    told = statistics.station_list(session, NOW)
    assert told.counts == {"": 1, "attention": 1, "opened": 0, "closed": 1}
    assert codes(session, sought="her") == ["here"]
    assert codes(session, sought="gone") == []


def test_what_is_wrong_at_a_station_is_told(session: Session) -> None:
    station = make_days(session, "cbd", TODAY - DAY)
    assert listed(session)[0].troubles == {"no_manager": 1}
    with transactions.transaction(session):
        manager = make_manager(session, station, "林经理")
        session.add(Suppression(person_id=manager, kind="hard", since=NOW))
        session.add(SetAside(job="plan_slots", row_id=station, station_id=station, tries=3, since=NOW))
    assert listed(session)[0].troubles == {"unreached": 1, "set_aside": 1}
    with transactions.transaction(session):
        session.get_one(Person, manager).disabled_at = NOW
    assert listed(session)[0].troubles == {"no_manager": 1, "set_aside": 1}
    with transactions.transaction(session):
        session.execute(delete(Manages))
    assert listed(session)[0].managers == ()


def test_the_statements_are_as_many_for_two_hundred_stations_as_for_one(session: Session) -> None:
    counts = []
    for n in (1, 199):
        with transactions.transaction(session):
            session.add_all(Station(code=f"n{n}-{k}", name=f"驿站{k}") for k in range(n))
        with heard(session.get_bind()) as said:  # type: ignore[arg-type]
            told = statistics.station_list(session, NOW, page=9)
        counts.append(len(said))
    assert counts[0] == counts[1]
    assert (told.number, told.pages, told.total, len(told.items)) == (4, 4, 200, 50)
