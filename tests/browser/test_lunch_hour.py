"""One lunch hour in Chromium at phone width, from before the opening to the end: with script, and without."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.model import Person
from tests.support import chromium
from tests.support.clock import Wall
from tests.support.lunch_hour import LunchHour

PASSWORD = "noon-hour-at-the-station"
DAY = "/s/cbd?day=2026-11-24"


@dataclass
class Scene:
    """周明's phone, the manager's tablet at the door, the clock, and the rules behind them."""

    page: Page
    desk: Page
    wall: Wall
    lunch: LunchHour
    script: bool

    @property
    def card(self) -> Locator:
        return self.page.locator(f"#slot-card-{self.lunch.slot_id}")

    @property
    def act(self) -> Locator:
        return self.page.locator(f"#slot-act-{self.lunch.slot_id}")


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Three seats on Tuesday at 12:10; 周明 and the manager can sign in."""
    lunch = LunchHour(session, capacity=3)
    kept = people.hash_password(PASSWORD)
    with transactions.transaction(session):
        for person_id, email in (
            (lunch.people["周明"], "zhou.ming@example.com"),
            (lunch.manager_id, "desk@example.com"),
        ):
            person = session.get_one(Person, person_id)
            person.email, person.password_hash = email, kept
    return lunch


@pytest.mark.parametrize(
    "script",
    [pytest.param(True, id="with-script"), pytest.param(False, id="without-script", marks=pytest.mark.whole)],
)
def test_a_whole_lunch_hour(browser: Browser, live: str, lunch: LunchHour, wall: Wall, script: bool) -> None:
    with (
        chromium.opened(browser, live, java_script_enabled=script) as page,
        chromium.opened(browser, live, java_script_enabled=script) as desk,
    ):
        scene = Scene(page, desk, wall, lunch, script)
        before_the_opening(scene)
        at_the_opening(scene)
        full_before_the_tap(scene)
        moved_up(scene)
        given_up_and_back_in_line(scene)
        on_standby_at_the_door(scene)
        checked_in_by_the_manager(scene)
        seated_by_the_release(scene)
        walked_in(scene)
        done(scene)


def before_the_opening(scene: Scene) -> None:
    scene.wall.set("Mon 09:57")
    chromium.sign_in(scene.page, "zhou.ming@example.com", PASSWORD, DAY)
    expect(scene.card).to_have_attribute("data-state", "planned")
    expect(scene.card).to_contain_text("今天 10:00 放号")
    expect(scene.card.get_by_role("button")).to_have_count(0)
    expect(scene.page.locator(".opening")).to_contain_text("今天 10:00 放号 · 1 场 · 3 个名额")


def at_the_opening(scene: Scene) -> None:
    scene.wall.set("Mon 09:59:51" if scene.script else "Mon 10:00:00")
    scene.page.reload()
    if scene.script:
        expect(scene.page.locator("[data-countdown]")).to_have_text(re.compile(r"^还有 \d 秒开放$"))
    # With script the button comes alive by itself, a second or two after the opening.
    expect(scene.card.get_by_role("button", name="预约")).to_be_visible()
    expect(scene.card).to_have_attribute("data-left", "3")


def full_before_the_tap(scene: Scene) -> None:
    card = scene.card
    for who in ("李静", "王磊", "孙悦"):
        assert scene.lunch.book(who, "Mon 10:00:03") == "booked"
    if scene.script:  # the seats stay true by themselves; without, the tap on the old button is as good
        expect(card.get_by_role("button", name="候补")).to_be_visible()
    card.get_by_role("button").click()
    expect(card).to_have_attribute("data-mine", "waiting")
    expect(card).to_contain_text("你排在第 1 位")
    expect(card.locator(".pill")).to_have_text("候补第 1")
    if scene.script:
        expect(card.locator(".notice")).to_be_focused()


def moved_up(scene: Scene) -> None:
    assert scene.lunch.book("陈晨", "Mon 10:05") == "waiting"
    scene.wall.set("11:00")
    assert scene.lunch.give_up("李静", "11:00") == "cancelled"
    if not scene.script:
        scene.page.goto(DAY)
    expect(scene.card).to_have_attribute("data-mine", "booked")
    assert scene.lunch.state("周明") == "booked"


def given_up_and_back_in_line(scene: Scene) -> None:
    page = scene.page
    page.get_by_role("link", name="我的预约").click()
    expect(page.locator(".ticket .qr")).to_be_visible()
    page.locator("summary", has_text="取消预约").click()
    expect(page.locator(".fold[open]")).to_contain_text("现在取消不算爽约")
    page.get_by_role("button", name="取消预约").click()
    expect(page.locator("[data-outcome]")).to_contain_text("已取消")
    if scene.script:
        expect(page.locator("[data-outcome]")).to_be_focused()
    assert scene.lunch.states("周明", "陈晨") == ["cancelled", "booked"]
    page.goto(f"/slots/{scene.lunch.slot_id}")
    page.get_by_role("button", name="候补").click()
    expect(scene.act).to_have_attribute("data-mine", "waiting")


def on_standby_at_the_door(scene: Scene) -> None:
    scene.wall.set("11:56")
    scene.page.goto(f"/slots/{scene.lunch.slot_id}")
    scene.page.get_by_role("button", name="我在门口").click()
    expect(scene.page.locator("[data-outcome]")).to_contain_text("已排上现场候补")


def checked_in_by_the_manager(scene: Scene) -> None:
    desk = scene.desk
    chromium.sign_in(desk, "desk@example.com", PASSWORD, f"/manage/cbd/slots/{scene.lunch.slot_id}")
    with desk.expect_response(lambda answer: answer.request.method == "POST"):  # the tap shows before it
        desk.get_by_role("button", name="陈晨").click()
    expect(desk.get_by_role("button", name="陈晨")).to_have_attribute("aria-pressed", "true")
    assert scene.lunch.state("陈晨") == "attended"


def seated_by_the_release(scene: Scene) -> None:
    scene.wall.set("12:15:01")
    scene.lunch.tick("12:15:01")
    if not scene.script:
        scene.page.reload()
    expect(scene.act).to_have_attribute("data-mine", "booked")
    expect(scene.act.locator(".pill").first).to_have_text("已签到")
    assert scene.lunch.states("王磊", "孙悦", "周明") == ["released", "released", "attended"]


def walked_in(scene: Scene) -> None:
    desk = scene.desk
    desk.goto(f"/manage/cbd/slots/{scene.lunch.slot_id}")
    desk.get_by_label("没有账号，只登记名字").fill("来晚的客人")
    desk.get_by_role("button", name="入座").click()
    expect(desk.get_by_role("button", name="来晚的客人")).to_have_attribute("aria-pressed", "true")
    assert scene.lunch.now().taken == 3


def done(scene: Scene) -> None:
    page = scene.page
    scene.wall.set("13:00:01")
    scene.lunch.tick("13:00:01")
    page.goto(DAY)
    expect(scene.card).to_have_attribute("data-state", "done")
    expect(scene.card).to_contain_text("3 人来过")
    page.goto("/me")
    expect(page.locator("main")).to_contain_text("已签到")
    expect(page.locator("#mine")).to_contain_text("还没有预约")
