"""Admin pages: stations are opened, renamed, closed; managers appointed; people found and disabled."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import people, slots, stations
from booking.db import transactions
from booking.jobs import schedule
from booking.mail import backoff
from booking.mail.wording import JOBS
from booking.model import Event, JobRun, MailPause, Manages, Person, Slot, Station
from tests.support.lunch_hour import LunchHour, at
from tests.support.network_cast import MONDAY, Network

SENTENCE = re.compile(r'class="error" id="(\w+)-error">.*?<span>([^<]+)</span>', re.DOTALL)
TIANHE = {
    "code": "tianhe",
    "name": "天河驿站",
    "name_en": "Tianhe Station",
    "address": "珠江新城",
    "address_en": "",
    "zone_name": "Asia/Shanghai",
}


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.fixture
def admin(network: Network, app: Flask) -> FlaskClient:
    """何主任's browser."""
    return network.browser(app, "何主任")


def said(answer: TestResponse) -> dict[str, str]:
    return dict(SENTENCE.findall(answer.text))


def station_of(network: Network, code: str) -> Station | None:
    network.session.rollback()
    return network.session.scalar(select(Station).where(Station.code == code))


# Stations


def test_a_station_is_opened(network: Network, admin: FlaskClient) -> None:
    answer = admin.post("/admin/stations/new", data=TIANHE, follow_redirects=True)
    assert "天河驿站" in answer.text
    station = station_of(network, "tianhe")
    assert station
    assert (station.name_en, station.address, station.zone_name) == ("Tianhe Station", "珠江新城", "Asia/Shanghai")
    line = network.session.scalars(select(Event).where(Event.station_id == station.id)).one()
    assert (line.kind, line.actor_id) == ("station_created", network.ids["何主任"])


WRONG_STATIONS = [
    ({"code": ""}, {"code": "请填写代码。"}),
    ({"code": "CBD"}, {"code": "代码由小写字母、数字和连字符组成，以字母开头，2 到 32 位，不能是 new。"}),
    ({"code": "x" * 33}, {"code": "代码由小写字母、数字和连字符组成，以字母开头，2 到 32 位，不能是 new。"}),
    ({"code": "../admin"}, {"code": "代码由小写字母、数字和连字符组成，以字母开头，2 到 32 位，不能是 new。"}),
    ({"code": "new"}, {"code": "代码由小写字母、数字和连字符组成，以字母开头，2 到 32 位，不能是 new。"}),
    ({"code": "ｃｂｄ"}, {"code": "这个代码已经有驿站在用。"}),
    ({"code": "cbd"}, {"code": "这个代码已经有驿站在用。"}),
    ({"name": "  "}, {"name": "请填写名称。"}),
    ({"name": "站" * 81}, {"name": "太长了，最多 80 个字。"}),
    ({"address": "路" * 201}, {"address": "太长了，最多 200 个字。"}),
    ({"position": "国贸"}, {"position": "这不像一个坐标，请写成 39.9087, 116.4605 这样。"}),
    ({"position": "99, 116"}, {"position": "这不像一个坐标，请写成 39.9087, 116.4605 这样。"}),
    ({"zone_name": ""}, {"zone_name": "请填写时区。"}),
    ({"zone_name": "Mars/Base"}, {"zone_name": "没有这个时区。"}),
    ({"zone_name": "../../etc/passwd"}, {"zone_name": "没有这个时区。"}),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("form", "sentences"), WRONG_STATIONS)
def test_a_wrong_field_is_told_and_opens_nothing(
    network: Network, admin: FlaskClient, form: dict[str, str], sentences: dict[str, str]
) -> None:
    answer = admin.post("/admin/stations/new", data=TIANHE | form)
    assert (answer.status_code, said(answer)) == (422, sentences)
    assert 'value="Tianhe Station"' in answer.text
    assert station_of(network, "tianhe") is None


def test_a_station_is_renamed_but_keeps_its_code(network: Network, admin: FlaskClient) -> None:
    form = TIANHE | {"code": "other", "name": "国贸驿站", "zone_name": "Asia/Urumqi"}
    assert admin.post("/admin/stations/cbd", data=form).status_code == 303
    station = network.station("cbd")
    assert (station.code, station.name, station.zone_name) == ("cbd", "国贸驿站", "Asia/Urumqi")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("typed", "kept"), [("39.9087, 116.4605", "39.9087, 116.4605"), ("39.9，-116", "39.9, -116.0"), ("", "")]
)
def test_where_a_station_stands_is_typed_as_maps_give_it(
    network: Network, admin: FlaskClient, typed: str, kept: str
) -> None:
    assert admin.post("/admin/stations/cbd", data=TIANHE | {"position": typed}).status_code == 303
    assert network.station("cbd").position == kept
    assert f'name="position" type="text" value="{kept}"' in admin.get("/admin/stations/cbd").text


@pytest.mark.sqlite
def test_a_wrong_name_changes_nothing(network: Network, admin: FlaskClient) -> None:
    answer = admin.post("/admin/stations/cbd", data=TIANHE | {"name": ""})
    assert (answer.status_code, said(answer)) == (422, {"name": "请填写名称。"})
    assert network.station("cbd").address == ""


@pytest.mark.sqlite
def test_thousands_of_stations_are_paginated(network: Network, admin: FlaskClient) -> None:
    with transactions.transaction(network.session) as session:
        session.add_all([Station(code=f"s{n}", name=f"第 {n} 驿站", address="西城") for n in range(120)])
    first = admin.get("/admin/").text
    assert (first.count('scope="row"'), "全部 122" in first, "第 1 页，共 3 页" in first) == (
        50,
        True,
        True,
    )
    assert admin.get("/admin/?page=3").text.count('scope="row"') == 22
    assert admin.get("/admin/?q=第 7").text.count('scope="row"') == 11
    assert "没有找到" in admin.get("/admin/?q=火星").text


@pytest.mark.sqlite
@pytest.mark.parametrize("page", ["0", "-1", "999999999999", "x", "１", "1e9", "", "%00"])
def test_any_page_number_shows_some_page(network: Network, admin: FlaskClient, page: str) -> None:
    assert admin.get(f"/admin/?page={page}").status_code in (200, 400)
    assert admin.get(f"/admin/people?page={page}").status_code in (200, 400)


@pytest.mark.parametrize("sought", ["%", "_", "'", "\\", "a" * 5000, "<script>"])
def test_any_search_text_is_accepted(network: Network, admin: FlaskClient, sought: str) -> None:
    for path in ("/admin/", "/admin/people"):
        answer = admin.get(path, query_string={"q": sought})
        assert answer.status_code == 200
        assert 'scope="row"' not in answer.text
        assert "<script>" not in answer.text.partition("<body")[2]


# Managers


def test_a_manager_is_appointed_by_address_and_dismissed(network: Network, app: Flask, admin: FlaskClient) -> None:
    li = network.browser(app, "李静")
    assert li.get("/manage/cbd/").status_code == 404
    admin.post("/admin/stations/cbd/managers", data={"email": " LI@example.com"})
    assert li.get("/manage/cbd/").status_code == 200
    assert "李静" in admin.get("/admin/stations/cbd").text
    admin.post(f"/admin/stations/cbd/managers/{network.ids['李静']}/dismiss")
    assert li.get("/manage/cbd/").status_code == 404  # at once, with the page still open


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("", "请填写邮箱。"),
        ("li", "这个邮箱地址不完整，或者写错了。"),
        ("李静@example.com", "@ 前面有中文等字符的邮箱收不到我们的邮件，请换一个邮箱地址。"),
    ],
)
def test_what_is_no_address_is_not_appointed(network: Network, admin: FlaskClient, email: str, sentence: str) -> None:
    answer = admin.post("/admin/stations/cbd/managers", data={"email": email})
    assert (answer.status_code, said(answer)) == (422, {"email": sentence})
    assert len(network.session.scalars(select(Manages)).all()) == 2


def test_a_disabled_account_is_not_appointed_and_a_disabled_manager_is_marked(
    network: Network, admin: FlaskClient
) -> None:
    assert "已停用" not in admin.get("/admin/stations/cbd").text
    for name in ("李静", "林经理"):
        admin.post(f"/admin/people/{network.ids[name]}/disable", data={"reason": "借用他人账号"})
    answer = admin.post("/admin/stations/cbd/managers", data={"email": "li@example.com"})
    assert (answer.status_code, said(answer)) == (422, {"email": "这个账号已经停用，不能担任。"})
    assert len(network.session.scalars(select(Manages)).all()) == 2
    assert "已停用" in admin.get("/admin/stations/cbd").text


# Closing


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 has a seat at cbd on Tuesday, 李静 one on Wednesday; nobody has one on Friday."""
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 11:00")
    lunch.book("李静", "Tue 11:00", lunch.slot("Wed 12:10"))
    lunch.slot("Fri 12:10")
    return lunch


def close(lunch: LunchHour, clock: str) -> int:
    with transactions.transaction(lunch.session) as session:
        return stations.close_station(session, lunch.station_id, "大厦停电", at(clock), lunch.manager_id)


def test_closing_cancels_coming_slots_and_tells_everybody(lunch: LunchHour) -> None:
    assert close(lunch, "Tue 12:20") == 2
    lunch.session.rollback()
    assert lunch.latest("周明").state == "booked"  # it is running, and continues to its end
    assert lunch.letters("李静")[-1] == "slot_cancelled"
    assert lunch.strikes("李静") == []
    found = lunch.session.scalars(select(Slot.state).order_by(Slot.id))
    assert [state == "cancelled" for state in found] == [False, True, True]


def test_a_closed_station_takes_no_bookings_until_it_opens_again(lunch: LunchHour, app: Flask) -> None:
    close(lunch, "Tue 12:20")
    with time_machine.travel(at("Tue 12:30"), tick=False):
        assert app.test_client().get("/s/cbd").status_code == 404
    assert slots.stations_to_plan(lunch.session) == []
    with transactions.transaction(lunch.session) as session:
        stations.reopen_station(session, lunch.station_id, at("Tue 13:00"), lunch.manager_id)
    assert list(slots.stations_to_plan(lunch.session)) == [lunch.station_id]


def test_closing_is_idempotent(lunch: LunchHour) -> None:
    assert [close(lunch, "Tue 12:20"), close(lunch, "Tue 12:21")] == [2, 0]


def test_closing_and_opening_again_by_page(network: Network, admin: FlaskClient) -> None:
    answer = admin.post("/admin/stations/cbd/close", data={"reason": " "})
    assert (answer.status_code, said(answer)) == (422, {"reason": "请写明原因。"})
    assert network.station("cbd").closed_at is None
    admin.post("/admin/stations/cbd/close", data={"reason": "大厦停电"})
    assert network.station("cbd").closed_at
    assert "已关闭" in admin.get("/admin/").text
    admin.post("/admin/stations/cbd/reopen")
    assert network.station("cbd").closed_at is None


# People


def test_people_are_found_by_name_or_address(network: Network, admin: FlaskClient) -> None:
    assert "李静" in admin.get("/admin/people?q=LI@ex").text
    page = admin.get("/admin/people?q=周").text
    assert "周明" in page
    assert "李静" not in page


def test_a_phone_number_is_shown_in_part(network: Network, admin: FlaskClient) -> None:
    with transactions.transaction(network.session) as session:
        session.get_one(Person, network.ids["周明"]).phone = "13800138000"
    page = admin.get(f"/admin/people/{network.ids['周明']}").text
    assert "138****8000" in page
    assert "13800138000" not in page


def test_an_account_is_disabled_with_a_reason_and_enabled_again(
    network: Network, app: Flask, admin: FlaskClient
) -> None:
    zhou, path = network.browser(app, "周明"), f"/admin/people/{network.ids['周明']}"
    answer = admin.post(f"{path}/disable", data={"reason": ""})
    assert (answer.status_code, said(answer)) == (422, {"reason": "请写明原因。"})
    assert zhou.get("/account/").status_code == 200
    admin.post(f"{path}/disable", data={"reason": "借用他人账号"})
    assert zhou.get("/account/").status_code == 303
    assert "已停用" in admin.get(path).text
    admin.post(f"{path}/enable")
    assert network.person("周明").disabled_at is None


@pytest.mark.sqlite
def test_nobody_disables_themselves_by_direct_post(network: Network, admin: FlaskClient) -> None:
    path = f"/admin/people/{network.ids['何主任']}/disable"
    answer = admin.post(path, data={"reason": "x"}, follow_redirects=True)
    assert "不能停用自己。" in answer.text
    assert network.person("何主任").disabled_at is None


@pytest.mark.sqlite
def test_a_deleted_account_is_not_listed(network: Network, admin: FlaskClient) -> None:
    with transactions.transaction(network.session) as session:
        people.delete_account(session, network.ids["周明"], MONDAY)
    assert admin.get(f"/admin/people/{network.ids['周明']}").status_code == 404
    assert admin.post(f"/admin/people/{network.ids['周明']}/enable").status_code == 404


# The scheduler


def test_every_job_has_a_name_on_the_page() -> None:
    assert JOBS.keys() == {job.name for job in schedule.TIMETABLE}


@time_machine.travel(at("12:00"), tick=False)
def test_the_last_run_of_each_job_is_shown(network: Network, app: Flask) -> None:
    admin, noon = network.browser(app, "何主任"), at("12:00")
    assert "还没有跑过" in admin.get("/admin/jobs").text
    with transactions.transaction(network.session) as session:
        session.add(JobRun(name="open", started_at=noon, finished_at=noon, did=5))
        session.add(JobRun(name="release", started_at=noon, finished_at=noon, error="<b>disk full</b>"))
    page = admin.get("/admin/jobs").text
    assert "正常" in page
    assert "&lt;b&gt;disk full&lt;/b&gt;" in page


@pytest.mark.sqlite
@time_machine.travel(at("12:00"), tick=False)
@pytest.mark.parametrize(
    ("kind", "reply", "said", "everywhere"),
    [
        ("setup", "535 <认证失败>", "MAIL_FROM", True),
        ("setup", "SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] <expired>", "MAIL_CA", True),
        ("unreachable", "<timed out>", "连不上邮件服务器", True),
        ("throttled", "421 <MI:SFQ>", "下次尝试：12:05:00", False),
        ("unclear", "550 <refused>", "接连拒收", False),
    ],
)
def test_what_keeps_the_mail_is_one_banner_with_the_servers_answer_until_it_leaves(
    network: Network, app: Flask, kind: str, reply: str, said: str, everywhere: bool
) -> None:
    admin, noon = network.browser(app, "何主任"), at("12:00")
    with transactions.transaction(network.session) as session:
        until = noon + timedelta(minutes=5)
        session.add(MailPause(sender="smtp", kind=kind, since=noon, until=until, rests=2, reply=reply))
    page = admin.get("/admin/jobs").text
    assert page.count("data-mail-paused") == 1
    assert said in page
    assert str(escape(reply)) in page
    assert admin.get("/admin/").text.count("data-mail-paused") == everywhere
    assert "马上会再试一次。" in admin.post("/admin/jobs/mail/again", follow_redirects=True).text
    assert network.session.get_one(MailPause, "smtp", populate_existing=True).until == noon
    with transactions.transaction(network.session) as session:
        backoff.succeeded(session)
    assert "data-mail-paused" not in admin.get("/admin/jobs").text + admin.get("/admin/").text


@pytest.mark.sqlite
def test_a_dismissed_manager_loses_an_open_page(network: Network, admin: FlaskClient) -> None:
    with transactions.transaction(network.session) as session:
        session.get_one(Person, network.ids["何主任"]).is_admin = False
    assert admin.post("/admin/stations/new", data=TIANHE).status_code == 404
    assert station_of(network, "tianhe") is None
