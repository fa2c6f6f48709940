"""One lunch hour in Chromium at phone width, from before the opening to the end: with script, and without."""

from collections.abc import Iterator

import pytest
import time_machine
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session

from booking import people, store
from booking.model import Person
from tests.lunch_hour import LunchHour, at

PASSWORD = "noon-hour-at-the-station"
DAY = "/s/cbd?day=2026-11-24"


class Wall:
    """The clock on the wall: it runs, and the test puts it forward."""

    def __init__(self) -> None:
        self._travel: time_machine.travel | None = None

    def set(self, clock: str) -> None:
        self.stop()
        self._travel = time_machine.travel(at(clock), tick=True)
        self._travel.start()

    def stop(self) -> None:
        if self._travel:
            self._travel.stop()
            self._travel = None


@pytest.fixture
def wall() -> Iterator[Wall]:
    wall = Wall()
    yield wall
    wall.stop()


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Three seats on Tuesday at 12:10; 周明 has a phone with a browser."""
    lunch = LunchHour(session, capacity=3)
    kept = people.hash_password(PASSWORD)
    with store.transaction(session):
        person = session.get_one(Person, lunch.people["周明"])
        person.email, person.password_hash = "zhou.ming@example.com", kept
    return lunch


def test_a_whole_lunch_hour_with_script(page: Page, lunch: LunchHour, wall: Wall) -> None:
    live_through_lunch(page, lunch, wall, script=True)


def test_a_whole_lunch_hour_without_script(plain_page: Page, lunch: LunchHour, wall: Wall) -> None:
    live_through_lunch(plain_page, lunch, wall, script=False)


def live_through_lunch(page: Page, lunch: LunchHour, wall: Wall, *, script: bool) -> None:
    card = page.locator(f"#slot-card-{lunch.slot_id}")
    before_the_opening(page, card, wall)
    at_the_opening(page, card, wall, script=script)
    full_before_the_tap(page, card, lunch, script=script)
    moved_up(page, card, lunch, wall, script=script)
    given_up_and_back_in_line(page, lunch, wall)
    on_standby_at_the_door(page, lunch, wall)
    seated_by_the_release(page, lunch, wall, script=script)
    done(page, card, lunch, wall)


def before_the_opening(page: Page, card: Locator, wall: Wall) -> None:
    wall.set("Mon 09:57")
    page.goto(f"/account/sign-in?next={DAY}")
    page.get_by_label("邮箱").fill("zhou.ming@example.com")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(card).to_have_attribute("data-state", "planned")
    expect(card).to_contain_text("今天 10:00 放号")
    expect(card.get_by_role("button")).to_have_count(0)
    expect(page.locator(".opening")).to_contain_text("今天 10:00 放号 · 1 场 · 3 个名额")


def at_the_opening(page: Page, card: Locator, wall: Wall, *, script: bool) -> None:
    wall.set("Mon 09:59:57" if script else "Mon 10:00:00")
    page.reload()
    if script:
        expect(page.locator("[data-countdown]")).to_have_text("00:02")
    # With script the button comes alive by itself, within a second or two of the opening.
    expect(card.get_by_role("button", name="预约")).to_be_visible(timeout=10_000)
    expect(card).to_have_attribute("data-left", "3")


def full_before_the_tap(page: Page, card: Locator, lunch: LunchHour, *, script: bool) -> None:
    for who in ("李静", "王磊", "孙悦"):
        assert lunch.book(who, "Mon 10:00:03") == "booked"
    if script:  # the seats stay true by themselves; without, the tap on the old button is as good
        expect(card.get_by_role("button", name="候补")).to_be_visible(timeout=10_000)
    card.get_by_role("button").click()
    expect(card).to_have_attribute("data-mine", "waiting")
    expect(card).to_contain_text("你排在第 1 位")
    expect(card.locator(".pill")).to_have_text("候补第 1")
    if script:
        expect(card.locator(".notice")).to_be_focused()


def moved_up(page: Page, card: Locator, lunch: LunchHour, wall: Wall, *, script: bool) -> None:
    assert lunch.book("陈晨", "Mon 10:05") == "waiting"
    wall.set("11:00")
    assert lunch.give_up("李静", "11:00") == "cancelled"
    if not script:
        page.goto(DAY)
    expect(card).to_have_attribute("data-mine", "booked", timeout=15_000)
    assert lunch.state("周明") == "booked"


def given_up_and_back_in_line(page: Page, lunch: LunchHour, wall: Wall) -> None:
    page.get_by_role("link", name="我的预约").click()
    expect(page.locator(".ticket .qr")).to_be_visible()
    page.locator("summary", has_text="放弃预约").click()
    expect(page.locator(".fold[open]")).to_contain_text("现在放弃不算爽约")
    page.get_by_role("button", name="放弃预约").click()
    expect(page.locator("[data-outcome]")).to_contain_text("已放弃")
    assert lunch.states("周明", "陈晨") == ["cancelled", "booked"]
    page.goto(f"/slots/{lunch.slot_id}")
    page.get_by_role("button", name="候补").click()
    expect(page.locator(".slot-act")).to_have_attribute("data-mine", "waiting")


def on_standby_at_the_door(page: Page, lunch: LunchHour, wall: Wall) -> None:
    wall.set("11:56")
    page.goto(f"/slots/{lunch.slot_id}")
    page.get_by_role("button", name="我在门口").click()
    expect(page.locator("[data-outcome]")).to_contain_text("已排上现场候补")
    assert lunch.check_in("陈晨", "12:00") == "attended"
    assert lunch.stand_by("刘洋", "12:01") == "waiting"


def seated_by_the_release(page: Page, lunch: LunchHour, wall: Wall, *, script: bool) -> None:
    wall.set("12:15:01")
    lunch.tick("12:15:01")
    if not script:
        page.reload()
    expect(page.locator(".slot-act")).to_have_attribute("data-mine", "booked", timeout=20_000)
    expect(page.locator(".slot-act .pill").first).to_have_text("已签到")
    assert lunch.states("王磊", "孙悦", "周明", "刘洋") == ["released", "released", "attended", "attended"]


def done(page: Page, card: Locator, lunch: LunchHour, wall: Wall) -> None:
    wall.set("13:00:01")
    lunch.tick("13:00:01")
    page.goto(DAY)
    expect(card).to_have_attribute("data-state", "done")
    expect(card).to_contain_text("3 人来过")
    page.goto("/me")
    expect(page.locator("#mine")).to_contain_text("已签到")
    expect(page.locator("#mine")).to_contain_text("还没有预约")
