"""The service worker in Chromium: the ticket without a network, whose it is, and the switch that ends it."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Browser, Error, Page, expect
from sqlalchemy.orm import Session

from tests.support import chromium
from tests.support.live import serving
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import sign_out
from tests.support.worker_cast import Phone, sign_in

KEPT = "async () => (await caches.match('/offline', {ignoreVary: true}))?.text() || ''"
# Its looks are kept after it.
LOOKS = f"""async () => {{
  const files = (await ({KEPT})()).matchAll(/(?:href|src)="(\\/static\\/[^"#]+\\.(?:css|svg)[^"#]*)/g);
  for (const [, file] of files) if (!(await caches.match(file.replaceAll('&amp;', '&'), {{ignoreVary: true}}))) return false;
  return true;
}}"""

pytestmark = pytest.mark.sqlite


@pytest.fixture
def monday() -> Iterator[datetime]:
    """A quarter past ten, running."""
    with time_machine.travel(at("Mon 10:15"), tick=True):
        yield at("Mon 10:15")


@pytest.fixture
def lunch(session: Session, monday: datetime) -> LunchHour:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    return lunch


def become(page: Page, url: str, app: Flask, lunch: LunchHour, who: str) -> None:
    """Put the cookie of a sign-in into the browser."""
    client = app.test_client()
    sign_in(client, lunch, who)
    cookie = client.get_cookie("lunch")
    assert cookie
    page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": url}])


def keeps(page: Page, words: str, there: bool = True) -> None:
    """Wait until the kept page has these words, or has them no more."""
    chromium.becomes_true(page, f"async () => (await ({KEPT})()).includes({words!r}) === {str(there).lower()}")
    if there:
        chromium.becomes_true(page, LOOKS)


def test_the_ticket_is_there_without_a_network_and_says_from_when_it_is(
    browser: Browser, live: str, app: Flask, lunch: LunchHour
) -> None:
    with chromium.opened(browser, live) as page:
        become(page, live, app, lunch, "周明")
        page.goto("/me")
        keeps(page, "白领瑜伽课堂")
        page.context.set_offline(True)
        page.goto("/")
        expect(page.get_by_text("现在没有网络")).to_be_visible()
        expect(page.get_by_text(re.compile("周一 10:1[5-9] 存下来的"))).to_be_visible()
        expect(page.locator(".qr svg")).to_be_visible()
        assert page.locator("h2").evaluate("(title) => getComputedStyle(title).fontWeight") == "620"  # with its looks
        page.context.set_offline(False)
        page.get_by_role("link", name="再试一次").click()
        expect(page.locator("#mine .qr svg")).to_be_visible()


KEPT_AT = "async () => Number((await caches.match('/offline', {ignoreVary: true})).headers.get('Kept-At'))"
AN_HOUR_AGO = """async () => {
  const cache = await caches.open('offline-1'), kept = await cache.match('/offline', {ignoreVary: true});
  const headers = new Headers(kept.headers);
  headers.set('Kept-At', Date.now() - 3600000);
  await cache.put('/offline', new Response(await kept.text(), {headers}));
}"""


def test_how_old_the_ticket_is_goes_by_the_clock_of_the_phone(
    browser: Browser, live: str, app: Flask, lunch: LunchHour
) -> None:
    """Here the phone's clock is far from the server's, which is on that Monday."""
    with chromium.opened(browser, live) as page:
        become(page, live, app, lunch, "周明")
        page.goto("/me")
        keeps(page, "白领瑜伽课堂")
        assert abs(page.evaluate(KEPT_AT) - page.evaluate("() => Date.now()")) < 600_000
        page.evaluate(AN_HOUR_AGO)
        lunch.give_up("周明", "Mon 10:20")
        page.goto("/s/cbd")
        keeps(page, "白领瑜伽课堂", there=False)


def test_the_ticket_of_the_day_after_is_kept_too(app: Flask, lunch: LunchHour) -> None:
    """Kept on Tuesday morning, and read on Wednesday in the basement."""
    lunch.book("周明", "Tue 10:00", wednesday := lunch.slot("Wed 12:10"))
    kept = Phone(app, lunch, "周明").get("/offline", "Tue 10:05").text
    assert re.findall(r'class="card ticket" data-slot="(\d+)"', kept) == [str(lunch.slot_id), str(wednesday)]
    assert kept.count('class="qr"') == 2


def test_signing_out_takes_the_ticket_away(browser: Browser, live: str, app: Flask, lunch: LunchHour) -> None:
    with chromium.opened(browser, live) as page:
        become(page, live, app, lunch, "周明")
        page.goto("/me")
        keeps(page, "白领瑜伽课堂")
        page.goto("/account/")
        sign_out(page)
        keeps(page, "白领瑜伽课堂", there=False)
        page.context.set_offline(True)
        with pytest.raises(Error, match="net::ERR"):
            page.goto("/me")


def test_the_next_person_at_the_phone_never_sees_it(browser: Browser, live: str, app: Flask, lunch: LunchHour) -> None:
    with chromium.opened(browser, live) as page:
        become(page, live, app, lunch, "周明")
        page.goto("/me")
        keeps(page, "白领瑜伽课堂")
        become(page, live, app, lunch, "李静")  # no sign-out: the session ended somewhere else
        page.goto("/s/cbd")
        keeps(page, "那时没有预约")
        assert "白领瑜伽课堂" not in page.evaluate(KEPT)


def test_a_press_on_the_days_list_is_in_the_kept_page_at_once(
    browser: Browser, live: str, app: Flask, lunch: LunchHour
) -> None:
    with chromium.opened(browser, live) as page:
        become(page, live, app, lunch, "李静")
        page.goto("/s/cbd?day=2026-11-24")
        keeps(page, "那时没有预约")
        page.get_by_role("button", name="预约：白领瑜伽课堂").click()
        keeps(page, "白领瑜伽课堂")


def test_where_nothing_can_be_kept_the_page_is_as_it_is(
    browser: Browser, live: str, app: Flask, lunch: LunchHour
) -> None:
    """The network went while the page came, or the browser forbids it; `opened` hears errors of scripts."""
    with chromium.opened(browser, live) as page:
        page.add_init_script(
            "navigator.serviceWorker.register = () => { window.asked = true; return Promise.reject(new TypeError()); }"
        )
        become(page, live, app, lunch, "周明")
        page.goto("/me")
        chromium.becomes_true(page, "() => window.asked")
        expect(page.locator("#mine .qr svg")).to_be_visible()


def test_strangers_get_no_service_worker(browser: Browser, live: str, lunch: LunchHour) -> None:
    with chromium.opened(browser, live) as page:
        page.goto("/s/cbd", wait_until="networkidle")
        assert page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0


def test_switched_off_it_ends_itself_and_forgets(
    browser: Browser, app: Flask, make_app: Callable[..., Flask], lunch: LunchHour
) -> None:
    made: list[Flask] = []

    def make(url: str) -> Flask:
        made.append(make_app(PUBLIC_URL=url))
        return made[0]

    with serving(make) as url, chromium.opened(browser, url) as page:
        become(page, url, app, lunch, "周明")
        page.goto("/me")
        keeps(page, "白领瑜伽课堂")
        made[0].config["OFFLINE_TICKETS"] = False
        page.goto("/me")
        page.evaluate("async () => { await (await navigator.serviceWorker.getRegistration())?.update() }")
        gone = "async () => !(await navigator.serviceWorker.getRegistrations()).length && !(await caches.keys()).length"
        chromium.becomes_true(page, gone)
