"""First steps: a new station goes from nothing to its first slot, each page leading to the next step."""

import re

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import config
from booking import slots
from booking.db import transactions
from booking.model import Activity, Slot, Station
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour, make_manager
from tests.support.snapshots import seed_workdays

pytestmark = pytest.mark.sqlite
PLAN = {"weekdays": ["1", "2"], "starts": "12:10", "minutes": "50", "capacity": "12", "valid_from": "2026-11-24"}


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    """The manager of a station that has nothing yet."""
    with transactions.transaction(lunch.session) as session:
        seed_workdays(session)
        station = Station(code="new", name="新驿站", policy={})
        session.add(station)
        session.flush()
        manager_id = make_manager(session, station.id, "新站长")
    return Desk(app, lunch, manager_id, "new/")


def step(desk: Desk, path: str = "") -> str:
    """The step that the page asks for; empty when it asks for none."""
    found = re.search(r'data-next="(\w+)"', desk.get(path).text)
    return found[1] if found else ""


def test_from_nothing_to_the_first_slot(desk: Desk, lunch: LunchHour) -> None:
    assert [step(desk, path) for path in ("", "zones", "activities", "plans")] == ["zone"] * 4
    page = desk.post("zones", name="多功能厅", capacity="20")
    assert ("场地加上了" in said(page), 'data-next="activity"' in page.text) == (True, True)
    page = desk.post("activities/ready-made", keys=["yoga", "tea"])
    assert ("加上了 2 个活动" in said(page), 'data-next="plan"' in page.text) == (True, True)
    form = desk.get("plans/new").text
    activity_id, zone_id = (
        re.search(rf'name="{name}".*?value="(\d+)"', form, re.DOTALL) for name in ("activity_id", "zone_id")
    )
    assert activity_id
    assert zone_id
    page = desk.post("plans/new", **PLAN, activity_id=activity_id[1], zone_id=zone_id[1])
    assert ("已保存：新增" in said(page), 'data-next="door"' in page.text) == (True, True)
    assert [step(desk, path) for path in ("", "plans", "zones", "activities")] == ["door", "door", "", ""]
    assert lunch.session.scalar(select(func.count(Slot.id)).join(Station).where(Station.code == "new"))


def test_a_station_at_work_is_asked_nothing(app: Flask, lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00")
    desk = Desk(app, lunch)
    assert step(desk) == "door"
    lunch.check_in("周明", "12:00")
    assert step(desk) == ""


@pytest.mark.parametrize("path", ["plans/new", "slots/new"])
def test_a_form_with_nothing_to_choose_from_says_where_to_get_it(desk: Desk, path: str) -> None:
    page = desk.get(path).text
    assert "还缺场地或活动" in page
    for way in ("zones", "activities/ready-made", "activities/new"):
        assert f'href="/manage/new/{way}"' in page
    assert 'name="activity_id"' not in page


def test_what_is_there_is_not_taken_over_twice(desk: Desk, lunch: LunchHour) -> None:
    for _ in range(2):
        desk.post("activities/ready-made", keys=["yoga"])
    mine = select(Activity).join(Station, Activity.station_id == Station.id).where(Station.code == "new")
    (yoga,) = lunch.session.scalars(mine).all()
    assert (yoga.title_en, yoga.picture, yoga.host) == ("Yoga at Noon", "yoga", "")
    assert "白领瑜伽课堂 已经有了" in desk.words("activities/ready-made")


@pytest.mark.parametrize("keys", [[], ["nonsense"]])
def test_nothing_chosen_is_said_beside_the_list(desk: Desk, keys: list[str]) -> None:
    answer = desk.post("activities/ready-made", keys=keys)
    assert (answer.status_code, 'id="keys-error"' in answer.text) == (422, True)


def test_every_ready_made_activity_is_whole() -> None:
    needed = {"kind", "picture", "title", "title_en", "text", "text_en", "bring", "bring_en", "suits", "suits_en"}
    for key, words in slots.ready_made().items():
        assert {name for name, text in words.items() if text} == needed, key
        assert (config.ROOT / "static" / "pictures" / f"{words['picture']}.svg").is_file()
