"""Undo on the manager's pages: a slot cancelled by mistake."""

from datetime import date, time

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.model import Activity, Letter, Plan, Zone
from tests.support.desk_cast import Desk, said, snapshot
from tests.support.lunch_hour import LunchHour, at

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session, capacity=1)
    for name in ("周明", "李静"):
        lunch.book(name, "Mon 10:00")
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def test_the_page_says_who_would_be_on_it_again_and_one_tap_does_it(desk: Desk, lunch: LunchHour) -> None:
    page = said(desk.post(f"slots/{lunch.slot_id}/cancel", reason="停电"))
    assert "现在恢复，2 人的名额和候补照旧，谁也不会收到信： 周明、李静" in page
    assert "恢复了，2 人照旧，没有人收到信。" in said(desk.post(f"slots/{lunch.slot_id}/bring-back"))
    assert lunch.states("周明", "李静") == ["booked", "waiting"]
    history = desk.words(f"history?slot={lunch.slot_id}")
    assert "场次恢复" in history
    assert "随场次恢复了" in history


def test_once_a_letter_left_the_page_says_why_not(desk: Desk, lunch: LunchHour) -> None:
    desk.post(f"slots/{lunch.slot_id}/cancel", reason="停电")
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Letter).where(Letter.kind == "slot_cancelled").values(state="sent"))
    page = desk.words(f"slots/{lunch.slot_id}")
    assert "通知取消的信已经发出，不能再恢复" in page
    assert "恢复这一场" not in page
    before = snapshot(lunch.session)
    answer = desk.post(f"slots/{lunch.slot_id}/bring-back")
    assert (answer.status_code, "通知取消的信已经发出" in said(answer)) == (409, True)
    assert snapshot(lunch.session) == before


def test_who_booked_elsewhere_is_named(desk: Desk, lunch: LunchHour) -> None:
    later = lunch.slot("13:10")
    desk.post(f"slots/{lunch.slot_id}/cancel", reason="停电")
    lunch.book("周明", "Mon 11:00", later)
    assert "周明 另有安排，没有恢复" in said(desk.post(f"slots/{lunch.slot_id}/bring-back"))


def test_a_capacity_set_back_says_who_keeps_the_seat(desk: Desk, lunch: LunchHour) -> None:
    lunch.resize(2, "Mon 10:30")
    desk.post(f"slots/{lunch.slot_id}/capacity", capacity="1", move_newest="y")
    answer = desk.post(f"slots/{lunch.slot_id}/capacity", capacity="2")
    assert "名额改回 2。李静 的名额还在，没发出的信撤下了。" in said(answer)


def test_archived_things_can_be_restored(desk: Desk, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        zone = Zone(station_id=lunch.station_id, name="手工坊", capacity=10)
        activity = Activity(station_id=lunch.station_id, kind="tea", title="围炉煮茶")
        session.add_all([zone, activity])
        session.flush()
        where = {"station_id": lunch.station_id, "activity_id": activity.id, "zone_id": zone.id}
        rule = {"weekdays": "5", "starts": time(15), "minutes": 50, "capacity": 5, "valid_from": date(2026, 11, 23)}
        plan = Plan(**where, **rule)
        slots.save_plan(session, plan, at("Mon 09:00"))
        ids = plan.id, activity.id, zone.id
    for path in (f"plans/{ids[0]}/stop", f"activities/{ids[1]}/retire", f"zones/{ids[2]}/close"):
        desk.post(path)
    page = desk.words("put-away")
    assert [word in page for word in ("停掉的排期", "收起的活动", "停用的场地")] == [True] * 3
    assert "这个场地已经停用" in said(desk.post(f"plans/{ids[0]}/resume"))
    desk.post(f"zones/{ids[2]}/reopen")
    assert "这个活动已经收起" in said(desk.post(f"plans/{ids[0]}/resume"))
    desk.post(f"activities/{ids[1]}/offer-again")
    assert "新增 2 场" in said(desk.post(f"plans/{ids[0]}/resume"))
    assert "没有停用的东西" in desk.words("put-away")
    lunch.session.rollback()
    assert lunch.session.scalars(select(Plan.stopped_at)).all() == [None]
