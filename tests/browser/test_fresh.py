"""Seats stay true while the page is looked at; nothing is asked while it is not, and what is known is not sent again."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Browser, Page, Response, expect
from sqlalchemy.orm import Session

from tests.support import chromium
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import sign_in

BECOME = """(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
A_FEW_HUNDRED = 900  # bytes of a 304 with the headers that every answer has
DAY = "/s/cbd?day=2026-11-24"

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> Iterator[LunchHour]:
    with time_machine.travel(at("Mon 10:20"), tick=True):
        yield LunchHour(session)


@pytest.fixture
def phone(browser: Browser, live: str, lunch: LunchHour) -> Iterator[Page]:
    """A page whose own clock the test puts forward."""
    with chromium.opened(browser, live) as page:
        page.clock.install(time=at("Mon 10:20"))
        page.goto(DAY)
        yield page


def is_poll(answer: Response) -> bool:
    return answer.request.headers.get("hx-request") == "true"


def test_the_first_poll_brings_nothing_that_is_known_and_the_next_one_what_is_new(
    phone: Page, lunch: LunchHour
) -> None:
    with phone.expect_response(is_poll) as first:
        phone.clock.run_for(9_000)
    assert first.value.status == 304
    assert first.value.request.sizes()["responseHeadersSize"] < A_FEW_HUNDRED
    assert lunch.book("李静", "Mon 10:20") == "booked"
    with phone.expect_response(is_poll) as second:
        phone.clock.run_for(9_000)
    assert second.value.status == 200
    expect(phone.locator(f"#slot-card-{lunch.slot_id}")).to_have_attribute("data-left", "1")
    with phone.expect_response(is_poll) as third:
        phone.clock.run_for(9_000)
    assert third.value.status == 304


def test_nothing_is_asked_while_nobody_looks(phone: Page, lunch: LunchHour) -> None:
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url) if "hx-request" in request.headers else None)
    phone.evaluate(BECOME, "hidden")
    phone.clock.run_for(120_000)
    assert asked == []
    assert lunch.book("李静", "Mon 10:20") == "booked"
    with phone.expect_response(is_poll):
        phone.evaluate(BECOME, "visible")
    expect(phone.locator(f"#slot-card-{lunch.slot_id}")).to_have_attribute("data-left", "1")


def test_what_was_just_cancelled_is_among_the_past_ones_at_once(
    browser: Browser, live: str, app: Flask, lunch: LunchHour
) -> None:
    lunch.book("周明", "Mon 10:01")
    with chromium.opened(browser, live) as page:
        sign_in(client := app.test_client(), lunch, "周明")
        cookie = client.get_cookie("lunch")
        assert cookie
        page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": live}])
        page.goto("/me")
        expect(page.locator("#past")).to_be_hidden()
        page.get_by_text("取消预约").first.click()
        page.locator("#mine form").get_by_role("button", name="取消预约").click()
        expect(page.locator("#past")).to_contain_text("已取消")
        expect(page.locator("#mine")).to_contain_text("还没有预约")
