"""The pages of a proof of attendance: the person's, and what anybody sees by its check address."""

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour, at

pytestmark = pytest.mark.sqlite
WHEN = "Wed 09:00"
WEEK = {"first": "2026-11-23", "last": "2026-11-27"}


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.check_in("周明", "Tue 12:05")
    return lunch


def person(app: Flask, lunch: LunchHour, who: str) -> Desk:
    theirs = Desk(app, lunch, lunch.people[who])
    theirs.root = "/"
    return theirs


def test_it_is_made_checked_by_anybody_and_ended(app: Flask, lunch: LunchHour) -> None:
    phone = person(app, lunch, "周明")
    assert "/me/attendance" in phone.get("me", WHEN).text
    assert "共 1 场" in phone.words("me/attendance", WHEN)
    made = phone.post("me/attendance", WHEN, **WEEK)
    (code,) = re.findall(r'data-proof="([\w-]+)"', made.text)
    page = app.test_client().get(f"/v/{code}")
    assert "周*" in page.text
    assert [
        word for word in ("周明", "@", "公司") if word in re.sub(r"<head>.*</head>", "", page.text, flags=re.DOTALL)
    ] == []
    assert re.search(r'<td class="figure">\d+</td>', page.text)
    (end,) = re.findall(r'action="/(me/attendance/\d+/end)"', made.text)
    assert person(app, lunch, "李静").post(end, WHEN).status_code == 404
    assert "停用了" in said(phone.post(end, WHEN))
    assert app.test_client().get(f"/v/{code}").status_code == 404


def test_its_english_form_has_labels_like_any_other(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        people.speak(session, lunch.people["周明"], "en", at("Mon 08:00"))
    page = person(app, lunch, "周明").get("me/attendance", WHEN).text
    assert [">From</label>" in page, ">Until</label>" in page] == [True, True]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"first": "2026-11-27", "last": "2026-11-23"}, "结束的那天早于开始的那天"),
        ({"first": "2026-01-05", "last": "2026-11-23"}, "以前的记录已经没有名字"),
        ({"first": "昨天吧", "last": "2026-11-23"}, "请填一个三年以内的日期"),
    ],
)
def test_wrong_days_are_said_at_their_field(app: Flask, lunch: LunchHour, typed: dict[str, str], sentence: str) -> None:
    answer = person(app, lunch, "周明").post("me/attendance", WHEN, **typed)
    assert (answer.status_code, sentence in said(answer)) == (422, True)
