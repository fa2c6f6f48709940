"""Door helpers: what they may open until midnight, what they never may, and what their managers see of it."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import invariants, people
from booking.db import transactions
from booking.invariants.temporary_roles import door_helpers
from booking.model import DoorHelper, Event, Person
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour, at, make_people
from tests.support.network_cast import KEPT, PASSWORD

pytestmark = pytest.mark.sqlite
EMAIL = "xu@example.com"
AHEAD = {"until": "workday"}  # what the button of a role that has not ended sends


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 and 李静 have seats on Tuesday, 王磊 waits; 许助手 has an account. There is a slot on Wednesday too."""
    lunch = LunchHour(session)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    with transactions.transaction(session):
        lunch.people |= make_people(session, ["许助手"])
        session.get_one(Person, lunch.people["许助手"]).email = EMAIL
    return lunch


@pytest.fixture
def helper(app: Flask, lunch: LunchHour) -> Desk:
    """许助手's phone, asked for today."""
    grant(Desk(app, lunch), "11:00")
    return Desk(app, lunch, lunch.people["许助手"])


def grant(desk: Desk, clock: str, email: str = EMAIL) -> TestResponse:
    return desk.post("door-helpers", clock, email=email)


def history(lunch: LunchHour) -> list[str]:
    lunch.session.rollback()
    about = (Event.kind.startswith("door_helper"), Event.person_id == lunch.people["许助手"])
    return list(lunch.session.scalars(select(Event.kind).where(*about).order_by(Event.id)))


def no_breach(lunch: LunchHour, clock: str) -> bool:
    return invariants.breaches(lunch.session, at(clock)) == []


def test_a_helper_checks_in_undoes_and_seats_walk_ins_of_today(helper: Desk, lunch: LunchHour) -> None:
    roster, booking = f"slots/{lunch.slot_id}", lunch.latest("周明").id
    assert f'href="/manage/cbd/{roster}"' in helper.get("", "12:00").text
    assert "周明" in said(helper.get(roster, "12:00"))
    helper.post(f"bookings/{booking}/check-in", "12:01")
    assert lunch.state("周明") == "attended"
    helper.post(f"bookings/{booking}/undo", "12:02")
    assert lunch.state("周明") == "booked"
    helper.post(f"slots/{lunch.slot_id}/stand-by", "12:03", person_id=lunch.people["王磊"])
    helper.post(f"bookings/{booking}/check-in", "12:04")
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert lunch.states("周明", "李静", "王磊") == ["attended", "released", "attended"]
    assert "吴门" in said(helper.post(f"slots/{lunch.slot_id}/stand-by", "12:20", name="吴门"))
    assert no_breach(lunch, "12:21")


def test_a_helper_sees_no_way_to_what_is_the_managers(helper: Desk, lunch: LunchHour) -> None:
    pages = helper.get("", "12:00").text + helper.get(f"slots/{lunch.slot_id}", "12:00").text
    for path in ("week", "plans", "people", "history", "policy", "numbers", "slots/new"):
        assert f"/manage/cbd/{path}" not in pages
    for act in ("capacity", "cancel", "host", "note", "message", "export", "print", "remove", "forgive"):
        assert f"/{act}" not in pages.replace("/static/", "")
    assert "现场来的人" in pages


def test_a_page_asks_once_whether_the_reader_manages_the_station(helper: Desk, lunch: LunchHour) -> None:
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.extend([statement] if statement.startswith("SELECT manages.") else [])

    event.listen(Engine, "before_cursor_execute", count)
    try:
        assert helper.get("", "12:00").status_code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert len(asked) == 1


@pytest.mark.parametrize("day", ["Mon", "Wed"])
def test_the_roster_of_another_day_is_closed_to_a_helper(helper: Desk, lunch: LunchHour, day: str) -> None:
    other = lunch.slot(f"{day} 12:20")
    lunch.book("陈晨", "Mon 10:00" if day == "Mon" else "Tue 10:00", other)
    assert helper.get(f"slots/{other}", "12:00").status_code == 404
    assert helper.get(f"scan?slot={other}", "12:00").status_code == 404
    booking = lunch.latest("陈晨", other)
    assert helper.post(f"bookings/{booking.id}/check-in", "12:00").status_code == 404
    assert helper.post(f"slots/{other}/walk-in", "12:00", name="吴门").status_code == 404
    assert "陈晨" not in said(helper.get(f"tickets/{booking.ticket}", "12:00"))


def test_the_role_ends_at_midnight_with_a_sentence(helper: Desk, lunch: LunchHour) -> None:
    wednesday = lunch.slot("Wed 12:10")
    assert helper.get("", "23:59:59").status_code == 200
    for path in ("", f"slots/{lunch.slot_id}", f"slots/{wednesday}", "scan"):
        answer = helper.get(path, "Wed 00:00")
        assert answer.status_code == 403
        assert "门口助手的权限已经结束" in said(answer)
    taps = helper.post("taps", "Wed 00:00", booking=lunch.latest("周明").id, act="in", age=0, nonce="0123456789")
    assert (taps.status_code, lunch.state("周明")) == (403, "booked")
    assert no_breach(lunch, "Wed 00:01")


def test_renewing_lets_it_last_one_workday_more_and_wakes_one_that_has_ended(app: Flask, lunch: LunchHour) -> None:
    desk, person_id = Desk(app, lunch), lunch.people["许助手"]

    def until() -> str:
        lunch.session.rollback()
        return (
            lunch.session.scalars(select(DoorHelper.until)).one().astimezone(at("12:00").tzinfo).strftime("%m-%d %H:%M")
        )

    grant(desk, "Thu 11:00")
    assert until() == "11-27 00:00"
    for _twice in range(2):
        desk.post(f"door-helpers/{person_id}/renew", "Thu 12:00", **AHEAD)
    assert until() == "11-28 00:00"
    desk.post(f"door-helpers/{person_id}/renew", "Fri 12:00", **AHEAD)
    assert until() == "12-01 00:00"  # Monday's end: a weekend lies between
    desk.post(f"door-helpers/{person_id}/end", "Fri 12:01")
    assert "不是门口助手了" in said(desk.post(f"door-helpers/{person_id}/renew", "Fri 12:02"))
    grant(desk, "Fri 12:03")
    assert history(lunch) == ["door_helper_granted"] * 3 + ["door_helper_ended", "door_helper_granted"]
    assert no_breach(lunch, "Fri 12:04")


def test_renewing_an_ended_role_for_today_twice_is_once(app: Flask, helper: Desk, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), f"door-helpers/{lunch.people['许助手']}/renew"
    assert 'value="workday"' not in desk.get("people", "Wed 09:00").text
    assert [said(desk.post(path, "Wed 09:01")).count("续到了11月25日") for _twice in range(2)] == [1, 1]
    assert history(lunch) == ["door_helper_granted"] * 2
    assert no_breach(lunch, "Wed 09:02")


def test_whom_a_manager_removes_is_out_at_once(app: Flask, helper: Desk, lunch: LunchHour) -> None:
    desk = Desk(app, lunch)
    assert "许助手" in said(desk.get("people", "12:00"))
    desk.post(f"door-helpers/{lunch.people['许助手']}/end", "12:01")
    answer = helper.get("", "12:02")
    assert (answer.status_code, "门口助手的权限已经结束" in said(answer)) == (403, True)
    assert helper.get("", "Wed 12:02").status_code == 404
    assert Desk(app, lunch, lunch.people["王磊"]).get("", "12:02").status_code == 404
    assert "许助手" not in said(desk.get("people", "12:03"))
    assert "请来做门口助手了，当天有效：11月24日周二" in said(desk.get("history", "12:03"))


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("nobody@example.com", "没有用这个邮箱的账号"),
        ("no address", "没有用这个邮箱的账号"),
        ("", "这一项要填"),
        ("lin@example.com", "本来就能签到"),
        ("gone@example.com", "已经停用"),
    ],
)
def test_who_cannot_help_is_said_at_the_field(app: Flask, lunch: LunchHour, email: str, sentence: str) -> None:
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.manager_id).email = "lin@example.com"
        gone = session.get_one(Person, lunch.people["陈晨"])
        gone.email, gone.disabled_at = "gone@example.com", at("Mon 09:00")
    answer = grant(Desk(app, lunch), "11:00", email)
    assert (answer.status_code, sentence in said(answer), f'value="{email}"' in answer.text) == (422, True, True)


def test_a_helper_lands_on_today(app: Flask, helper: Desk, lunch: LunchHour) -> None:
    stations = Desk(app, lunch, lunch.people["许助手"], "")
    answer = stations.get("", "12:00")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/manage/cbd/")
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.people["许助手"]).password_hash = KEPT
    for clock, path in (("12:00", "/manage/"), ("Wed 12:00", "/")):
        stranger = Desk(app, lunch, code="")
        stranger.root, stranger.client = "/account/", app.test_client()
        entered = stranger.post("sign-in", clock, follow=False, email=EMAIL, password=PASSWORD)
        assert (entered.status_code, entered.headers["Location"]) == (303, path)
    account = Desk(app, lunch, lunch.people["许助手"], "")
    account.root = "/account/"
    assert "门口助手：" in said(account.get("", "12:00"))
    assert "门口助手：" not in said(account.get("", "Wed 00:00"))


def test_who_becomes_a_manager_or_leaves_is_no_helper_any_more(helper: Desk, lunch: LunchHour) -> None:
    person_id, session = lunch.people["许助手"], lunch.session
    people.appoint(session, person_id, lunch.station_id, at("12:00"), lunch.manager_id)
    people.dismiss(session, person_id, lunch.station_id, at("12:01"), lunch.manager_id)
    assert helper.get("", "12:02").status_code == 404
    people.grant_door(session, lunch.station_id, EMAIL, at("12:03"), lunch.manager_id)
    copy = people.everything_about(session, person_id)
    assert [role["until"] for role in copy["helps_at_the_door"]] == ["2026-11-24T16:00:00+00:00"]
    people.delete_account(session, person_id, at("12:04"))
    assert session.scalars(select(DoorHelper)).all() == []
    assert no_breach(lunch, "12:05")


def test_an_ended_role_is_forgotten_after_a_month(helper: Desk, lunch: LunchHour) -> None:
    session = lunch.session
    month_later = at("Wed 00:00").replace(month=12, day=25)
    for now, left in ((month_later - timedelta(seconds=1), 1), (month_later, 0)):
        people.forget(session, now)
        assert len(session.scalars(select(DoorHelper)).all()) == left
        assert invariants.breaches(session, now, (door_helpers,)) == []


@pytest.mark.parametrize(
    ("plant", "breach"),
    [
        ("late", "I10"),
        ("not at the door", "I10"),
        ("longer", "I7 door helper"),
        ("unsaid", "I7 door helper"),
    ],
)
def test_check_finds_what_no_helper_may_have_done(helper: Desk, lunch: LunchHour, plant: str, breach: str) -> None:
    person_id = lunch.people["许助手"]
    with transactions.transaction(lunch.session) as session:
        role = session.get_one(DoorHelper, (person_id, lunch.station_id))
        about = {"station_id": lunch.station_id, "actor_id": person_id, "details": {}}
        if plant == "late":
            session.add(Event(kind="standby", at=at("Wed 00:01"), **about))
        elif plant == "not at the door":
            session.add(Event(kind="policy", at=at("12:00"), **about))
        elif plant == "longer":
            role.until = at("Fri 00:00")
        else:
            session.delete(role)
    found = invariants.breaches(lunch.session, at("12:30"))
    assert len(found) == 1
    assert found[0].startswith(breach)
