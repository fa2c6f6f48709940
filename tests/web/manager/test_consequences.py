"""Consequences of a change of something with bookings are shown first: how many people, who, and what they are told."""

import re
from datetime import date, time

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.model import DayOverride, Letter, Plan
from tests.support.desk_cast import Desk, said
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import LunchHour, at

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 has a seat on Thursday, and a plan runs in the zone of Tuesday's slot."""
    lunch = LunchHour(session)
    thursday = lunch.slot("Thu 12:10", 2)
    lunch.book("周明", "Wed 10:00", thursday)
    slot = lunch.now()
    with transactions.transaction(session):
        plan = Plan(
            station_id=lunch.station_id,
            activity_id=slot.activity_id,
            zone_id=slot.zone_id,
            weekdays="5",
            starts=time(15, 0),
            minutes=50,
            capacity=5,
            valid_from=date(2026, 11, 23),
        )
        slots.save_plan(session, plan, at("Mon 09:00"))
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def overrides(lunch: LunchHour) -> list[date]:
    lunch.session.rollback()
    return list(lunch.session.scalars(select(DayOverride.date)))


def test_a_day_with_people_is_changed_in_two_steps(desk: Desk, lunch: LunchHour) -> None:
    change = {"date": "2026-11-26", "says": "rests", "note": "停电"}
    first = said(desk.post("calendar", "Wed 11:00", **change))
    assert "这一天有 1 人：周明" in first
    assert "仍然保存" in first
    assert overrides(lunch) == []
    desk.post("calendar", "Wed 11:00", **change, sure="y")
    assert overrides(lunch) == [date(2026, 11, 26)]
    assert [kind for kind in lunch.session.scalars(select(Letter.kind)) if kind != "confirmed"] == []


def test_the_question_about_a_day_is_where_the_browser_lands_and_an_undo_asks_none(
    desk: Desk, lunch: LunchHour
) -> None:
    """The calendar is longer than a phone's screen: each form says where its answer is."""
    change = {"date": "2026-11-26", "says": "rests", "note": "停电"}
    asked = desk.post("calendar", "Wed 11:00", **change).text
    card = re.search(r'<form [^>]*id="day"[^>]*action="[^"]*#day">.*?</form>', asked, re.DOTALL)
    assert card
    assert "仍然保存" in card[0]
    saved = desk.post("calendar", "Wed 11:00", follow=False, **change, sure="y")
    assert saved.location.endswith("/calendar?date=2026-11-26#flashes")
    undo = re.search(r'<form class="row".*?</form>', desk.get("calendar?date=2026-11-26", "Wed 11:00").text, re.DOTALL)
    assert undo
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo[0]))
    assert "仍然保存" not in said(desk.post("calendar", "Wed 11:00", **sent))
    assert overrides(lunch) == []


def test_a_day_without_people_is_changed_in_one(desk: Desk, lunch: LunchHour) -> None:
    desk.post("calendar", "Wed 11:00", date="2026-11-27", says="rests", note="")
    assert overrides(lunch) == [date(2026, 11, 27)]


def test_what_uses_a_zone_is_named_before_it_is_closed(desk: Desk, lunch: LunchHour) -> None:
    zone_id = lunch.now().zone_id
    page = desk.get(f"zones/{zone_id}").text
    assert "还在用它的排期" in page
    assert "还在用它的场次" in page
    assert f"/manage/cbd/slots/{lunch.slot_id}" in page
    assert "停用这个场地" not in page
    assert "还在用它的排期" in desk.post(f"zones/{zone_id}/close").text


def test_what_uses_an_activity_is_named_before_it_is_put_away(desk: Desk, lunch: LunchHour) -> None:
    page = desk.words(f"activities/{lunch.now().activity_id}", "Wed 11:00")
    assert "1 人预约，0 人候补" in page
    assert "收起这个活动" not in page


@pytest.mark.parametrize(("act", "words"), [("cancel", "随抽签结果告诉"), ("move", "不另外写信告诉他们")])
def test_who_entered_the_draw_is_counted(app: Flask, session: Session, act: str, words: str) -> None:
    day = DrawDay(session)
    desk, path = Desk(app, day), f"slots/{day.yoga}/{act}"
    assert "不影响谁" in desk.words(path, "Mon 10:10")
    day.enter("周明", "Mon 10:20", day.yoga, day.crafts)
    day.enter("李静", "Mon 10:21", day.yoga)
    day.enter("王磊", "Mon 10:22", day.crafts)
    page = desk.words(path, "Mon 10:30")
    assert "2 人报名了抽签，志愿里有这一场" in page
    assert words in page
    assert "不影响谁" not in page


def test_a_slot_whose_draw_has_opened_stays_and_says_who_entered(app: Flask, session: Session) -> None:
    day = DrawDay(session)
    desk, entered = Desk(app, day), "抽签 · 1 人报名"
    assert "还没有人的 1 场会撤下" in desk.words(f"plans/{day.plans[0]}/stop", "Mon 09:30")
    day.enter("周明", "Mon 10:20", day.yoga)
    page = desk.words(f"plans/{day.plans[0]}/stop", "Mon 10:30")
    assert "还没有人的 0 场会撤下" in page
    assert "已经开始抽签报名的 1 场留着" in page
    assert entered in page
    assert entered in desk.words("calendar?date=2026-11-24", "Mon 10:30")
    desk.post("calendar", "Mon 10:30", date="2026-11-24", says="rests")
    decide = desk.words("week", "Mon 10:31").partition("请决定")[2]
    assert entered in decide.partition("取消这一场")[0]
    assert "0 人预约" not in decide


@pytest.mark.parametrize("act", ["cancel", "move"])
def test_a_void_draw_sends_people_to_the_door_whom_no_letter_tells(app: Flask, session: Session, act: str) -> None:
    day = DrawDay(session)
    day.enter("周明", "Mon 10:20", day.yoga)
    for clock in ("Mon 09:00", "Tue 12:00", "Tue 12:02"):
        day.tick(clock)
    assert day.draw().state == "void"
    page = Desk(app, day).words(f"slots/{day.yoga}/{act}", "Tue 12:03")
    assert "抽签作废了，报过名的 1 人可能到门口来" in page
    assert "不影响谁" not in page


def test_who_wanted_only_a_cancelled_slot_is_told_with_the_result(app: Flask, session: Session) -> None:
    """What the page says of them: a letter each, and none for whoever got another seat."""
    day = DrawDay(session)
    day.tick("Mon 09:00")
    day.enter("周明", "Mon 10:20", day.yoga, day.crafts)
    day.enter("李静", "Mon 10:21", day.yoga)
    Desk(app, day).post(f"slots/{day.yoga}/cancel", "Mon 10:30", reason="停电")
    assert list(session.scalars(select(Letter.kind))) == []
    for clock in ("Mon 12:00", "Mon 12:01"):
        day.tick(clock)
    letters = {letter.person_id: letter for letter in session.scalars(select(Letter))}
    assert letters[day.people["周明"]].kind == "confirmed"
    assert (letters[day.people["李静"]].kind, letters[day.people["李静"]].details["what"]) == (
        "draw_result",
        "passed_over",
    )
