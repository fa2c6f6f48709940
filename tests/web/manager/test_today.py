"""Today: where a manager lands: the slots of the day in order, and what each hour asks for."""

import re
from datetime import time

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.extensions import db
from tests.support import statements
from tests.support.desk_cast import HTMX, Desk
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import LunchHour
from tests.support.network_cast import PASSWORD, Network

ACT = re.compile(r'data-slot="(\d+)"[^>]*data-act="(\w+)"')


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    lunch = LunchHour(session, capacity=2)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def acts(desk: Desk, clock: str) -> list[tuple[int, str]]:
    """The slots of the page in order, each with what it asks for."""
    return [(int(slot_id), act) for slot_id, act in ACT.findall(desk.get("", clock).text)]


@pytest.mark.parametrize(
    ("clock", "act", "words"),
    [
        ("08:30", "open", "11:55 起签到"),
        ("11:55", "door", "12:15 释放没来的人的名额"),
        ("12:30", "door", "还没有人签到"),
        ("13:30", "word", "没有人签到，请说当时的情况"),
        ("15:30", "done", "没有登记到场"),
    ],
)
def test_each_hour_has_its_next_act(desk: Desk, lunch: LunchHour, clock: str, act: str, words: str) -> None:
    for moment in ("12:10", "12:16", "13:01", "15:02"):
        if moment < clock:
            lunch.tick(moment)
    assert acts(desk, clock) == [(lunch.slot_id, act)]
    assert words in desk.words("", clock)


def test_the_slots_stand_in_order_and_say_who_came(desk: Desk, lunch: LunchHour) -> None:
    early, evening = lunch.slot("11:40"), lunch.slot("18:00")
    lunch.check_in("周明", "12:00")
    lunch.stand_by("陈晨", "12:01")
    assert acts(desk, "12:05") == [(early, "door"), (lunch.slot_id, "door"), (evening, "open")]
    assert "已约 2 / 2 · 候补 2，其中现场 1 · 已到 1" in desk.words("", "12:05")
    lunch.tick("12:16")
    assert "已到 2 · 没来 1" in desk.words("", "12:20"), "who stood by has the seat of who did not come"


def test_a_slot_added_late_and_a_cancelled_one_say_so(desk: Desk, lunch: LunchHour) -> None:
    lunch.cancel("09:00", reason="停电")
    assert acts(desk, "09:30") == [(lunch.slot_id, "cancelled")]
    assert "停电" in desk.words("", "09:30")


def test_before_an_opening_the_day_begins_with_it(desk: Desk, lunch: LunchHour) -> None:
    """Monday has no slots, and Tuesday's open at 10:00."""
    assert "今天没有场次" in desk.words("", "Mon 09:30")
    assert "今天 10:00 放号：11月24日周二的 1 场 已约 2 / 2 · 候补 1" in desk.words("", "Mon 09:30")
    assert "已放号：11月24日周二的 1 场" in desk.words("", "Mon 10:00")
    assert "放号：" not in desk.words("", "Tue 12:00")


@pytest.mark.parametrize("path", ["", "week", "slots/{slot}"])
def test_a_slot_by_draw_says_how_far_its_draw_is(app: Flask, session: Session, path: str) -> None:
    """周明 wants yoga and crafts, 李静 just yoga; its start is not shown as its opening."""
    day = DrawDay(session, opens_workdays_before=0, opens_at=time(8), draw_minutes=60)
    desk, here = Desk(app, day), path.format(slot=day.yoga)
    assert "抽签：今天 08:00 开始报名，早晚一样" in desk.words(here, "07:30")
    day.enter("周明", "08:10", day.yoga, day.crafts)
    day.enter("李静", "08:11", day.yoga)
    gathering = desk.words(here, "08:30")
    assert "2 人报名 · 今天 09:01 出结果" in gathering
    assert "未开放" not in gathering
    assert "12:10 放号" not in gathering
    assert "还没有人预约" not in gathering
    day.tick("09:00")
    assert "名单已封存：2 人报名 · 今天 09:01 出结果" in desk.words(here, "09:00:30")


def test_the_list_of_slots_calls_a_draw_a_draw(app: Flask, session: Session) -> None:
    desk = Desk(app, DrawDay(session))
    assert "未开放" not in desk.words("slots", "Mon 10:30")
    assert "抽签" in desk.words("slots", "Mon 10:30")


def test_a_coming_day_by_draw_opens_when_people_can_enter(app: Flask, session: Session) -> None:
    desk = Desk(app, DrawDay(session))
    assert "今天 10:00 放号：11月24日周二的 3 场" in desk.words("", "Mon 09:30")
    assert "已放号：11月24日周二的 3 场" in desk.words("", "Mon 10:30")


@pytest.mark.sqlite
def test_a_poll_gets_the_roster_again_when_somebody_enters_the_draw(app: Flask, session: Session) -> None:
    day = DrawDay(session)
    desk, path = Desk(app, day), f"slots/{day.yoga}"
    known = HTMX | {"If-None-Match": desk.get(path, "Mon 10:01", headers=HTMX).headers["ETag"]}
    assert desk.get(path, "Mon 10:02", headers=known).status_code == 304
    day.enter("周明", "Mon 10:03", day.yoga)
    with app.app_context(), statements.heard(db.engine) as sent:
        assert "1 人报名" in desk.get(path, "Mon 10:04", headers=known).text
    assert sum("draw_entry.wishes" in one.text for one in sent) == 1


@pytest.mark.sqlite
def test_a_poll_gets_the_list_again_only_when_something_changed(desk: Desk, lunch: LunchHour) -> None:
    first = desk.get("", "12:00", headers=HTMX)
    assert "<html" not in first.text
    assert 'id="today"' in first.text
    known = HTMX | {"If-None-Match": first.headers["ETag"]}
    assert desk.get("", "12:00:30", headers=known).status_code == 304
    lunch.check_in("周明", "12:00:40")
    assert "已到 1" in desk.get("", "12:00:45", headers=known).text


@pytest.mark.sqlite
@pytest.mark.parametrize("query", ["?from=2026-11-23", "?from=2026-11-23&sizes=y"])
def test_a_bookmark_of_the_week_leads_to_the_week(desk: Desk, query: str) -> None:
    answer = desk.get(query)
    assert (answer.status_code, answer.location) == (303, f"/manage/cbd/week{query}")


@pytest.mark.sqlite
def test_account_and_sign_out_are_on_every_page_of_the_manager(desk: Desk, lunch: LunchHour) -> None:
    for path in ("", "week", "policy", f"slots/{lunch.slot_id}"):
        page = desk.get(path).text
        assert 'action="/account/sign-out"' in page
        assert 'href="/account/"' in page


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("who", "asked", "lands"),
    [
        ("lin", "", "/manage/"),
        ("lin", "/", "/manage/"),
        ("lin", "/account/", "/manage/"),
        ("lin", "/me", "/me"),
        ("lin", "/manage/cbd/people", "/manage/cbd/people"),
        ("he", "", "/admin/"),
        ("zhou", "", "/"),
        ("zhou", "/account/", "/account/"),
    ],
)
def test_after_signing_in_everybody_lands_where_their_day_begins(
    session: Session, app: Flask, who: str, asked: str, lands: str
) -> None:
    Network(session)
    client = app.test_client()
    form = {"email": f"{who}@example.com", "password": PASSWORD, "next": asked}
    assert client.post("/account/sign-in", data=form).location == lands
    if lands == "/manage/":
        assert client.get(lands).location == "/manage/cbd/"


@pytest.mark.sqlite
def test_a_manager_who_changes_the_password_stays_with_their_account(session: Session, app: Flask) -> None:
    lin = Network(session).browser(app, "林经理")
    answer = lin.post("/account/password", data={"old": PASSWORD, "password": "another noon"})
    assert (answer.status_code, answer.location) == (303, "/account/")
