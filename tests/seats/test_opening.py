"""Rule 3: a slot opens at an instant, to the microsecond, and the server's clock decides."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import slots, workdays
from booking.db import transactions
from booking.model import Slot, Station
from booking.slots import deadlines
from tests.support.lunch_hour import LONG_BEFORE, LunchHour, at, make_station
from tests.support.snapshots import seed_workdays


def test_nobody_books_a_microsecond_too_early_or_after_the_start(session: Session) -> None:
    lunch = LunchHour(session, capacity=8)
    presses = {
        ("周明", "Mon 09:59:59.999999"): "no: not_open",
        ("周明", "Mon 10:00"): "booked",
        ("李静", "Mon 10:00:00.000001"): "booked",
        ("王磊", "Tue 12:09:59.999999"): "booked",
        ("陈晨", "Tue 12:10"): "no: started",
        ("刘洋", "Tue 12:59:59.999999"): "no: started",
        ("赵敏", "Tue 13:00"): "no: over",
    }
    assert {press: lunch.book(*press) for press in presses} == presses


def test_the_waiting_list_opens_no_earlier_than_the_seats(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    assert lunch.book("周明", "Mon 10:00") == "booked"
    assert lunch.book("李静", "Mon 09:59:59.999999") == "no: not_open"
    assert lunch.book("李静", "Mon 10:00") == "waiting"


@pytest.mark.parametrize(("recorded", "clock", "answer"), [
    ("planned", "Mon 10:00", "booked"),
    ("open", "Mon 09:59:59", "no: not_open"),
    ("running", "Mon 10:00", "booked"),
    ("cancelled", "Mon 10:00", "no: cancelled"),
])  # fmt: skip
def test_the_clock_decides_and_not_the_recorded_state(lunch: LunchHour, recorded: str, clock: str, answer: str) -> None:
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Slot).values(state=recorded))
    assert lunch.book("周明", clock) == answer


def test_opening_is_recorded_once_and_never_early(lunch: LunchHour) -> None:
    lunch.tick("Mon 09:59:59.999999")
    assert lunch.now().state == "planned"
    for _ in range(2):
        lunch.tick("Mon 10:00")
    assert lunch.now().state == "open"
    assert lunch.events("opened") == [("opened", "")]


def test_what_opens_is_decided_by_the_workday_before(session: Session) -> None:
    opens = {
        date(2026, 11, 24): date(2026, 11, 23),
        date(2026, 11, 30): date(2026, 11, 27),  # Monday: on Friday
        date(2026, 10, 8): date(2026, 9, 30),  # after the seven days of National Day
        date(2026, 10, 12): date(2026, 10, 10),  # Saturday the 10th is a workday by 调休
    }
    with transactions.transaction(session):
        seed_workdays(session)
        station_id = make_station(session, "cbd")
    calendar = workdays.load(session, station_id, min(opens), max(opens))
    shanghai = ZoneInfo("Asia/Shanghai")
    found = {day: deadlines.opening(day, calendar, "Asia/Shanghai", 1, time(10, 0)) for day in opens}
    assert found == {day: datetime.combine(before, time(10, 0), shanghai) for day, before in opens.items()}


def test_a_one_off_added_after_its_opening_hour_opens_at_once(lunch: LunchHour) -> None:
    late = at("11:00")
    with transactions.transaction(lunch.session) as session:
        there = session.get_one(Slot, lunch.slot_id)
        wish = slots.OneOff(there.activity_id, there.zone_id, there.date, time(14, 0), 50, 1)
        slot_id = slots.add(session, lunch.station_id, wish, late).id
    assert lunch.now(slot_id).opens_at == late
    assert lunch.book("周明", "11:00", slot_id) == "booked"


def test_the_wall_clock_is_the_stations_own(session: Session) -> None:
    with transactions.transaction(session):
        station_id = make_station(session, "london")
        session.get_one(Station, station_id).zone_name = "Europe/London"
    with transactions.transaction(session):
        lunch = LunchHour.__new__(LunchHour)
        lunch.session, lunch.station_id = session, station_id
        slot = session.get_one(Slot, lunch._slot("12:10", 2))
    assert slot.starts_at == datetime(2026, 11, 24, 12, 10, tzinfo=ZoneInfo("Europe/London"))
    assert slot.opens_at == datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("Europe/London"))
    assert slot.opens_at > LONG_BEFORE
