"""A manager's whole week in Chromium, on a phone and on the desk: planned on Monday, reported on Friday."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, people
from booking.db import transactions
from booking.model import Person, Plan, Slot, Zone
from tests.browser.test_door_queue import PASSWORD, enter, kept_page, roster, seat, settled, tap, taps_of
from tests.browser.test_friday_report import DESK
from tests.support.clock import Wall
from tests.support.live import cut
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import fits

pytestmark = pytest.mark.sqlite
# The phone's clock can be put forward, and stays so when the page is loaded again.
LATER = "const real = Date.now; Date.now = () => real() + Number(localStorage.getItem('later') || 0);"


@dataclass
class Scene:
    page: Page
    lunch: LunchHour
    wall: Wall
    live: str

    @property
    def slot(self) -> Slot:
        """Wednesday's slot, which the manager plans on Monday."""
        self.lunch.session.rollback()
        return self.lunch.session.scalars(
            select(Slot).where(Slot.plan_id.is_not(None), Slot.date == at("Wed 12:10").date())
        ).one()


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """A station with an activity and an idle zone; the manager can sign in."""
    lunch = LunchHour(session)
    with transactions.transaction(session):
        manager = session.get_one(Person, lunch.manager_id)
        manager.email, manager.password_hash = "desk@example.com", people.hash_password(PASSWORD)
        session.add(Zone(station_id=lunch.station_id, name="手工坊", capacity=10))
    return lunch


@pytest.fixture
def wall(wall: Wall) -> Wall:
    wall.set("Mon 09:00")
    return wall


@pytest.mark.parametrize("size", [pytest.param({}, id="390"), pytest.param(DESK, id="1280", marks=pytest.mark.whole)])
def test_the_whole_week(
    browser: Browser, live: str, lunch: LunchHour, wall: Wall, tmp_path: Path, size: dict[str, object]
) -> None:
    with roster(browser, live, lunch, LATER, **size) as page:
        scene = Scene(page, lunch, wall, live)
        plans_on_monday(scene)
        the_teacher_calls(scene)
        the_rush(scene)
        the_teacher_calls_again(scene)
        noon_at_the_door(scene)
        the_network_is_gone_for_two_minutes(scene)
        the_end_of_the_slot(scene)
        the_report_on_friday(scene, tmp_path)


def plans_on_monday(scene: Scene) -> None:
    page = scene.page
    page.goto("/manage/cbd/plans/new")
    page.get_by_label("活动").select_option(index=0)
    page.get_by_label("场地").select_option("手工坊（最多 10 人）")
    page.get_by_label("周三").check()
    page.get_by_label("开始").fill("12:10")
    page.get_by_label("名额", exact=True).fill("3")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#flashes")).to_contain_text("新增 2 场")
    page.goto("/manage/cbd/week")
    expect(page.locator(".chip", has_text="0/3")).to_have_count(1)
    assert fits(page)


def the_teacher_calls(scene: Scene) -> None:
    """A smaller group, changed on the week itself."""
    page = scene.page
    scene.wall.set("Mon 11:00")
    page.get_by_role("link", name="改名额").click()
    expect(page.get_by_role("link", name="好了")).to_be_visible()
    assert fits(page)
    cell = page.locator(".cell", has=page.locator(f".chip[data-slot='{scene.slot.id}']"))
    cell.get_by_label("名额", exact=True).fill("2")
    cell.get_by_role("button", name="修改", exact=True).click()
    expect(page.locator("#flashes")).to_contain_text("名额改为 2")
    page.get_by_role("link", name="好了").click()
    expect(page.locator(f".chip[data-slot='{scene.slot.id}']")).to_contain_text("0/2")


def the_rush(scene: Scene) -> None:
    lunch, slot_id = scene.lunch, scene.slot.id
    assert lunch.book("周明", "Tue 09:59:59", slot_id) == "no: not_open"
    states = [lunch.book(who, "Tue 10:00", slot_id) for who in ("周明", "李静", "王磊", "陈晨")]
    assert states == ["booked", "booked", "waiting", "waiting"]


def the_teacher_calls_again(scene: Scene) -> None:
    """One more chair was found; on the list."""
    page = scene.page
    scene.wall.set("Tue 10:30")
    enter(page, "/manage/cbd/slots")
    row = page.locator(f"#slot_row-{scene.slot.id}")
    row.get_by_label("名额", exact=True).fill("3")
    row.get_by_role("button", name="修改", exact=True).click()
    expect(row).to_contain_text("候补里 王磊 补上了")
    assert fits(page)


def noon_at_the_door(scene: Scene) -> None:
    page = scene.page
    scene.wall.set("Wed 12:00")
    enter(page, "/manage/cbd/")
    page.locator(f"[data-slot='{scene.slot.id}'] .button").click()
    page.wait_for_url(f"**/manage/cbd/slots/{scene.slot.id}")
    tap(page, "周明")
    settled(page)
    kept_page(page, 'aria-pressed="true"')


def the_network_is_gone_for_two_minutes(scene: Scene) -> None:
    page = scene.page
    page.context.set_offline(True)
    with cut(scene.live):
        tap(page, "李静")
        page.reload()
        expect(page.locator(".kept")).to_contain_text("现在没有网络")
        expect(seat(page, "李静")).to_contain_text("已到 · 还没发出")
        tap(page, "王磊")
        tap(page, "王磊", here=False)
        assert fits(page)
    scene.wall.set("Wed 12:03")
    page.evaluate("localStorage.setItem('later', 120000)")
    page.context.set_offline(False)
    settled(page)
    expect(page.locator(".counters")).to_contain_text("2已到")
    _first, *kept = taps_of(scene.lunch)
    assert [tapped.outcome for tapped in kept] == ["in", "in", "out"]
    assert all(110 < (tapped.received_at - tapped.at).total_seconds() < 180 for tapped in kept)


def the_end_of_the_slot(scene: Scene) -> None:
    """王磊 does not come, 陈晨 stands at the door."""
    lunch, slot_id = scene.lunch, scene.slot.id
    assert lunch.stand_by("陈晨", "Wed 12:05", slot_id) == "waiting"
    for clock in ("Wed 12:10", "Wed 12:15", "Wed 13:00"):
        scene.wall.set(clock)
        lunch.tick(clock)
    names = ("周明", "李静", "王磊", "陈晨")
    assert lunch.states(*names, slot_id=slot_id) == ["attended", "attended", "released", "attended"]


def the_report_on_friday(scene: Scene, folder: Path) -> None:
    page = scene.page
    scene.wall.set("Fri 15:00")
    scene.lunch.tick("Fri 15:00")
    enter(page, "/manage/cbd/numbers")
    names = ("slots", "visits", "seats", "no_shows", "rescued")
    shown = {name: page.locator(f"[data-number={name}] b") for name in names}
    assert {name: tile.inner_text() for name, tile in shown.items() if tile.count()}["visits"] == "3"
    assert fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    download.value.save_as(folder / "report.csv")
    rows = list(csv.DictReader((folder / "report.csv").read_text("utf-8-sig").splitlines()))
    assert sum(int(row["接待（人次）"]) for row in rows) == 3
    if not page.viewport_size or page.viewport_size["width"] > 1000:
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= 2
    assert scene.lunch.session.scalars(select(Plan.capacity)).all() == [3]  # the plan is as it was
    assert invariants.breaches(scene.lunch.session, at("Fri 15:00")) == []
