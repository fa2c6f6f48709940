"""Poster: what stands on the page that a manager prints, in both languages, and nobody's data."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Activity, Station
from tests.support.desk_cast import Cast, Desk
from tests.support.lunch_hour import LunchHour

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session)
    with transactions.transaction(session):
        session.execute(update(Station).values(address="建国路 1 号", address_en="1 Jianguo Road"))
        session.execute(update(Activity).values(title_en="Yoga", host="陈老师"))
    lunch.book("周明", "Mon 10:00")
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def sheet(desk: Desk, query: str = "", clock: str = "Mon 11:00") -> str:
    """What is printed."""
    page = desk.get(f"poster{query}", clock).text
    (found,) = re.findall(r'<article class="poster.*?</article>', page, re.DOTALL)
    return html.unescape(found)


def test_the_poster_of_the_station_leads_to_its_page_in_both_languages(desk: Desk) -> None:
    poster = sheet(desk)
    for words in (
        "午间驿小时",
        "Lunch Hour",
        "建国路 1 号",
        "1 Jianguo Road",
        "localhost/s/cbd",
    ):
        assert words in poster
    assert poster.count("<svg") == 1


def test_the_poster_of_an_activity_shows_its_picture(desk: Desk, lunch: LunchHour) -> None:
    activity_id = Cast(lunch).cbd.activity_id
    poster = sheet(desk, f"?activity={activity_id}")
    assert [words in poster for words in ("白领瑜伽课堂", "Yoga", "/static/pictures/default.png")] == [True] * 3


def test_the_poster_of_a_day_has_its_slots(desk: Desk, lunch: LunchHour) -> None:
    poster = sheet(desk, "?day=2026-11-24")
    assert [words in poster for words in ("11月24日周二", "Tue, Nov 24", "12:10–13:00", "白领瑜伽课堂", "Yoga")] == [
        True
    ] * 5
    for number in range(12):
        lunch.slot(f"{14 + number // 3}:{number % 3}0")
    poster = sheet(desk, "?day=2026-11-24")
    assert (poster.count("<li>"), "更多场次，扫码看" in poster) == (13, True)
    lunch.cancel("Mon 11:00")
    assert "12:10–13:00" not in sheet(desk, "?day=2026-11-24", "Mon 11:01")


@pytest.mark.parametrize(
    "query", ["?day=2026-11-29", "?day=x", "?day=2025-01-01", "?activity=x", "?activity=" + "9" * 40]
)
def test_what_makes_no_sense_is_the_poster_of_the_station(desk: Desk, query: str) -> None:
    assert "Lunch Hour" in sheet(desk, query)


def test_nobody_is_on_it_and_other_stations_activities_are_not(desk: Desk, lunch: LunchHour) -> None:
    for query in ("", "?day=2026-11-24"):
        assert [name for name in ("周明", "林经理", "manager@", "人预约") if name in sheet(desk, query)] == []
    other = Cast(lunch).west.activity_id
    assert desk.get(f"poster?activity={other}").status_code == 404
