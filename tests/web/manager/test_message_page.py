"""The page on which a manager writes to everybody on a slot."""

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session, capacity=2)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def test_who_would_be_reached_is_counted_before_writing(desk: Desk, lunch: LunchHour) -> None:
    assert f'href="/manage/cbd/slots/{lunch.slot_id}/message"' in desk.get(f"slots/{lunch.slot_id}").text
    assert "有名额的人 2 人 候补的人 1 人 所有人 3 人" in desk.words(f"slots/{lunch.slot_id}/message")


def test_a_message_is_sent_shown_and_taken_back(desk: Desk, lunch: LunchHour) -> None:
    path = f"slots/{lunch.slot_id}/message"
    page = desk.post(path, audience="both", text="请带瑜伽垫\n垫子不够")
    assert "信写好了，会发给 3 人" in said(page)
    assert "请带瑜伽垫\n垫子不够" in page.text
    assert "3 人：请带瑜伽垫" in desk.words("history")
    (back,) = re.findall(r'action="/manage/cbd/(slots/\d+/message/\d+/withdraw)"', page.text)
    assert "撤回了，没有人收到" in said(desk.post(back))
    assert "垫子不够" not in desk.words(path)
    again = desk.post(back)
    assert (again.status_code, "信已经发出，撤不回来了" in said(again)) == (409, True)


def test_what_was_typed_stays_beside_the_error(desk: Desk, lunch: LunchHour) -> None:
    path = f"slots/{lunch.slot_id}/message"
    empty = desk.post(path, audience="waiting", text=" ")
    assert (empty.status_code, 'id="text-error"' in empty.text) == (422, True)
    assert re.search(r'checked[^>]*value="waiting"', empty.text)
    long = desk.post(path, audience="booked", text="长" * 501)
    assert (long.status_code, "长" * 501 in long.text) == (422, True)
    assert lunch.lines("message") == []


def test_the_third_of_a_day_is_not_offered(desk: Desk, lunch: LunchHour) -> None:
    path = f"slots/{lunch.slot_id}/message"
    for audience in ("booked", "waiting"):
        desk.post(path, audience=audience, text="请带瑜伽垫")
    assert "今天的 2 封已经写完" in desk.words(path)
    assert "今天已经写满了" in said(desk.post(path, audience="booked", text="再来一封"))
