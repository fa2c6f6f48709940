"""The pages of watching online: the manager's link, the worker's button, the way out, and what it costs nobody else."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import slots
from booking.extensions import db
from booking.model import WatchLink, WatchOpen
from booking.queries import watch_links
from tests.support.desk_cast import HTMX, Desk, said
from tests.support.lunch_hour import LunchHour, at
from tests.support.statements import heard
from tests.support.worker_cast import Phone, words_of

pytestmark = pytest.mark.sqlite
LIVE = "https://live.bilibili.com/21?from=a&to=b"
HOSTS = ("live.bilibili.com",)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


@pytest.fixture
def stranger(app: Flask, lunch: LunchHour) -> Phone:
    return Phone(app, lunch)


@pytest.fixture
def hybrid(lunch: LunchHour) -> None:
    slots.set_watch_link(lunch.session, lunch.slot_id, LIVE, HOSTS, at("Mon 09:00"), lunch.manager_id)


def path(lunch: LunchHour, more: str = "") -> str:
    return f"/slots/{lunch.slot_id}{more}"


def opened(lunch: LunchHour) -> int:
    lunch.session.rollback()
    return watch_links.opened(lunch.session, lunch.slot_id)


def link(lunch: LunchHour) -> str | None:
    lunch.session.rollback()
    row = lunch.session.get(WatchLink, lunch.slot_id)
    return row.url if row else None


@pytest.mark.usefixtures("hybrid")
def test_the_page_of_the_slot_says_from_when_and_then_has_a_button(lunch: LunchHour, stranger: Phone) -> None:
    early, now, late = (words_of(stranger.get(path(lunch), clock).text) for clock in ("12:04", "12:05", "13:00"))
    assert "室内 2 席，在线不限：12:05 起可以在线看，不用预约。" in early
    assert "在 live.bilibili.com 打开" in now
    assert "在线看已经结束了。" in late
    for clock, times in (("12:04", 0), ("12:05", 1), ("13:00", 0)):
        page = stranger.get(path(lunch), clock).text
        assert page.count(f'method="post" action="{path(lunch, "/watch")}"') == times
        assert "live.bilibili.com/21" not in page
    english = words_of(stranger.get(path(lunch), "12:04", headers={"Accept-Language": "en"}).text)
    assert "2 seats in the room, watching online is open to all" in english


@pytest.mark.usefixtures("hybrid")
def test_a_poll_brings_the_button_and_then_only_what_changed(lunch: LunchHour, stranger: Phone) -> None:
    early = stranger.get(path(lunch, "/watch"), "12:04", headers=HTMX)
    now = stranger.get(path(lunch, "/watch"), "12:05", headers=HTMX | {"If-None-Match": early.headers["ETag"]})
    assert (early.text.count("<form"), now.text.count("<form"), "<html" in now.text) == (0, 1, False)
    again = stranger.get(path(lunch, "/watch"), "12:06", headers=HTMX | {"If-None-Match": now.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.usefixtures("hybrid")
def test_a_press_is_counted_once_and_leads_out_without_saying_from_where(lunch: LunchHour, stranger: Phone) -> None:
    stranger.get(path(lunch), "12:05")
    for _ in range(2):
        answer = stranger.post(path(lunch, "/watch"), "12:05")
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "form-action 'self';" in answer.headers["Content-Security-Policy"]
        assert (
            '<meta http-equiv="refresh" content="0; url=https://live.bilibili.com/21?from=a&amp;to=b">' in answer.text
        )
        assert 'href="https://live.bilibili.com/21?from=a&amp;to=b"' in answer.text
    assert opened(lunch) == 1


@pytest.mark.usefixtures("hybrid")
def test_each_browser_and_each_person_counts_and_looking_does_not(app: Flask, lunch: LunchHour) -> None:
    for who in ("", "", "周明", "周明", "李静"):  # two strangers, one person on two phones, another one
        phone = Phone(app, lunch, who)
        for look in ("", "/watch"):
            assert phone.get(path(lunch, look), "12:06").status_code == 200
        with app.test_request_context():
            phone.client.head(path(lunch, "/watch"))
        phone.post(path(lunch, "/watch"), "12:06")
    assert opened(lunch) == 4
    rows = lunch.session.execute(select(WatchOpen.person_id, WatchOpen.browser)).all()
    assert sorted(bool(person_id) for person_id, _ in rows) == [False, False, True, True]
    assert all(re.fullmatch("[0-9a-f]{32}", browser) for person_id, browser in rows if not person_id)


@pytest.mark.usefixtures("hybrid")
def test_a_press_from_elsewhere_counts_nothing(make_app_with_csrf: FlaskClient, lunch: LunchHour) -> None:
    assert make_app_with_csrf.post(path(lunch, "/watch")).status_code == 400
    assert opened(lunch) == 0


@pytest.fixture
def make_app_with_csrf(make_app: object) -> FlaskClient:
    assert callable(make_app)
    client: FlaskClient = make_app(WTF_CSRF_ENABLED=True).test_client()
    return client


@pytest.mark.usefixtures("hybrid")
@pytest.mark.parametrize(("clock", "words"), [("12:04", "12:05 起可以在线看"), ("13:00", "这一场已经结束了。")])
def test_too_early_or_too_late_it_says_so(lunch: LunchHour, stranger: Phone, clock: str, words: str) -> None:
    answer = stranger.post(path(lunch, "/watch"), clock)
    assert (answer.status_code, "bilibili" in answer.text) == (409, False)
    assert words in said(answer)


def test_without_a_link_it_says_so_and_a_slot_in_the_room_only_has_no_such_page(
    lunch: LunchHour, stranger: Phone
) -> None:
    assert stranger.get(path(lunch, "/watch"), "12:06").status_code == 404
    assert stranger.post(path(lunch, "/watch"), "12:06").status_code == 404
    assert stranger.get("/slots/999/watch", "12:06").status_code == 404
    slots.set_watch_link(lunch.session, lunch.slot_id, "", HOSTS, at("Mon 09:00"), lunch.manager_id)
    assert "驿站还没有放上链接" in words_of(stranger.get(path(lunch, "/watch"), "12:06").text)
    refused = stranger.post(path(lunch, "/watch"), "12:06")
    assert (refused.status_code, 'data-refusal="watch_missing"' in refused.text) == (409, True)


@pytest.mark.usefixtures("hybrid")
def test_a_cancelled_slot_leads_nowhere(lunch: LunchHour, stranger: Phone) -> None:
    lunch.cancel("11:00")
    assert "这一场已经取消" in words_of(stranger.get(path(lunch, "/watch"), "12:06").text)
    assert stranger.post(path(lunch, "/watch"), "12:06").status_code == 409


WRONG = {
    "http://live.bilibili.com/21": "网址要以 https:// 开头",
    "https://example.com/21": "只能放这些网站的链接：meeting.tencent.com",
    "https://a@live.bilibili.com/": "不能带用户名或端口",
    "https://live.bilibili.com:8443/": "不能带用户名或端口",
    'https://live.bilibili.com/"><b>': "不能有空格、汉字、引号或尖括号",
    "https://live.bilibili.com/" + "a" * 300: "最多 300 个字。",
}


@pytest.mark.parametrize("typed", WRONG)
def test_a_wrong_link_is_told_beside_the_field_and_kept(desk: Desk, lunch: LunchHour, typed: str) -> None:
    new = desk.get("slots/new?date=2026-11-25").text
    activity, zone = (
        re.search(rf'name="{name}".*?value="(\d+)"', new, re.DOTALL) for name in ("activity_id", "zone_id")
    )
    assert activity
    assert zone
    one_off = {"date": "2026-11-25", "starts": "12:10", "minutes": "50", "capacity": "5", "allocation": "first"}
    one_off |= {"activity_id": activity[1], "zone_id": zone[1]}
    for where, form in ((f"slots/{lunch.slot_id}/watch", {}), ("slots/new", one_off)):
        answer = desk.post(where, hybrid="y", watch_url=typed, **form)
        assert answer.status_code == 422
        beside = re.search(r'id="watch_url-error".*?</p>', answer.text, re.DOTALL)
        assert beside
        assert WRONG[typed] in words_of(beside[0])
        assert typed.replace('"', "&#34;").replace(">", "&gt;").replace("<", "&lt;") in answer.text
        assert 'name="hybrid" type="checkbox" value="y"' in answer.text
    assert link(lunch) is None


def test_the_manager_marks_it_links_it_and_takes_it_back(desk: Desk, lunch: LunchHour) -> None:
    here, form = f"slots/{lunch.slot_id}", f"slots/{lunch.slot_id}/watch"
    assert "在线看的链接还没有" not in desk.words(here)
    assert "链接还没有，记得补上" in said(desk.post(form, hybrid="y", watch_url=""))
    assert (link(lunch), "在线看的链接还没有" in desk.words(here)) == ("", True)
    assert "页面上有“在线看”" in said(desk.post(form, watch_url=LIVE))  # a new link says by itself that it is one
    assert (link(lunch), "室内 2 席，在线不限 · 点开在线看 0 人" in desk.words(here)) == (LIVE, True)
    assert "这一场只在室内。" in said(desk.post(form, watch_url=LIVE))
    assert link(lunch) is None
    history = desk.words("history")
    for told in ("标成线上线下了", "在线看的链接改了：live.bilibili.com", "不再是线上线下了"):
        assert told in history
    assert "from=a" not in history


def test_a_new_slot_can_have_its_link_at_once(desk: Desk, lunch: LunchHour) -> None:
    zone_id, activity_id = lunch.now().zone_id, lunch.now().activity_id
    form = {"date": "2026-11-25", "starts": "12:10", "minutes": "50", "capacity": "5", "allocation": "first"}
    page = desk.post("slots/new", **form, activity_id=activity_id, zone_id=zone_id, hybrid="y", watch_url=LIVE)
    assert "室内 5 席，在线不限" in said(page)
    lunch.session.rollback()
    assert lunch.session.scalars(select(WatchLink.url)).all() == [LIVE]


def test_a_missing_link_is_told_where_the_manager_lands(desk: Desk, lunch: LunchHour) -> None:
    assert "还没有链接" not in desk.words("")
    desk.post(f"slots/{lunch.slot_id}/watch", hybrid="y")
    page = desk.get("").text
    assert "有 1 场线上线下的活动还没有链接" in words_of(page)
    assert f'href="/manage/cbd/slots/{lunch.slot_id}#watch"' in page
    desk.post(f"slots/{lunch.slot_id}/watch", hybrid="y", watch_url=LIVE)
    assert "还没有链接" not in desk.words("")


@pytest.mark.usefixtures("hybrid")
def test_staff_see_how_many_opened_it_and_polls_bring_the_number(desk: Desk, lunch: LunchHour, stranger: Phone) -> None:
    here = f"slots/{lunch.slot_id}"
    before = desk.get(here, "12:06", headers=HTMX)
    stranger.post(path(lunch, "/watch"), "12:06")
    after = desk.get(here, "12:06", headers=HTMX | {"If-None-Match": before.headers["ETag"]})
    assert 'data-watched="1"' in after.text
    for clock in ("12:10", "13:00"):
        lunch.tick(clock)
    assert "点开在线看 1 人" in desk.words(here, "14:00")
    numbers = desk.get("numbers?from=2026-11-24&until=2026-11-24", "14:00").text
    assert re.search(r'data-number="watched"><b>1</b>', numbers)
    assert re.search(r'data-number="visits"><b>0</b>', numbers)


@pytest.mark.usefixtures("hybrid")
def test_the_day_and_the_press_read_nothing_of_it(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    with app.app_context(), heard(db.engine) as sent:
        phone.day("Mon 11:00")
        phone.get(path(lunch), "Mon 11:00", headers=HTMX)
        phone.press("Mon 11:01")
        phone.get("/me", "Mon 11:02")
    assert lunch.state("周明") == "booked"
    assert sent
    assert [one.text for one in sent if "watch_" in one.text] == []


@pytest.mark.usefixtures("hybrid")
def test_the_page_of_a_slot_reads_one_row_more(app: Flask, lunch: LunchHour, stranger: Phone) -> None:
    with app.app_context(), heard(db.engine) as sent:
        stranger.get(path(lunch), "12:06")
    assert len([one.text for one in sent if "watch_" in one.text]) == 1


@pytest.mark.usefixtures("hybrid")
def test_search_engines_hear_that_it_is_in_both_places(lunch: LunchHour, stranger: Phone) -> None:
    page = stranger.get(path(lunch), "Mon 11:00").text
    assert "MixedEventAttendanceMode" in page
    assert f"http://localhost{path(lunch, '/watch')}" in page
    assert lunch.session.scalar(select(func.count(WatchOpen.id))) == 0
