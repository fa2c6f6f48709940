"""The roster without a network: taps stay on the phone, say so, and count once when they are sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Browser, Error, Page, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.model import DoorTap, Person
from tests.support import chromium
from tests.support.live import cut
from tests.support.lunch_hour import LunchHour, at, make_manager
from tests.support.screens import fits, sign_out

pytestmark = pytest.mark.sqlite
PASSWORD = "noon-hour-at-the-station"


@pytest.fixture
def lunch(session: Session) -> Iterator[LunchHour]:
    """Noon: 周明, 李静 and 王磊 have seats; the manager can sign in."""
    lunch = LunchHour(session, capacity=3)
    with transactions.transaction(session):
        manager = session.get_one(Person, lunch.manager_id)
        manager.email, manager.password_hash = "desk@example.com", people.hash_password(PASSWORD)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    with time_machine.travel(at("12:00"), tick=True):
        yield lunch


@contextmanager
def roster(browser: Browser, live: str, lunch: LunchHour, skew: str = "", **options: Any) -> Iterator[Page]:
    """The roster on a phone. A lost network is reported to the console, which nobody reads at the door."""
    context = browser.new_context(base_url=live, **(chromium.PHONE | options))
    context.set_default_timeout(chromium.PATIENCE * 1000)
    if skew:
        context.add_init_script(skew)
    page = context.new_page()
    enter(page, f"/manage/cbd/slots/{lunch.slot_id}")
    yield page
    context.close()


def enter(page: Page, path: str) -> None:
    """Sign in, as a manager does each morning: a sign-in of staff ends after twelve idle hours."""
    chromium.sign_in(page, "desk@example.com", PASSWORD, path)


def seat(page: Page, name: str) -> Any:
    return page.locator(".roster > li", has_text=name).first


def tap(page: Page, name: str, *, here: bool = True) -> None:
    seat(page, name).locator("button").click()
    expect(seat(page, name).locator("button")).to_have_attribute("aria-pressed", str(here).lower())


def settled(page: Page) -> None:
    expect(page.locator("#unsent")).to_be_hidden()
    expect(page.locator(".unsent")).to_have_count(0)


def taps_of(lunch: LunchHour) -> list[DoorTap]:
    lunch.session.rollback()
    return list(lunch.session.scalars(select(DoorTap).order_by(DoorTap.at)))


def test_taps_without_network_are_kept_shown_and_sent_later(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as page:
        tap(page, "周明")
        settled(page)
        page.context.set_offline(True)
        tap(page, "李静")
        tap(page, "王磊")
        tap(page, "王磊", here=False)
        expect(page.locator("#unsent")).to_contain_text("3 次点击还没发出")
        expect(seat(page, "李静")).to_contain_text("已到 · 还没发出")
        assert fits(page)
        assert lunch.states("周明", "李静", "王磊") == ["attended", "booked", "booked"]
        page.wait_for_timeout(2000)
        page.context.set_offline(False)
        settled(page)
        expect(page.locator(".counters")).to_contain_text("2已到")
        assert lunch.states("周明", "李静", "王磊") == ["attended", "attended", "booked"]
        late = taps_of(lunch)[1]
        assert (late.received_at - late.at).total_seconds() > 1.5  # its true time, not that of the arrival


def test_kept_taps_outlive_the_page(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as page:
        address = page.url
        page.context.set_offline(True)
        tap(page, "周明")
        page.goto("about:blank")
        page.context.set_offline(False)
        page.goto(address)
        settled(page)
        expect(seat(page, "周明").locator("button")).to_have_attribute("aria-pressed", "true")
        assert (lunch.state("周明"), len(taps_of(lunch))) == ("attended", 1)
        page.reload()
        settled(page)
        assert len(taps_of(lunch)) == 1


def test_a_lost_answer_is_no_second_tap(browser: Browser, live: str, lunch: LunchHour) -> None:
    lost: list[str] = []

    def lose_the_answer(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route.request.post_data or "")
            route.fetch()
            route.abort()
        else:
            route.continue_()

    with roster(browser, live, lunch) as page:
        page.route("**/manage/cbd/taps", lose_the_answer)
        tap(page, "周明")
        settled(page)
        assert len(lost) == 2
        assert (lunch.state("周明"), len(taps_of(lunch)), len(lunch.lines("checked_in"))) == ("attended", 1, 1)


def test_a_tap_that_can_never_count_is_said(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as page:
        page.route("**/manage/cbd/taps", lambda route: route.fulfill(status=404, body=""))
        seat(page, "周明").locator("button").click()
        expect(page.locator("#unsent")).to_contain_text("有一次点击没有算上")
        page.unroute("**/manage/cbd/taps")
        tap(page, "李静")
        settled(page)
        assert lunch.states("周明", "李静") == ["booked", "attended"]


def test_a_tap_of_an_old_sign_in_is_not_one_without_a_network(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as page:
        path = f"/manage/cbd/slots/{lunch.slot_id}"
        page.route(f"**{path}", lambda route: route.abort())  # no poll finds the sign-in gone
        page.context.clear_cookies()
        enter(page.context.new_page(), path)
        seat(page, "周明").locator("button").click()
        expect(page.locator("#unsent")).to_contain_text("登录过期了")
        expect(page.locator("#unsent")).not_to_contain_text("没有网络")
        expect(seat(page, "周明")).to_contain_text("已到 · 还没发出")
        page.context.set_offline(True)
        expect(page.locator("#unsent")).to_contain_text("没有网络：1 次点击还没发出")
        page.context.set_offline(False)
        page.unroute(f"**{path}")
        page.reload()
        settled(page)
        assert lunch.state("周明") == "attended"


def test_two_phones_agree_within_seconds(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as one, roster(browser, live, lunch) as other:
        one.context.set_offline(True)
        tap(one, "周明")
        other.wait_for_timeout(1100)
        tap(other, "周明")  # the same person, at the other door
        tap(other, "李静")
        settled(other)
        one.context.set_offline(False)
        settled(one)
        for page in (one, other):
            for name in ("周明", "李静"):
                button = seat(page, name).locator("button")
                expect(button).to_have_attribute("aria-pressed", "true")
        assert len(lunch.lines("checked_in")) == 2
        assert lunch.states("周明", "李静", "王磊") == ["attended", "attended", "booked"]


def test_a_roster_asked_for_before_a_tap_does_not_undo_it(browser: Browser, live: str, lunch: LunchHour) -> None:
    """The answer to the first tap's refresh is on its way while the second tap is made and heard."""
    held: list[tuple[Route, str]] = []

    def hold_the_first(route: Route) -> None:
        if held or route.request.header_value("HX-Request") != "true":
            route.continue_()
            return
        held.append((route, route.fetch().text().replace('<div class="desk"', '<div data-late class="desk"', 1)))

    with roster(browser, live, lunch) as page:
        page.route("**/manage/cbd/slots/*", hold_the_first)
        with page.expect_request(lambda request: request.headers.get("hx-request") == "true"):
            tap(page, "周明")
        tap(page, "李静")
        settled(page)
        assert lunch.states("周明", "李静") == ["attended", "attended"]
        page.evaluate("document.addEventListener('htmx:after:swap', () => { window.shown ||= "
                      "[document.querySelector('[data-late]') !== null, ...[...document.querySelectorAll('.roster button')]"
                      ".map((one) => one.getAttribute('aria-pressed'))] })")  # fmt: skip
        held[0][0].fulfill(body=held[0][1], content_type="text/html")
        while not page.evaluate("window.shown"):  # `wait_for_function` evaluates text, which our CSP forbids
            page.wait_for_timeout(50)
        assert page.evaluate("window.shown") == [True, "true", "false", "true"]  # 李静, 王磊, 周明
        expect(page.locator(".counters")).to_contain_text("2已到")  # and what it did not know was asked again


def test_a_roster_that_comes_while_a_finger_is_down_loses_no_tap(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as page:
        lunch.check_in("周明", "12:00")
        box = seat(page, "李静").locator("button").bounding_box()
        assert box
        page.mouse.move(box["x"] + 50, box["y"] + box["height"] / 2)
        page.mouse.down()
        with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true") as answer:
            page.evaluate("htmx.trigger(document.querySelector('#desk'), 'refresh')")
        assert "aria-pressed" in answer.value.text()
        page.evaluate("new Promise((done) => setTimeout(done))")
        page.mouse.up()
        expect(seat(page, "李静").locator("button")).to_have_attribute("aria-pressed", "true")
        settled(page)
        expect(page.locator(".counters")).to_contain_text("2已到")
        assert lunch.states("周明", "李静") == ["attended", "attended"]


KEPT = """async (name) => (await (await (await caches.open('rosters-1'))
    .match(location.pathname, {ignoreVary: true}))?.text() || '').includes(name)"""


def kept_page(page: Page, words: str) -> None:
    """Wait until the phone has kept the roster with these words, and the scripts that it needs."""
    chromium.becomes_true(page, KEPT, words)
    chromium.becomes_true(page, "async () => (await (await caches.open('rosters-1')).keys()).length > 5")


def test_a_reload_without_network_shows_the_last_roster_with_the_kept_taps(
    browser: Browser, live: str, lunch: LunchHour
) -> None:
    with roster(browser, live, lunch) as page:
        tap(page, "周明")
        settled(page)
        kept_page(page, 'aria-pressed="true"')
        expect(page.locator(".kept")).to_be_hidden()
        page.context.set_offline(True)
        with cut(live):
            tap(page, "李静")
            page.reload()
            expect(page.locator(".kept")).to_contain_text("现在没有网络，这是 11月24日周二 12:0")
            expect(seat(page, "周明").locator("button")).to_have_attribute("aria-pressed", "true")
            expect(seat(page, "李静")).to_contain_text("已到 · 还没发出")
            assert fits(page)
            tap(page, "王磊")
            expect(page.locator("#unsent")).to_contain_text("2 次点击还没发出")
            assert lunch.states("周明", "李静", "王磊") == ["attended", "booked", "booked"]
        page.context.set_offline(False)
        settled(page)
        expect(page.locator(".kept")).to_be_hidden()
        expect(page.locator(".counters")).to_contain_text("3已到")
        assert (lunch.states("周明", "李静", "王磊"), len(taps_of(lunch))) == (["attended"] * 3, 3)


OF_YESTERDAY = """async () => {
  const cache = await caches.open('rosters-1'), kept = await cache.match(location.pathname, {ignoreVary: true});
  const headers = new Headers(kept.headers);
  headers.set('Kept-At', Date.now() - 13 * 3600000);
  await cache.put(location.pathname, new Response(await kept.text(), {headers}));
}"""


def test_a_roster_of_another_noon_is_not_shown(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as page:
        kept_page(page, "周明")
        page.evaluate(OF_YESTERDAY)
        page.context.set_offline(True)
        with cut(live):
            page.reload()
            expect(page.get_by_text("现在没有网络").first).to_be_visible()
            expect(page.locator(".roster")).to_have_count(0)


def test_the_kept_roster_goes_with_the_sign_out(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as page:
        kept_page(page, "周明")
        address = page.url
        page.goto("/account/")
        sign_out(page)
        chromium.becomes_true(page, "async () => !(await caches.keys()).includes('rosters-1')")
        page.context.set_offline(True)
        with pytest.raises(Error, match="net::ERR"):
            page.goto(address)


def test_the_next_person_at_the_phone_never_sees_the_roster(browser: Browser, live: str, lunch: LunchHour) -> None:
    """No sign-out: the session ended somewhere else."""
    with roster(browser, live, lunch) as page:
        kept_page(page, "周明")
        address = page.url
        page.context.clear_cookies()
        page.goto("/s/cbd")
        chromium.becomes_true(page, "async () => !(await caches.keys()).includes('rosters-1')")
        page.context.set_offline(True)
        with pytest.raises(Error, match="net::ERR"):
            page.goto(address)


def test_taps_kept_for_one_manager_are_not_sent_by_the_next(browser: Browser, live: str, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        other = session.get_one(Person, make_manager(session, lunch.station_id, "吴经理"))
        other.email, other.password_hash = "wu@example.com", people.hash_password(PASSWORD)
    with roster(browser, live, lunch) as page:
        address = page.url
        page.route("**/manage/cbd/taps", lambda route: route.abort())
        tap(page, "周明")
        expect(page.locator("#unsent")).to_contain_text("1 次点击还没发出")
        page.goto("/account/")
        page.get_by_role("button", name="退出登录").click()
        expect(page.locator("#confirm")).to_contain_text("名单上还有 1 次点击没有发出")
        page.get_by_role("button", name="确定").click()
        expect(page.get_by_role("button", name="退出登录")).to_have_count(0)
        page.unroute("**/manage/cbd/taps")
        sign_in(page, "wu@example.com", address)
        expect(page.locator("#unsent")).to_contain_text("另一位管理员的 1 次点击没有发出")
        tap(page, "李静")
        expect(seat(page, "李静")).to_contain_text("再点撤销")
        assert fits(page)
        assert lunch.states("周明", "李静") == ["booked", "attended"]
        page.goto("/account/")
        page.get_by_role("button", name="退出登录").click()
        expect(page.get_by_role("button", name="退出登录")).to_have_count(0)
        sign_in(page, "desk@example.com", address)
        settled(page)
        assert lunch.states("周明", "李静") == ["attended", "attended"]
        assert [line.actor_id == lunch.manager_id for line in lunch.lines("checked_in")] == [False, True]


def sign_in(page: Page, email: str, address: str) -> None:
    chromium.sign_in(page, email, PASSWORD, f"/manage/cbd/slots/{address.rpartition('/')[2]}")


FAST = "const real = Date.now; Date.now = () => real() + 180000;"
SLOW = "const real = Date.now; Date.now = () => real() - 180000;"


@pytest.mark.parametrize("skew", [FAST, SLOW], ids=["three-minutes-fast", "three-minutes-slow"])
def test_a_phone_whose_clock_is_wrong_tells_the_true_time(
    browser: Browser, live: str, lunch: LunchHour, skew: str
) -> None:
    with roster(browser, live, lunch, skew) as page:
        page.context.set_offline(True)
        tap(page, "周明")
        page.wait_for_timeout(1500)
        page.context.set_offline(False)
        settled(page)
        (kept,) = taps_of(lunch)
        assert 1 < (kept.received_at - kept.at).total_seconds() < 30
        assert lunch.state("周明") == "attended"


def test_a_refusal_is_said_and_not_tried_again(browser: Browser, live: str, lunch: LunchHour) -> None:
    with roster(browser, live, lunch) as page:
        lunch.give_up("周明", "12:00")
        seat(page, "周明").locator("button").click()
        expect(page.locator("#unsent")).to_contain_text("周明：这不是一条有效的预约")
        assert page.evaluate("Object.values(localStorage).filter((kept) => kept.includes('nonce')).length") == 0
