"""Batched reads: whoever asks together with others gets what they would get alone."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from booking import people, workdays
from booking.db import transactions
from booking.model import Person, Station
from booking.people.sign_ins import _find as find_sign_ins
from booking.people.sign_ins import begin
from booking.queries import page_reader, station_day
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays

pytestmark = pytest.mark.both
NOW = at("Mon 10:01")
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two stations; 周明 has a seat at the first, 李静 waits there, and 王磊's sign-in has ended."""
    with transactions.transaction(session):
        seed_workdays(session)
    lunch = LunchHour(session, capacity=1)
    for when in ("Mon 08:10", "Wed 12:10"):
        lunch.slot(when)
    west = lunch.other_station()
    lunch.slot("Tue 11:10", station_id=west)
    lunch.book("周明", "Mon 10:00")
    lunch.book("李静", "Mon 10:00")
    with transactions.transaction(session):
        workdays.override(session, west, WEDNESDAY, False, None, "盘点")
    return lunch


@pytest.fixture
def tokens(lunch: LunchHour, session: Session) -> list[str]:
    with transactions.transaction(session):
        found = [
            begin(session, session.get_one(Person, lunch.people[who]), "phone", at("Mon 08:00"))
            for who in ("周明", "李静", "王磊", "陈晨")
        ]
        people.end_sign_ins(session, lunch.people["王磊"], at("Mon 09:00"))
    return [*found, "unknown"]


def test_readers(engine: Engine, tokens: list[str]) -> None:
    asked = [
        page_reader._Asked(people.hash_token(token), station, NOW, NOW + people.RENEWED_UNTIL)
        for token in tokens
        for station in ("cbd", "west", "nowhere")
    ]
    together = page_reader._find(engine, asked)
    assert together == [page_reader.find(engine, *one) for one in asked]
    assert [bool(reader) for reader in together] == [True, True, False] * 2 + [False] * 3 + [
        True,
        True,
        False,
        *[False] * 3,
    ]
    assert {state for reader in together if reader for state in (entry.state for entry in reader.who.entries)} == {
        "booked",
        "waiting",
    }


def test_sign_ins(engine: Engine, tokens: list[str]) -> None:
    asked = [(people.hash_token(token), NOW) for token in tokens]
    together = find_sign_ins(engine, asked)
    assert together == [people.find_sign_in_at(engine, token, NOW) for token in tokens]
    assert [bool(found) for found in together] == [True, True, False, True, False]


def test_days_of_stations(engine: Engine, lunch: LunchHour, session: Session) -> None:
    closed = lunch.other_station("closed")
    with transactions.transaction(session):
        session.get_one(Station, closed).closed_at = NOW
    asked = [
        station_day._Wanted(code, when, NOW)
        for code in ("cbd", "closed", "west", "nowhere")
        for when in (None, TUESDAY, WEDNESDAY, TUESDAY - timedelta(days=9))
    ]
    together = station_day._find(engine, asked)
    assert together == [station_day.find(engine, *one) for one in asked]
    shown = [day and (day.when, len(day.slots)) for day in together]
    monday_is_over = (TUESDAY, 1)
    assert shown[:4] == [monday_is_over, (TUESDAY, 1), (WEDNESDAY, 1), monday_is_over]
    assert shown[8:12] == [(TUESDAY, 1), (TUESDAY, 1), (WEDNESDAY, 0), (TUESDAY, 1)]
    assert shown[4:8] == shown[12:] == [None] * 4
    works = {day.station.code: day.days[2].day.works for day in together if day}
    assert works == {"cbd": True, "west": False}, "each station has its own calendar"
