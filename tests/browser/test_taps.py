"""Taps: the ten commonest tasks at 390 px, each in no more taps (or fields) than its row of MOST says."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Activity, Person, Slot
from tests.support import chromium
from tests.support.clock import Wall
from tests.support.lunch_hour import LunchHour
from tests.support.network_cast import KEPT, PASSWORD, Network
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import sign_in

MOST = {
    "book, from the day page": 1,
    "undo a slip": 1,
    "join the waiting list": 1,
    "swap, from the day page": 2,
    "cancel, from the ticket": 2,
    "next yoga, from the day page": 3,
    "ticket at noon, from the day page": 1,
    "today's roster, after signing in": 1,
    "check a person in": 1,
    "new station to its first slot, in fields": 12,
}
DAY = "/s/cbd?day=2026-11-24"

pytestmark = pytest.mark.sqlite


class Thumb:
    """What a person does by hand on a page, counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps, self.fields = page, 0, 0

    @contextmanager
    def task(self, name: str) -> Iterator[None]:
        self.taps = 0
        yield
        assert self.taps <= MOST[name], f"{name}: {self.taps} taps"

    def tap(self, target: Locator) -> None:
        target.tap()
        self.taps += 1

    def press(self, button: str, within: Locator | None = None) -> None:
        self.tap((within or self.page.locator("main")).get_by_role("button", name=button).first)

    def follow(self, link: str, within: Locator | None = None) -> None:
        self.tap((within or self.page.locator("main")).get_by_role("link", name=link).first)

    def fill(self, label: str, text: str) -> None:
        self.page.locator("main").get_by_label(label, exact=True).fill(text)
        self.fields += 1

    def tick(self, label: str) -> None:
        self.page.locator("main").get_by_label(label).first.check()
        self.fields += 1


def card(page: Page, slot_id: int) -> Locator:
    return page.locator(f"#slot-card-{slot_id}")


def test_a_workers_tasks(app: Flask, session: Session, browser: Browser, live: str, wall: Wall) -> None:
    """李静 on Monday after the opening: the first slot of Tuesday is full, tea and a later one are not."""
    lunch = LunchHour(session)
    tea, later, yoga = lunch.slot("12:30"), lunch.slot("13:10"), lunch.slot("Wed 12:10")
    serve_tea(lunch, tea)
    for who in ("周明", "王磊"):
        lunch.book(who, "Mon 10:00")
    client = app.test_client()
    sign_in(client, lunch, "李静")
    cookie = client.get_cookie("lunch")
    assert cookie
    wall.set("Mon 10:15")
    with chromium.opened(browser, live) as page:
        page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": live}])
        thumb = Thumb(page)
        waits_books_and_slips(thumb, lunch, tea)
        swaps_and_cancels(thumb, lunch, tea, later, wall)
        finds_yoga_and_shows_the_ticket(thumb, lunch, tea, yoga, wall)


def serve_tea(lunch: LunchHour, slot_id: int) -> None:
    with transactions.transaction(lunch.session) as rows:
        tea = Activity(station_id=lunch.station_id, kind="tea", title="岩茶品饮")
        rows.add(tea)
        rows.flush()
        rows.execute(update(Slot).where(Slot.id == slot_id).values(activity_id=tea.id))


def waits_books_and_slips(thumb: Thumb, lunch: LunchHour, tea: int) -> None:
    page = thumb.page
    page.goto(DAY)
    with thumb.task("join the waiting list"):
        thumb.press("候补", card(page, lunch.slot_id))
        expect(card(page, lunch.slot_id)).to_have_attribute("data-mine", "waiting")
    lunch.give_up("李静", "Mon 10:16")
    page.goto(DAY)
    with thumb.task("book, from the day page"):
        thumb.press("预约", card(page, tea))
        expect(card(page, tea)).to_have_attribute("data-mine", "booked")
    with thumb.task("undo a slip"):
        thumb.press("撤销", card(page, tea))
        expect(card(page, tea).get_by_role("button", name="预约")).to_be_visible()
    assert lunch.state("李静", tea) == "cancelled"


def swaps_and_cancels(thumb: Thumb, lunch: LunchHour, tea: int, later: int, wall: Wall) -> None:
    page = thumb.page
    lunch.book("李静", "Mon 10:17", tea)
    wall.set("Mon 10:30")
    page.goto(DAY)
    with thumb.task("swap, from the day page"):
        thumb.tap(card(page, later).locator(".what"))
        thumb.press("改约这一场")
        expect(page.locator("[data-mine=booked]")).to_be_visible()
    assert (lunch.state("李静", tea), lunch.state("李静", later)) == ("cancelled", "booked")
    wall.set("Mon 10:40")
    page.goto("/me")
    with thumb.task("cancel, from the ticket"):
        thumb.tap(page.locator(".ticket summary", has_text="取消预约"))
        thumb.press("取消预约", page.locator(".ticket"))
        expect(page.locator(".ticket")).to_have_count(0)
    assert lunch.state("李静", later) == "cancelled"


def finds_yoga_and_shows_the_ticket(thumb: Thumb, lunch: LunchHour, tea: int, yoga: int, wall: Wall) -> None:
    page = thumb.page
    lunch.book("李静", "Mon 10:41", tea)
    wall.set("10:15")
    page.goto(DAY)
    with thumb.task("next yoga, from the day page"):
        thumb.follow("搜索")
        thumb.follow("瑜伽")
        thumb.press("预约", card(page, yoga))
        expect(page.locator(f"[data-slot='{yoga}'][data-mine=booked]")).to_be_visible()
    wall.set("12:20")
    page.goto(DAY)
    with thumb.task("ticket at noon, from the day page"):
        thumb.follow("出示票", card(page, tea))
        expect(page.locator(".ticket .qr svg")).to_be_visible()


def enter(page: Page, email: str) -> None:
    page.goto("/account/sign-in")
    page.get_by_label("邮箱").fill(email)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()


@pytest.fixture
def network(session: Session) -> Network:
    """Two stations with managers and an admin."""
    with transactions.transaction(session):
        seed_workdays(session)
    return Network(session)


def test_a_managers_tasks(session: Session, page: Page, wall: Wall) -> None:
    """Noon at the door: 周明 has a seat, and the manager's phone is signed out."""
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    with transactions.transaction(session) as rows:
        manager = rows.get_one(Person, lunch.manager_id)
        manager.email, manager.password_hash = "desk@example.com", KEPT
    wall.set("12:00")
    thumb = Thumb(page)
    enter(page, "desk@example.com")
    with thumb.task("today's roster, after signing in"):
        thumb.follow("点名签到")
        expect(page.locator("#desk .roster")).to_contain_text("周明")
    with thumb.task("check a person in"):
        thumb.press("周明")
        expect(page.locator(".counters b").first).to_have_text("1")  # said by the server, not by the script
    assert lunch.state("周明") == "attended"


def test_a_new_station(network: Network, page: Page, wall: Wall) -> None:
    """何主任 founds a station, names its manager, and follows the steps to the first slot."""
    wall.set("Mon 11:00")
    thumb = Thumb(page)
    enter(page, "he@example.com")
    page.wait_for_url("**/admin/")
    page.goto("/admin/stations/new")
    thumb.fill("代码", "wangjing")
    thumb.fill("名称", "望京驿站")
    thumb.press("新建")
    thumb.fill("邮箱", "zhou@example.com")
    thumb.press("添加管理员")
    thumb.follow("进入驿站管理")
    thumb.fill("场地的名称", "多功能厅")
    thumb.fill("最多几人", "20")
    thumb.press("加上")
    thumb.follow("挑现成的")
    thumb.tick("白领瑜伽课堂")
    thumb.press("加上勾选的")
    thumb.follow("写一条排期")
    thumb.tick("周二")
    thumb.fill("开始", "12:10")
    thumb.fill("名额", "12")
    thumb.press("保存")
    expect(page.locator("#flashes")).to_contain_text("新增")
    assert thumb.fields <= MOST["new station to its first slot, in fields"], thumb.fields
