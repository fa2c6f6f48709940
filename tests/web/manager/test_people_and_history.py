"""People and history: finding people, recorded access to phone numbers, the history by slot, person and
day."""

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Event, Person
from booking.queries import manager
from booking.queries.newest_first import PAGE
from tests.support.desk_cast import Cast, Desk
from tests.support.lunch_hour import TUESDAY, LunchHour, at
from tests.web.manager.test_wrong_input import ACTIVITY

PHONE = "13812345678"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    with transactions.transaction(session):
        session.get_one(Person, lunch.people["周明"]).phone = PHONE
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


@pytest.mark.parametrize("sought", ["周", "zhouming", "ZM", "zhou ming", "周明"])
def test_the_list_and_the_walk_in_search_find_people(desk: Desk, lunch: LunchHour, sought: str) -> None:
    page = desk.get(f"people?q={sought}").text
    assert ">周明<" in page
    assert "王磊" not in page
    door = desk.get(f"slots/{lunch.slot_id}?q={sought}", "12:05").text
    assert door.count("138****5678") == 1


def test_somebody_who_was_never_here_is_not_found_by_sound(app: Flask, session: Session, lunch: LunchHour) -> None:
    Cast(lunch)
    other = Desk(app, lunch, None)
    assert "陈晨" not in other.words("people?q=chenchen")


def test_a_phone_is_masked_until_asked_for_and_that_is_written_down(desk: Desk, lunch: LunchHour) -> None:
    path = f"people/{lunch.people['周明']}"
    assert PHONE not in desk.get(path).text
    assert PHONE in desk.post(f"{path}/phone").text
    assert PHONE not in desk.get(path).text
    line = lunch.session.scalars(select(Event).where(Event.kind == "phone_shown")).one()
    assert (line.actor_id, line.person_id) == (lunch.manager_id, lunch.people["周明"])
    assert PHONE not in str(line.details)
    assert "看了完整的手机号" in desk.words(f"history?person={lunch.people['周明']}")


def test_another_stations_person_has_no_phone_here(app: Flask, lunch: LunchHour) -> None:
    cast = Cast(lunch)
    west = Desk(app, lunch, cast.other_manager_id, code="west/")
    assert west.post(f"people/{lunch.people['周明']}/phone").status_code == 404
    assert west.get(f"history?person={lunch.people['周明']}").status_code == 404
    assert lunch.session.scalars(select(Event).where(Event.kind == "phone_shown")).all() == []


def test_the_history_by_person_and_by_day(desk: Desk, lunch: LunchHour) -> None:
    lunch.give_up("李静", "09:00")
    mine = desk.words(f"history?person={lunch.people['李静']}", "11:00")
    assert "取消了预约" in mine
    assert "周明" not in mine
    monday = desk.words("history?day=2026-11-23", "11:00")
    assert "约上了" in monday
    assert "取消了预约" not in monday
    both = desk.words(f"history?day=2026-11-24&person={lunch.people['李静']}&slot={lunch.slot_id}", "11:00")
    assert "取消了预约" in both
    assert "约上了" not in both


def test_what_a_phone_without_network_did_stands_in_the_history_at_its_own_time(lunch: LunchHour) -> None:
    assert lunch.check_in("周明", "12:06") == "attended"
    assert lunch.check_in("李静", "12:02") == "attended"  # heard later
    station = lunch.now().station
    for about in ({}, {"slot_id": lunch.slot_id}, {"day": TUESDAY}, {"person_id": lunch.manager_id}):
        told = manager.history(lunch.session, station, limit=2, **about)
        assert [event.at for event in told] == [at("12:06"), at("12:02")], about
    assert [event.at for event in manager.history(lunch.session, station, limit=1)] == [at("12:06")]


def test_a_busy_day_is_read_to_its_first_line(desk: Desk, lunch: LunchHour) -> None:
    lines = [
        Event(kind="zone_saved", at=at("Wed 08:00") + timedelta(seconds=n), station_id=lunch.station_id)
        for n in range(2 * PAGE + 1)
    ]
    with transactions.transaction(lunch.session) as session:
        session.add_all(lines)
    path, times = "history?day=2026-11-25", []
    while path:
        page = html.unescape(desk.get(path, "Wed 11:00").text)
        times += re.findall(r"([0-9:]{8})</td>", page)
        older = re.search(r'href="/manage/cbd/(history[^"]*page=[0-9]+)"', page)
        path = older[1] if older else ""
    assert (len(times), times[-1]) == (len(lines), "08:00:00")
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("page", ["0", "-1", "x", "9", "9" * 30])
def test_a_page_of_the_history_that_is_not_there_is_no_trouble(desk: Desk, page: str) -> None:
    assert desk.get(f"history?page={page}").status_code == 200


@pytest.mark.parametrize("asked", ["day=x", "day=9999-99-99", "person=x", "slot=-1", "person="])
def test_a_history_of_nothing_sensible_is_the_whole(desk: Desk, asked: str) -> None:
    assert "约上了" in desk.words(f"history?{asked}")


def test_a_change_tells_before_and_after(desk: Desk) -> None:
    desk.post("zones/1", name="健身区", capacity="900")
    desk.post("activities/new", **ACTIVITY)
    desk.post("activities/2", **ACTIVITY | {"host": "赵老师"})
    words = desk.words("history")
    assert "健身区、名称 场地 0 → 健身区、名额 1000 → 900" in words
    assert "老师 — → 赵老师" in words
