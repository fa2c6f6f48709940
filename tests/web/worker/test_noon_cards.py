"""Noon: a card carries the one act that helps now: show the ticket, come in, or queue at the door."""

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.db import transactions
from tests.support.lunch_hour import LunchHour
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import Phone, words_of

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats at 12:10, both taken, by 周明 and 李静; only 周明 comes."""
    with transactions.transaction(session):
        seed_workdays(session)
    lunch = LunchHour(session)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    return lunch


def acts(app: Flask, lunch: LunchHour, who: str, clock: str) -> list[tuple[str, str]]:
    """The links of the slot's card that are buttons: where to, and what they say."""
    card = Phone(app, lunch, who).card(clock)
    return re.findall(r'<a class="button[^"]*" href="([^"]+)"[^>]*>([^<]+)</a>', card.html)


def test_who_has_a_seat_shows_the_ticket(app: Flask, lunch: LunchHour) -> None:
    assert acts(app, lunch, "周明", "11:54:59") == []
    assert acts(app, lunch, "周明", "11:55") == [("/me", "出示票")]
    lunch.check_in("周明", "12:00")
    assert acts(app, lunch, "周明", "12:00") == []


@pytest.mark.parametrize(
    "who", ["", "陈晨", "王磊"], ids=["nobody signed in", "without a place", "on the waiting list"]
)
def test_who_has_none_can_queue_at_the_door_and_comes_in_where_a_seat_is_free(
    app: Flask, lunch: LunchHour, who: str
) -> None:
    page = f"/slots/{lunch.slot_id}"
    if who != "王磊":
        assert (page, "现场候补") not in acts(app, lunch, who, "11:54:59")
    assert acts(app, lunch, who, "12:00") == [(page, "现场候补")]
    lunch.check_in("周明", "12:05")
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert acts(app, lunch, who, "12:15") == [(page, "到场入座")]
    assert acts(app, lunch, who, "13:00") == []


def test_beside_a_way_in_nothing_says_that_it_is_closed(app: Flask, lunch: LunchHour) -> None:
    card = Phone(app, lunch, "陈晨").card("12:00")
    assert "data-refusal" not in card.html
    assert "已结束" not in card.words


@pytest.mark.parametrize("recorded", [True, False])
def test_how_many_came_is_said_when_attendance_was_recorded(app: Flask, lunch: LunchHour, recorded: bool) -> None:
    if recorded:
        lunch.check_in("周明", "12:05")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    phone = Phone(app, lunch, "周明")
    for words in (phone.card("13:01").words, words_of(phone.get(f"/slots/{lunch.slot_id}", "13:01").text)):
        assert ("1 人来过" in words, "人来过" in words) == (recorded, recorded)


def test_who_queues_already_is_told_so_and_nothing_else(app: Flask, lunch: LunchHour) -> None:
    lunch.stand_by("陈晨", "12:00")
    assert acts(app, lunch, "陈晨", "12:01") == []


def test_who_sits_in_another_slot_at_that_time_is_not_asked_in(app: Flask, lunch: LunchHour) -> None:
    meanwhile = lunch.slot("12:30")
    lunch.check_in("周明", "12:05")
    phone, page = Phone(app, lunch, "周明"), f"/slots/{meanwhile}"
    assert lunch.stand_by("周明", "12:40", meanwhile) == "no: overlap"
    assert re.findall('<a class="button', phone.card("12:40", meanwhile).html) == []
    assert "我在门口" not in phone.get(page, "12:40").text
    assert "到场入座" in Phone(app, lunch, "陈晨").card("12:40", meanwhile).html


def test_who_has_another_seat_that_day_is_not_sent_to_a_queue_that_refuses(app: Flask, lunch: LunchHour) -> None:
    later = lunch.slot("13:10")
    lunch.book("陈晨", "Mon 10:00", later)
    phone, page = Phone(app, lunch, "陈晨"), f"/slots/{lunch.slot_id}"
    assert acts(app, lunch, "陈晨", "12:00") == [(page, "现场候补")]  # it is full
    lunch.give_up("李静", "12:00")
    lunch.give_up("王磊", "12:00")
    assert lunch.stand_by("陈晨", "12:01") == "no: seat_free"
    assert acts(app, lunch, "陈晨", "12:01") == []
    shown = phone.get(page, "12:01").text
    assert ("我在门口" in shown, "改约这一场" in shown) == (False, True)
    assert acts(app, lunch, "陈晨", "12:10") == [(page, "到场入座")]
