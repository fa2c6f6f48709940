"""Holiday import: an admin uploads a notice, previews what it changes, and confirms."""

import html
import io
import re
from datetime import date

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import invariants, workdays
from booking.db import transactions
from booking.model import Event, Workday
from tests.support import holiday_notices as notices
from tests.support.network_cast import MONDAY, Network
from tests.support.snapshots import seed_workdays
from tests.web.admin.test_admin_pages import said

HIDDEN = re.compile(r'name="(file|shown)" value="([^"]*)"')


@pytest.fixture
def network(session: Session) -> Network:
    with transactions.transaction(session):
        seed_workdays(session)
    return Network(session)


@pytest.fixture
def admin(network: Network, app: Flask) -> FlaskClient:
    return network.browser(app, "何主任")


def upload(admin: FlaskClient, content: bytes) -> TestResponse:
    return admin.post("/admin/holidays", data={"file": (io.BytesIO(content), "2027.json")})


def hidden(page: TestResponse) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in HIDDEN.findall(page.text)}


def years(network: Network) -> set[int]:
    network.session.rollback()
    return workdays.announced_years(network.session)


def test_a_notice_is_imported_after_its_preview(network: Network, admin: FlaskClient) -> None:
    preview = upload(admin, notices.file())
    assert (preview.status_code, f"{notices.CHANGES_2027} 天会改变" in preview.text) == (200, True)
    assert "2027 年的放假安排" in preview.text
    assert "请那时导入新一年的文件" in admin.get("/admin/holidays").text
    assert years(network) == {2024, 2025, 2026}
    done = admin.post("/admin/holidays/import", data=hidden(preview), follow_redirects=True)
    assert f"2027 年的放假安排导入了，{notices.CHANGES_2027} 天有变化" in done.text
    assert years(network) == {2024, 2025, 2026, 2027}
    event = network.session.scalars(select(Event).where(Event.kind == "holidays_imported")).one()
    assert (event.actor_id, event.station_id, event.details["year"]) == (network.ids["何主任"], None, 2027)
    assert invariants.breaches(network.session, MONDAY) == []


@pytest.mark.sqlite
def test_what_an_admin_confirms_is_what_they_have_seen(network: Network, admin: FlaskClient) -> None:
    preview = upload(admin, notices.file())
    with transactions.transaction(network.session) as session:
        session.get_one(Workday, date(2027, 1, 1)).works = True
    again = admin.post("/admin/holidays/import", data=hidden(preview))
    assert (again.status_code, 'data-refusal="calendar_changed"' in again.text) == (409, True)
    assert years(network) == {2024, 2025, 2026}
    assert admin.post("/admin/holidays/import", data=hidden(again)).status_code == 303
    assert 2027 in years(network)


@pytest.mark.sqlite
def test_an_invalid_file_is_refused_at_its_field(network: Network, admin: FlaskClient) -> None:
    for _, content, _ in notices.REFUSED:
        answer = upload(admin, content)
        assert (answer.status_code, list(said(answer))) == (422, ["file"]), content[:80]
    assert "至少要 14 个" in said(upload(admin, notices.EMPTY))["file"]
    for content in (notices.EMPTY, b"[]", "节".encode()):  # a preview that was tampered with
        answer = admin.post("/admin/holidays/import", data={"file": content.decode(), "shown": "x"})
        assert (answer.status_code, list(said(answer))) == (422, ["file"]), content
    assert years(network) == {2024, 2025, 2026}


@pytest.mark.sqlite
def test_a_form_without_a_file_says_so(network: Network, admin: FlaskClient) -> None:
    for data in ({}, {"file": ""}, {"file": "2027"}, {"shown": "x"}):
        answer = admin.post("/admin/holidays", data=data)
        assert (answer.status_code, said(answer)) == (422, {"file": "请选一个文件。"}), data
        assert admin.post("/admin/holidays/import", data=data).status_code == 422


@pytest.mark.sqlite
def test_only_admins_import(network: Network, app: Flask) -> None:
    manager = network.browser(app, "林经理")
    for answer in (manager.get("/admin/holidays"), upload(manager, notices.file())):
        assert answer.status_code == 404


NEAR_THE_END = "国家放假安排只公布到 12月31日周四"


@pytest.mark.sqlite
@pytest.mark.parametrize(("today", "warned"), [("2026-11-01", False), ("2026-11-03", True), ("2026-12-31", True)])
def test_managers_and_admins_are_told_when_the_announced_days_run_out(
    network: Network, app: Flask, today: str, warned: bool
) -> None:
    pages = {"林经理": ("/manage/cbd/", "/manage/cbd/calendar"), "何主任": ("/admin/", "/admin/holidays")}
    with time_machine.travel(f"{today}T09:00:00+08:00"):
        for who, addresses in pages.items():
            browser = network.browser(app, who)
            told = [NEAR_THE_END in browser.get(address).text for address in addresses]
            assert told == [warned, warned], who


@pytest.mark.sqlite
def test_a_year_that_began_without_an_announcement_is_told_too(network: Network, app: Flask) -> None:
    with time_machine.travel("2027-01-04T09:00:00+08:00"):
        assert "只公布到 2026年12月31日周四" in network.browser(app, "林经理").get("/manage/cbd/calendar").text
