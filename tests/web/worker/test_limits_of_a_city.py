"""Limits of a city on the pages: the refusal names the bookings that count, in the reader's language, also much later."""

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Person, Station, Try
from tests.support.lunch_hour import LunchHour
from tests.support.worker_cast import HTMX, Phone, card_in, words_of

pytestmark = pytest.mark.one_database
SENTENCE = "全市每人每周最多 1 场，这一周已经算上了：周三 12:10 白领瑜伽课堂（west 白领驿站）。"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """One seat a week: 周明 has one at west on Wednesday."""
    lunch = LunchHour(session)
    west = lunch.other_station("west")
    other = lunch.slot("Wed 12:10", station_id=west)
    with transactions.transaction(session):
        session.execute(update(Station).values(policy={"city_week_seats": 1}))
    assert lunch.book("周明", "Tue 10:00", other) == "booked"
    lunch.slot("Thu 12:10")
    return lunch


def thursday(lunch: LunchHour) -> int:
    return lunch.slot_id + 2


def test_the_day_says_once_what_counts_and_the_buttons_are_grey(app: Flask, lunch: LunchHour) -> None:
    page = Phone(app, lunch, "周明").day("Wed 10:20", "2026-11-26")
    assert SENTENCE.replace("周三", "今天") in words_of(page)
    assert f'href="/slots/{lunch.slot_id + 1}">看那一场</a>' in page
    card = card_in(page, thursday(lunch))
    assert 'data-refusal="week_limit"' in card.html
    assert "book" not in "".join(part for part in card.html.split('action="')[1:2])
    assert "全市" not in Phone(app, lunch, "李静").day("Wed 10:20", "2026-11-26")


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_refused_press_says_what_counts_and_what_to_do(app: Flask, lunch: LunchHour, headers: dict[str, str]) -> None:
    phone = Phone(app, lunch, "周明")
    for _ in range(2):  # the second is answered by what was kept of the first
        page = phone.post(f"/slots/{thursday(lunch)}/book", "Wed 10:20", data={"back": "day"}, headers=headers).text
        assert SENTENCE.replace("周三", "今天") in words_of(page)
        assert "可以约下一周的" in page
    lunch.session.rollback()
    kept = lunch.session.scalars(select(Try)).one()
    assert (kept.reason, kept.most) == ("week_limit", 1)


def test_the_slots_own_page_leads_to_what_counts(app: Flask, lunch: LunchHour) -> None:
    page = Phone(app, lunch, "周明").get(f"/slots/{thursday(lunch)}", "Wed 10:20").text
    assert SENTENCE.replace("周三", "今天") in words_of(page)
    assert f'href="/slots/{lunch.slot_id + 1}"' in page


def test_it_is_said_in_english(app: Flask, lunch: LunchHour, session: Session) -> None:
    with transactions.transaction(session):
        session.execute(update(Person).values(language="en"))
        session.execute(update(Station).where(Station.code == "west").values(name_en="West station"))
    page = words_of(Phone(app, lunch, "周明").day("Wed 10:20", "2026-11-26"))
    assert "The city allows 1 a week for each person" in page
    assert "12:10 白领瑜伽课堂 (West station)" in page


def test_a_page_of_everybody_is_not_given_to_who_has_used_the_week(app: Flask, lunch: LunchHour) -> None:
    """The seat of Wednesday is over: nothing that is live makes the page their own."""
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Station).values(policy={"city_week_seats": 1}))
    lunch.tick("Wed 12:20")
    lunch.tick("Wed 13:30")
    lunch.slot("Fri 12:10")
    for who, shown in (("李静", False), ("周明", True)):
        assert ("全市" in Phone(app, lunch, who).day("Fri 08:00", "2026-11-27")) is shown
