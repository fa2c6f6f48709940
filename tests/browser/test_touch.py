"""The touched kiosk in Chromium: a scanner's burst arrives whole, nothing remains, everybody can use it."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from booking import services
from booking.queries import ticket_codes
from tests.support import chromium
from tests.support.desk_cast import Desk
from tests.support.live import cut
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import fits, picture

pytestmark = pytest.mark.sqlite
SCREEN: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "device_scale_factor": 1}
SIZES = {"screen": (1280, 800), "portrait": (1080, 1920), "zoomed": (640, 400)}  # the last: 1280 × 800 at 200 %
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Controls below 64 px, and any two of them that lie over each other.
SMALL = """() => [...document.querySelectorAll('button, a, input:not([type=hidden])')]
    .filter((e) => e.checkVisibility() && !e.closest('.unpair, .hints') && e.getBoundingClientRect().height < 63.5)
    .map((e) => e.outerHTML.slice(0, 90))"""
OVER = """() => {
    const seen = [...document.querySelectorAll('button, .touch a, input:not([type=hidden]), h1, h2, .touch p')]
        .filter((e) => e.checkVisibility() && !e.closest('.unseen, .hints, .unpair'));
    const cross = (r, s) => r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 1 && s.top < r.bottom - 1;
    const box = (e) => e.getBoundingClientRect();
    return seen.flatMap((a, n) => seen.slice(n + 1)
        .filter((b) => !a.contains(b) && !b.contains(a) && cross(box(a), box(b)))
        .map((b) => a.outerHTML.slice(0, 60) + ' ' + b.outerHTML.slice(0, 60)));
}"""


@pytest.fixture
def lunch(session: Session) -> Iterator[LunchHour]:
    """Noon: 周明 and 李静 have seats, 王磊 waits."""
    lunch = LunchHour(session)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    with time_machine.travel(at("12:00"), tick=True):
        yield lunch


def pair(page: Page, app: Flask, lunch: LunchHour, url: str) -> Page:
    desk = Desk(app, lunch)
    desk.post("door/pair", "11:30", follow=False)
    cookie = desk.client.get_cookie("door")
    assert cookie
    page.context.add_cookies([{"name": "door", "value": cookie.value, "url": url}])
    page.goto("/door/cbd")
    return page


@pytest.fixture
def kiosk(browser: Browser, live: str, app: Flask, lunch: LunchHour) -> Iterator[Page]:
    with chromium.opened(browser, live, **SCREEN) as page:
        yield pair(page, app, lunch, live)


def address(lunch: LunchHour, name: str) -> str:
    return f"http://localhost/manage/cbd/tickets/{lunch.latest(name).ticket}"


def scan(page: Page, text: str) -> None:
    """As a scanner types: all at once, and Enter."""
    page.keyboard.type(text, delay=0)
    page.keyboard.press("Enter")


def verdict(page: Page) -> Any:
    return page.locator(".said h1")


def test_a_burst_arrives_whole_wherever_the_focus_is(kiosk: Page, lunch: LunchHour) -> None:
    zhou, li = address(lunch, "周明"), address(lunch, "李静")
    scan(kiosk, zhou)  # at the screen, where nobody has touched anything
    expect(verdict(kiosk)).to_have_text("签到成功")
    scan(kiosk, li)  # while the answer of the one before is shown
    expect(kiosk.locator(".whose")).to_contain_text("李")
    assert lunch.states("周明", "李静") == ["attended", "attended"]
    for place in ("#typed", "[data-key='5']", "a[data-leave]", None):
        kiosk.goto("/door/cbd/touch")
        expect(kiosk.locator("#typed")).to_be_focused()
        kiosk.locator(place).focus() if place else kiosk.evaluate("document.activeElement.blur()")
        scan(kiosk, zhou)
        expect(verdict(kiosk)).to_have_text("已经签到")
    # The first character counts: with it lost, this would be no ticket of this station.
    kiosk.goto("/door/cbd/touch")
    kiosk.evaluate("document.activeElement.blur()")
    kiosk.keyboard.type(zhou, delay=0)
    expect(kiosk.locator("#typed")).to_have_value(zhou)


@pytest.mark.whole
def test_digits_are_pressed_on_the_screen_or_typed(kiosk: Page, lunch: LunchHour) -> None:
    kiosk.get_by_role("link", name="我要签到").tap()
    for digit in ticket_codes.code_of(lunch.latest("周明"), at("12:00:30")):
        kiosk.locator(f"[data-key='{digit}']").tap()
    kiosk.get_by_role("button", name="退一位").tap()
    assert len(kiosk.locator("#typed").input_value()) == 5
    kiosk.get_by_role("button", name="清空").tap()
    scan(kiosk, ticket_codes.code_of(lunch.latest("周明"), at("12:00:30")))
    expect(verdict(kiosk)).to_have_text("签到成功")
    assert "周明" not in kiosk.content()


@pytest.mark.parametrize("script", [pytest.param(True, marks=pytest.mark.whole), False])
def test_an_answer_goes_and_back_finds_nothing(
    browser: Browser, live: str, app: Flask, lunch: LunchHour, script: bool
) -> None:
    """In the whole browser, which keeps pages for Back: by itself, by its button, and by Escape."""
    keeps = ["--disable-back-forward-cache"]
    with (
        chromium.launch(browser.browser_type, windows=True, ignore_default_args=keeps) as own,
        chromium.opened(own, live, **SCREEN, java_script_enabled=script) as page,
    ):
        if script:
            page.clock.install(time=at("12:00"))
        pair(page, app, lunch, live)
        for leave in ("wait", "Escape", "button") if script else ("button",):
            page.goto("/door/cbd/touch")
            scan(page, address(lunch, "周明"))
            expect(page.locator(".whose")).to_contain_text("周")
            if leave == "wait":
                page.clock.run_for(20_500)
            elif leave == "Escape":
                page.keyboard.press("Escape")
            else:
                page.get_by_role("link", name="完成").click()
            page.wait_for_url("**/door/cbd")
            page.go_back(wait_until="commit")
            expect(page.locator("#screen, #typed").first).to_be_visible()
            assert page.locator(".said").count() == 0


@pytest.mark.parametrize("locale", [pytest.param("zh-CN", marks=pytest.mark.whole), "en-GB"])  # the longer words
def test_everybody_can_use_it(browser: Browser, live: str, app: Flask, lunch: LunchHour, locale: str) -> None:
    axe, wrong = Axe(), []
    with chromium.opened(browser, live, **SCREEN, locale=locale, reduced_motion="reduce") as page:
        pair(page, app, lunch, live)
        for path in ("", "/touch", "refused", "/touch/name", "said", "early", "named"):
            show(page, path, lunch)
            for size, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                picture(page, "kiosk", locale[:2], path.strip("/") or "screen", size)
                found = [*page.evaluate(OVER), *page.evaluate(SMALL), *([] if fits(page) else ["wide"])]
                wrong += [(path, size, what) for what in found if path or size != "zoomed"]
            if path:
                options = {"runOnly": RULES, "resultTypes": ["violations"]}
                wrong += [(path, one["id"]) for one in axe.run(page, options=options).response["violations"]]
    assert wrong == []


def show(page: Page, path: str, lunch: LunchHour) -> None:
    page.set_viewport_size(SCREEN["viewport"])
    page.goto(f"/door/cbd{path if path.startswith('/') else '/touch' if path else ''}")
    if path == "refused":
        scan(page, "000000")
        expect(page.locator(".touch-no")).to_be_visible()
    elif path == "said":
        scan(page, address(lunch, "周明"))
        expect(page.locator(".said")).to_be_visible()
    elif path == "early":
        scan(page, address(lunch, "王磊"))
        expect(page.locator(".said")).to_be_visible()
    elif path == "named":
        page.goto("/door/cbd/touch/name")
        page.locator("#name").fill("王小明")
        page.locator("#name").press("Enter")
        expect(page.locator(".said")).to_be_visible()


@pytest.mark.whole
def test_with_the_keyboard_alone_every_control_is_reached_and_left(kiosk: Page) -> None:
    kiosk.goto("/door/cbd/touch")
    seen = []
    for _press in range(20):
        kiosk.keyboard.press("Tab")
        seen.append(kiosk.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))
    assert {"返回", "English", "没带手机", "5", "清空", "签到", "typed"} <= set(seen)
    kiosk.keyboard.press("Escape")
    expect(kiosk.locator("#screen")).to_be_visible()


def test_without_a_network_it_says_so_and_stays(kiosk: Page, live: str, lunch: LunchHour) -> None:
    kiosk.goto("/door/cbd/touch")
    with cut(live):
        scan(kiosk, address(lunch, "周明"))
        expect(kiosk.locator("#no-network")).to_contain_text("直接找驿站管理员")
        assert kiosk.url.endswith("/touch")
        expect(kiosk.locator("#typed")).to_have_value("")
    expect(kiosk.locator("#no-network")).to_be_hidden()
    scan(kiosk, address(lunch, "周明"))
    expect(verdict(kiosk)).to_have_text("签到成功")
    with cut(live):
        kiosk.keyboard.press("Escape")
        expect(kiosk.locator("#no-network")).to_be_visible()
        assert kiosk.locator(".said").count() == 0


def test_without_script_all_of_it_works(browser: Browser, live: str, app: Flask, lunch: LunchHour) -> None:
    with chromium.opened(browser, live, **SCREEN, java_script_enabled=False) as page:
        pair(page, app, lunch, live)
        page.get_by_role("link", name="我要签到").click()
        expect(page.locator("#typed")).to_be_focused()
        picture(page, "kiosk", "plain", "touch")
        scan(page, address(lunch, "周明"))
        expect(verdict(page)).to_have_text("签到成功")
        page.get_by_role("link", name="完成").click()
        page.get_by_role("link", name="我要签到").click()
        page.get_by_role("link", name="没带手机").click()
        page.locator("#name").fill("王小明")
        page.get_by_role("button", name="告诉管理员").click()
        expect(verdict(page)).to_have_text("已经告诉管理员")
        assert "王小明" not in page.content()


@pytest.mark.whole
def test_the_managers_roster_lists_who_has_no_phone(
    browser: Browser, live: str, app: Flask, lunch: LunchHour, session: Session
) -> None:
    for name in ("周明", "张三", "李静"):
        services.leave_name(session, lunch.station_id, name, at("12:00"))
    client = Desk(app, lunch).client
    cookie = client.get_cookie("lunch")
    assert cookie
    for width in (1280, 390):
        viewport = {"viewport": {"width": width, "height": 900}, "device_scale_factor": 1}
        with chromium.opened(browser, live, **viewport) as page:
            page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": live}])
            page.goto(f"/manage/cbd/slots/{lunch.slot_id}")
            picture(page, "kiosk", "roster", str(width))
            assert fits(page)
    with chromium.opened(browser, live) as page:
        page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": live}])
        page.goto(f"/manage/cbd/slots/{lunch.slot_id}")
        page.locator("#arrivals li", has_text="周明").get_by_role("button", name="签到").click()
        expect(page.locator("#arrivals li", has_text="周明")).to_have_count(0)
        assert lunch.state("周明") == "attended"
