"""The second of the opening on phones: each asks at a moment of its own, and a press that comes too soon is not lost."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Locator, Page, Request, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import Booking
from tests.support import chromium
from tests.support.live import serving
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import sign_in

DAY = "/s/cbd?day=2026-11-24"
OPENS = at("Mon 10:00")
ONE_CLOCK = """(() => {
  const clock = { timeOrigin: %d, now: () => Date.now() - clock.timeOrigin, getEntriesByType: () => [] };
  Object.defineProperty(window, "performance", { get: () => clock, set: () => {} });
})()"""


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday at 12:10; they open on Monday at 10:00."""
    return LunchHour(session)


@dataclass
class Phone:
    """One worker's phone whose clock, an hour slow, goes on only when it is told to; `asked` are its polls."""

    page: Page
    luck: float
    asked: list[float] = field(default_factory=list)
    passed: float = 0

    def look(self, now: datetime) -> None:
        self.page.clock.install(time=now - timedelta(hours=1, seconds=1))
        self.page.clock.pause_at(now - timedelta(hours=1))
        self.page.add_init_script(f"Math.random = () => {self.luck}")
        # A phone has one clock: what the page was loaded at is of the same hour as the rest.
        self.page.add_init_script(ONE_CLOCK % ((now - timedelta(hours=1)).timestamp() * 1000))
        self.page.on("request", self._see)
        self.page.goto(DAY)
        self.wait(0.3)  # scripts begin

    def wait(self, seconds: float) -> None:
        """Its clock goes on, a tenth of a second at a time."""
        for _ in range(round(seconds * 10)):
            self.passed += 0.1
            self.page.clock.run_for(100)

    def _see(self, request: Request) -> None:
        if request.headers.get("hx-request") and request.method == "GET":
            self.asked.append(round(self.passed, 1))


@dataclass
class Street:
    """Phones, and the server's clock that stands where it is put."""

    browser: Browser
    app: Flask
    url: str
    lunch: LunchHour
    open: ExitStack
    clock: ExitStack = field(default_factory=ExitStack)

    def set(self, now: datetime) -> None:
        self.clock.close()
        self.clock.enter_context(time_machine.travel(now, tick=False))

    def phone(self, who: str, luck: float = 0.5, **options: bool) -> Phone:
        page = self.open.enter_context(chromium.opened(self.browser, self.url, **options))
        client: FlaskClient = self.app.test_client()
        sign_in(client, self.lunch, who)
        with time_machine.travel(at("Mon 09:50"), tick=False):
            client.get(DAY)  # a session begun after it is none, for who puts the clock back
        name = self.app.config["SESSION_COOKIE_NAME"]
        cookie = client.get_cookie(name)
        assert cookie
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": self.url}])
        return Phone(page, luck)


@pytest.fixture
def street(browser: Browser, make_app: Callable[..., Flask], lunch: LunchHour) -> Iterator[Street]:
    made: list[Flask] = []

    def make(url: str) -> Flask:
        made.append(make_app(PUBLIC_URL=url, WTF_CSRF_ENABLED=True))
        return made[0]

    with serving(make) as url, ExitStack() as open_pages:
        street = Street(browser, made[0], url, lunch, open_pages)
        yield street
        street.clock.close()


def test_each_phone_asks_at_its_own_moment_after_the_opening_by_the_servers_clock(street: Street) -> None:
    street.set(OPENS - timedelta(seconds=3))  # sooner than the first poll
    quick, slow = street.phone("周明", 0.1), street.phone("李静", 0.9)
    for phone in (quick, slow):
        phone.look(OPENS - timedelta(seconds=3))
        phone.wait(2.2)  # half a second to go
        expect(phone.page.locator("[data-countdown]")).to_have_text("还有 1 秒开放")
        expect(phone.page.get_by_role("button", name="预约")).to_have_count(0)
    street.set(OPENS + timedelta(seconds=1))
    for phone in (quick, slow):
        phone.asked.clear()
        phone.wait(2)
        expect(phone.page.get_by_role("button", name="预约")).to_be_visible()
    first = [phone.asked[0] - 3 for phone in (quick, slow)]
    assert first == pytest.approx([0.1, 0.9], abs=0.25)


def test_in_the_last_ten_seconds_no_phone_asks_more_often_than_ever(street: Street) -> None:
    street.set(OPENS - timedelta(seconds=13))
    phone = street.phone("周明")
    phone.look(OPENS - timedelta(seconds=13))
    phone.wait(12.6)
    assert len(phone.asked) <= 3
    assert [b - a >= 3.9 for a, b in zip(phone.asked, phone.asked[1:], strict=False)].count(False) == 0


def test_a_press_that_is_early_presses_again_at_the_opening(street: Street) -> None:
    street.set(OPENS)
    phone = street.phone("周明")
    phone.look(OPENS)  # the button is there; then another server's clock is a second behind
    street.set(OPENS - timedelta(seconds=1))
    with phone.page.expect_response(lambda answer: answer.status == 425):
        phone.page.get_by_role("button", name="预约").click()
        phone.wait(0.1)
    assert taken(street) == []
    street.set(OPENS + timedelta(seconds=1))
    for _ in range(60):  # its timer may be set a moment after the answer has come
        phone.wait(0.5)
        with suppress(AssertionError):
            expect(card(phone, street)).to_have_attribute("data-mine", "booked", timeout=500)
            break
    assert taken(street) == ["booked"]


def test_a_press_that_is_early_is_carried_without_script(street: Street) -> None:
    street.set(OPENS)
    phone = street.phone("周明", java_script_enabled=False)
    phone.page.goto(DAY)
    street.set(OPENS - timedelta(seconds=1))
    phone.page.get_by_role("button", name="预约").click()
    expect(phone.page.locator("main")).to_contain_text("不用再按")
    street.set(OPENS + timedelta(seconds=1))
    expect(phone.page.locator("[data-outcome]")).to_contain_text("约上了")
    assert taken(street) == ["booked"]


@pytest.mark.parametrize(
    "script",
    [pytest.param(True, id="with-script"), pytest.param(False, id="without-script", marks=pytest.mark.whole)],
)
def test_the_answer_to_a_press_is_seen_whole_on_one_screen(street: Street, script: bool) -> None:
    for clock in ("10:10", "13:10", "15:10"):  # so that the day is longer than a screen
        street.lunch.slot(clock)
    street.set(OPENS)
    for who, before, said in (("周明", 0, "约上了"), ("李静", 1, "你排在第 1 位"), ("陈晨", 0, "约满")):
        phone = street.phone(who, java_script_enabled=script)
        phone.page.goto(DAY)
        for other in ("王磊", "刘洋")[:before]:
            street.lunch.book(other, "Mon 10:00")
        if who == "陈晨":
            street.lunch.book(who, "Mon 10:00", street.lunch.slot_id + 1)
        card(phone, street).get_by_role("button").click()
        outcome = phone.page.locator(f"#outcome-{street.lunch.slot_id}")
        expect(outcome).to_contain_text(said)
        expect(outcome).to_be_in_viewport(ratio=1)


def card(phone: Phone, street: Street) -> Locator:
    return phone.page.locator(f"#slot-card-{street.lunch.slot_id}")


def taken(street: Street) -> list[str]:
    street.lunch.session.rollback()
    return list(street.lunch.session.scalars(select(Booking.state)))
