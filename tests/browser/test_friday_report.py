"""The week in Chromium: a slot moved when the teacher calls, the week copied, and the report on Friday."""

import csv
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import time_machine
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.model import Person, Zone
from tests.support import chromium
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import fits

pytestmark = pytest.mark.sqlite
PASSWORD = "noon-hour-at-the-station"
DESK = {"viewport": {"width": 1280, "height": 800}, "has_touch": False, "device_scale_factor": 1}


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday for 周明 and 李静; 王磊 waits. A second zone lies idle."""
    lunch = LunchHour(session)
    with transactions.transaction(session):
        manager = session.get_one(Person, lunch.manager_id)
        manager.email, manager.password_hash = "desk@example.com", people.hash_password(PASSWORD)
        session.add(Zone(station_id=lunch.station_id, name="手工坊", capacity=10))
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    return lunch


@pytest.fixture
def monday() -> Iterator[None]:
    with time_machine.travel(at("Mon 11:00"), tick=True):
        yield


def sign_in(page: Page, then: str) -> None:
    chromium.sign_in(page, "desk@example.com", PASSWORD, then)


@pytest.mark.parametrize("size", [pytest.param({}, id="390"), pytest.param(DESK, id="1280", marks=pytest.mark.whole)])
def test_the_teacher_calls(
    browser: Browser, live: str, lunch: LunchHour, monday: None, size: dict[str, object]
) -> None:
    with chromium.opened(browser, live, **size) as page:
        sign_in(page, f"/manage/cbd/slots/{lunch.slot_id}")
        page.get_by_role("link", name="换时间或场地", exact=True).click()
        expect(page.locator("main")).to_contain_text("2 人已预约，1 人候补，每人会收到一封信")
        page.get_by_label("开始").fill("12:40")
        page.get_by_label("场地").select_option(label="手工坊（最多 10 人）")
        page.get_by_role("button", name="改，并通知这 3 人").click()
        expect(page.locator("main")).to_contain_text("12:40–13:30")
        assert fits(page)
        page.goto("/manage/cbd/week")
        page.get_by_role("link", name="复制到后面").click()
        expect(page.locator("tr[data-outcome-code=add]")).to_have_count(1)
        assert fits(page)
        page.get_by_role("button", name="加上这 1 项").click()
        expect(page.locator(".chip")).to_have_count(1)


@pytest.mark.parametrize("size", [pytest.param({}, id="390", marks=pytest.mark.whole), pytest.param(DESK, id="1280")])
def test_the_report_on_friday(
    browser: Browser, live: str, lunch: LunchHour, tmp_path: Path, size: dict[str, object]
) -> None:
    lunch.check_in("周明", "12:05")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    with time_machine.travel(at("Fri 15:00"), tick=True), chromium.opened(browser, live, **size) as page:
        sign_in(page, "/manage/cbd/numbers")
        tiles = {name: page.locator(f"[data-number={name}] b").inner_text() for name in ("slots", "visits", "unmet")}
        assert tiles == {"slots": "1", "visits": "1", "unmet": "1"}
        assert fits(page)
        for name in ("Excel", "CSV"):
            with page.expect_download() as download:
                page.get_by_role("link", name=name, exact=True).click()
            download.value.save_as(tmp_path / name)
        assert load_workbook(BytesIO((tmp_path / "Excel").read_bytes()))["合计"]["E2"].value == 1
        (row,) = csv.DictReader((tmp_path / "CSV").read_text("utf-8-sig").splitlines())
        assert row["接待（人次）"] == "1"
        if size:
            pdf = page.pdf(format="A4")
            assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 2
        page.get_by_role("button", name="打开公开的页面").click()
        page.get_by_role("link", name="看看公开的页面").click()
        expect(page.locator(".record")).to_contain_text("累计开展活动 1 场")
        assert fits(page)


# Long names and numbers of five digits in every table.
GROW = """(name) => {
  for (const cell of document.querySelectorAll('.numbers-table td.figure, .tile b')) cell.textContent = '12345';
  for (const cell of document.querySelectorAll('.numbers-grid th[scope=row]')) cell.textContent = name;
  for (const fold of document.querySelectorAll('details.fold')) fold.open = true;
}"""
CUT = """() => [...document.querySelectorAll('main .scroll:not(.chart), main .tile')]
  .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent.trim().slice(0, 40))"""
LONG = "Creative Crafts Salon · Knotted Cords and Paper Cutting for Complete Beginners"


def test_the_report_fits_in_english_and_a_poster_one_sheet(browser: Browser, live: str, lunch: LunchHour) -> None:
    lunch.check_in("周明", "12:05")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    with time_machine.travel(at("Tue 15:00"), tick=True), chromium.opened(browser, live, **DESK) as page:
        sign_in(page, "/manage/cbd/numbers")
        page.get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        for width in (1280, 1024):
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(GROW, LONG)
            assert (fits(page), page.evaluate(CUT)) == (True, []), width
        activity_id = lunch.now().activity_id
        for query in ("", "?day=2026-11-24", f"?activity={activity_id}"):
            page.goto(f"/manage/cbd/poster{query}")
            pdf = page.pdf(prefer_css_page_size=True)
            sizes = re.findall(rb"/MediaBox\s*\[\s*0 0 (\d+)[\d.]* (\d+)", pdf)
            assert (len(re.findall(rb"/Type\s*/Page\b", pdf)), sizes) == (1, [(b"594", b"841")]), query
