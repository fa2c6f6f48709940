"""The pages of notices: on the station's page for everybody, the manager's and the organiser's desks, the door screen."""

import html
import re
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import services
from booking.db import transactions
from booking.extensions import db
from booking.model import Node, Notice, Station
from booking.services import NoticeWords
from booking.web.linked_text import linked
from tests.support import statements
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour, at
from tests.support.organiser_desk import OrganiserDesk
from tests.support.organiser_desk import said as words_of_answer
from tests.support.snapshots import seed_workdays
from tests.support.tree_cast import CityTree, city_tree
from tests.support.worker_cast import HTMX, Phone

pytestmark = pytest.mark.sqlite
MONDAY = date(2026, 11, 23)
TYPED = {"title": "电梯检修", "text": "请走东门", "first": "2026-11-23", "last": "2026-11-25", "picture": ""}


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def look(app: Flask, path: str, clock: str = "Mon 11:00", **headers: str) -> str:
    """What a browser without a sign-in gets."""
    with time_machine.travel(at(clock), tick=False):
        return html.unescape(app.test_client().get(path, headers=headers).text)


def test_from_the_desk_to_everybodys_page_and_away_again(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    assert "公告" not in re.sub("<nav.*?</nav>", "", look(app, "/s/cbd"))
    assert "公告贴出来了。" in said(desk.post("notices/new", **TYPED))
    page = look(app, "/s/cbd")
    assert re.search(r"<summary.*电梯检修.*</summary>", page)
    assert "请走东门" in page
    assert "电梯检修" in look(app, "/s/cbd/notices")
    notice = lunch.session.scalars(select(Notice)).one()
    desk.post(f"notices/{notice.id}", **TYPED | {"title": "电梯修好了"})
    assert "电梯修好了" in look(app, "/s/cbd")
    assert "公告撤下了。" in said(desk.post(f"notices/{notice.id}/end"))
    assert "电梯" not in look(app, "/s/cbd")
    assert "现在没有公告" in look(app, "/s/cbd/notices")
    history = desk.words("history")
    assert [word in history for word in ("公告贴出来了：电梯检修", "公告提前撤下了：电梯修好了")] == [True, True]


def test_the_three_newest_are_folded_and_the_page_has_all(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    for n in range(5):
        desk.post("notices/new", **TYPED | {"title": f"第 {n} 条"})
    page = look(app, "/s/cbd")
    assert re.findall(r'data-notice="\d+"><h2 class="title">(.*?)<', page) == ["第 4 条", "第 3 条", "第 2 条"]
    assert re.search("<summary.*第 4 条.*共 5 条公告.*</summary>", page)
    assert len(re.findall(r"data-notice=", look(app, "/s/cbd/notices"))) == 5


def test_at_midnight_it_appears_and_vanishes_without_an_event(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    desk.post("notices/new", **TYPED | {"first": "2026-11-24", "last": "2026-11-24"})
    clocks = ("Mon 23:59:59", "Tue 00:00:00", "Tue 23:59:59", "Wed 00:00:00")
    assert ["电梯检修" in look(app, "/s/cbd", clock) for clock in clocks] == [False, True, True, False]


def test_a_poll_and_a_press_ask_for_no_notices(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    desk.post("notices/new", **TYPED)
    phone = Phone(app, lunch, "周明")
    look(app, "/s/cbd?day=2026-11-24")
    with app.app_context(), statements.heard(db.engine) as sent:
        look(app, "/s/cbd?day=2026-11-24", **HTMX)
        look(app, "/s/cbd?day=2026-11-24")
        phone.press("Mon 11:00")
    assert [one.text for one in sent if "notice" in one.text] == []


def test_markup_is_shown_as_typed_and_only_https_is_a_link() -> None:
    typed = "<b>粗</b> 见 https://www.example.com/a?b=1&c=2，或 http://x.example 和 example.org。(https://y.example.)"
    shown = linked(typed)
    assert isinstance(shown, Markup)
    assert re.findall('href="(.*?)"', shown) == ["https://www.example.com/a?b=1&amp;c=2", "https://y.example"]
    assert shown.count('rel="nofollow noopener"') == 2
    assert html.unescape(re.sub("</?a[^>]*>", "", shown)) == typed
    assert "<b>" not in shown


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)",
        "https://",
        "https://bank.example@evil.example/",
        "https://intranet/x",
        'https://"onclick=x',
    ],
)
def test_what_is_no_plain_address_stays_text(typed: str) -> None:
    assert "<a" not in linked(typed)
    assert html.unescape(linked(typed)) == typed


WRONG = {
    "title": {"title": " "},
    "text": {"text": "长" * 10_000},
    "last": {"last": "2026-11-22"},
    "first": {"first": ""},
    "picture": {"picture": "../secret"},
}


@pytest.mark.parametrize("field", WRONG)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(desk: Desk, field: str) -> None:
    answer = desk.post("notices/new", **TYPED | WRONG[field])
    assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True)
    assert field == "title" or 'value="电梯检修"' in answer.text
    assert desk.lunch.session.scalars(select(Notice)).all() == []


def test_more_than_a_year_and_a_closed_station_are_said(desk: Desk, lunch: LunchHour) -> None:
    assert "一条公告最长显示一年。" in said(desk.post("notices/new", **TYPED | {"last": "2027-11-26"}))
    with transactions.transaction(lunch.session) as session:
        session.get_one(Station, lunch.station_id).closed_at = at("Mon 08:00")
    assert "这里已经关闭，不能贴公告。" in said(desk.post("notices/new", **TYPED))


def test_a_nodes_notice_is_the_nodes_alone(app: Flask, session: Session) -> None:
    city: CityTree = city_tree(session)
    organiser = OrganiserDesk(app, city, "李统筹", "chaoyang")
    below = OrganiserDesk(app, city, "韩统筹", "cbd-centre")
    manager = OrganiserDesk(app, city, "国贸经理", runs="guomao")
    assert "下面的驿站都看得到" in words_of_answer(organiser.post("/net/chaoyang/notices/new", **TYPED))
    notice_id = session.scalars(select(Notice.id)).one()
    assert "上级的公告" in manager.words("/manage/guomao/notices")
    assert "电梯检修 11月23日周一–11月25日周三 · 朝阳区" in manager.words("/manage/guomao/notices")
    gone = [
        manager.post(f"/manage/guomao/notices/{notice_id}/end"),
        manager.post(f"/manage/guomao/notices/{notice_id}", **TYPED),
        below.post(f"/net/cbd-centre/notices/{notice_id}/end"),
        below.post(f"/net/chaoyang/notices/{notice_id}/end"),
    ]
    assert [answer.status_code for answer in gone] == [404] * 4
    assert "朝阳区 · 11月23日周一到11月25日周三" in manager.words("/s/guanghua/notices")
    assert "公告撤下了。" in words_of_answer(organiser.post(f"/net/chaoyang/notices/{notice_id}/end"))
    assert "现在没有公告" in manager.words("/s/guanghua/notices")


def test_the_page_says_it_in_english(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    desk.post("notices/new", **TYPED)
    desk.post("notices/new", **TYPED | {"title": "Open house"})
    page = look(app, "/s/cbd", **{"Accept-Language": "en"})
    assert re.search("<summary.*Open house.*2 notices.*</summary>", page)
    assert "Mon, Nov 23 to Wed, Nov 25" in page


def test_one_of_the_citys_is_on_the_stations_page_at_once(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        city = Node(level="city", code="bj", name="北京市", path="bj")
        session.add(city)
        session.flush()
        city.path = f"{city.id}."
        session.get_one(Station, lunch.station_id).centre_id = city.id
    assert "元旦" not in look(app, "/s/cbd")
    words = NoticeWords("元旦休息", "", MONDAY, MONDAY + timedelta(days=1))
    services.publish_notice(
        lunch.session, lunch.session.get_one(Node, city.id), words, at("Mon 10:00"), lunch.manager_id
    )
    assert "元旦休息" in look(app, "/s/cbd")


def test_the_door_screen_shows_one_at_a_time_without_asking_again(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    for title in ("电梯检修", "开放参观"):
        desk.post("notices/new", **TYPED | {"title": title})
    desk.post("door/pair", "11:30", follow=False)
    desk.root = "/"
    with app.app_context(), statements.heard(db.engine) as sent:
        shown = [
            re.findall(r"notice-line.*?>(.*?)<", desk.get("door/cbd", f"11:31:{n}").text) for n in ("00", "29", "30")
        ]
    assert sorted(shown[::2]) == [["开放参观"], ["电梯检修"]]
    assert shown[0] == shown[1]
    assert len([one for one in sent if "FROM notice" in one.text]) == 1
