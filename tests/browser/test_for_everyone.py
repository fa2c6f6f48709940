"""Every page for everyone: axe, narrow and wide, large text, keyboard, calm; in both languages and themes.

`make test-all` keeps a picture of each page in `build/screens/`.
"""

from collections.abc import Iterator

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from booking import people
from tests.support import chromium
from tests.support.everybody import NOON, Everybody
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import fits, picture
from tests.support.worker_cast import sign_in

LANGUAGES = {"zh-CN": "zh_Hans_CN", "en-GB": "en"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Contrast takes axe twice as long as all other rules: in `make test` on the page of all parts, and where they meet.
CONTRAST = ("/parts", "/s/cbd", "/manage/", "/manage/cbd/week", "/admin/")
# Tall, for what the bar at the bottom covers now can be scrolled to.
PHONE = {"viewport": {"width": 390, "height": 4000}, "reduced_motion": "reduce", "device_scale_factor": 1}
DESK = PHONE | {"viewport": {"width": 1280, "height": 3000}, "has_touch": False}
# Controls below 44 px, but for links inside sentences (WCAG 2.5.8 spares those) and what is not to be seen.
SMALL = """() => [...document.querySelectorAll('button, summary, select, input:not([type=hidden]), .button, .tabs a, .days a')]
    .filter((e) => e.checkVisibility() && !e.closest('.unseen') && !['checkbox', 'radio'].includes(e.type))
    .filter((e) => e.getBoundingClientRect().height < 43.5)
    .map((e) => e.outerHTML.slice(0, 120))"""
# Words that reach out of their box: of a day of the month, of the head of the page.
OVER = """() => [...document.querySelectorAll('.weeks a, .top > a')]
    .filter((e) => e.scrollWidth > e.clientWidth + 1)
    .map((e) => e.outerHTML.slice(0, 120))"""

pytestmark = pytest.mark.sqlite


@pytest.fixture
def everybody(app: Flask, session: Session, live: str, request: pytest.FixtureRequest) -> Iterator[Everybody]:
    with time_machine.travel(NOON, tick=True):
        made = Everybody(app, session, live, request.config.getoption("--whole"))
        made.load()
        yield made


@pytest.mark.parametrize(
    ("locale", "theme", "audiences"),
    [
        ("zh-CN", "light", ("", "manager")),
        ("en-GB", "dark", ("worker", "admin", "organiser")),
        pytest.param("zh-CN", "light", ("worker", "admin", "organiser"), marks=pytest.mark.whole),
        pytest.param("en-GB", "dark", ("", "manager"), marks=pytest.mark.whole),
        pytest.param("zh-CN", "dark", ("worker",), marks=pytest.mark.whole),
        pytest.param("en-GB", "light", ("worker",), marks=pytest.mark.whole),
    ],
)
def test_axe_finds_nothing_on_any_page(
    everybody: Everybody, browser: Browser, locale: str, theme: str, audiences: tuple[str, ...]
) -> None:
    everybody.speak(LANGUAGES[locale])
    axe, found = Axe(), set()
    for who in audiences:
        device = PHONE if who in ("", "worker") else DESK
        with chromium.opened(browser, everybody.url, **device, locale=locale, color_scheme=theme) as page:
            everybody.enter(page, who)
            for path in everybody.pages(who):
                page.set_viewport_size(device["viewport"] | ({"height": 12_000} if path == "/parts" else {}))
                page.goto(path)
                picture(page, locale[:2], theme, who or "nobody", path)
                rules = {"color-contrast": {"enabled": everybody.whole or path in CONTRAST}}
                options = {"runOnly": RULES, "resultTypes": ["violations"], "rules": rules}
                for wrong in axe.run(page, options=options).response["violations"]:
                    found |= {(path, wrong["id"], node["html"][:150]) for node in wrong["nodes"]}
    assert found == set()


@pytest.mark.parametrize(
    ("locale", "script", "audiences"),
    [
        ("zh-CN", True, ("",)),
        ("en-GB", False, ("worker",)),
        pytest.param("zh-CN", True, ("worker",), marks=pytest.mark.whole),
        pytest.param("en-GB", False, ("",), marks=pytest.mark.whole),
    ],
)
def test_nothing_is_wider_than_a_phone_and_nothing_too_small_for_a_thumb(
    everybody: Everybody, browser: Browser, locale: str, script: bool, audiences: tuple[str, ...]
) -> None:
    everybody.speak(LANGUAGES[locale])
    wide, small = set(), set()
    for who in audiences:
        with chromium.opened(browser, everybody.url, **PHONE, locale=locale, java_script_enabled=script) as page:
            everybody.enter(page, who)
            for path in everybody.pages(who):
                page.goto(path)
                for width in (360, 390, 1280):
                    page.set_viewport_size({"width": width, "height": 900})
                    if not fits(page):
                        wide.add((path, width))
                if path != "/parts":
                    small |= {(path, what) for what in page.evaluate(SMALL)}
    assert (wide, small) == (set(), set())


@pytest.mark.parametrize("locale", [pytest.param("zh-CN", marks=pytest.mark.whole), "en-GB"])  # the longer words
def test_text_of_twice_the_size_still_fits(everybody: Everybody, browser: Browser, locale: str) -> None:
    everybody.speak(LANGUAGES[locale])
    wide = set()
    with chromium.opened(browser, everybody.url, **PHONE, locale=locale) as page:
        everybody.enter(page, "worker")
        for path in everybody.pages("worker"):
            page.goto(path)
            page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
            picture(page, "large", locale[:2], path)
            if not fits(page):
                wide.add(path)
    assert wide == set()


@pytest.fixture
def phone(app: Flask, session: Session, live: str, browser: Browser) -> Iterator[tuple[Page, LunchHour]]:
    """李静's phone on Monday at a quarter past ten; two seats are free on Tuesday."""
    with time_machine.travel("2026-11-23T10:15:00+08:00", tick=True):
        lunch = LunchHour(session)
        with chromium.opened(browser, live) as page:
            client = app.test_client()
            sign_in(client, lunch, "李静")
            cookie = client.get_cookie("lunch")
            assert cookie
            page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": live}])
            yield page, lunch


def test_what_is_searched_for_can_be_read_in_text_of_twice_the_size(phone: tuple[Page, LunchHour]) -> None:
    page, _ = phone
    page.set_viewport_size({"width": 320, "height": 700})
    for path in ("/s/cbd/find", "/stations"):
        page.goto(path)
        page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
        assert page.locator("#q").evaluate("(field) => field.clientWidth") > 200
        assert fits(page)


def test_tables_and_the_head_of_the_page_hold_text_of_twice_the_size(phone: tuple[Page, LunchHour]) -> None:
    page, lunch = phone
    lunch.book("李静", "Mon 10:15")
    lunch.check_in("李静", "Tue 12:05")
    lunch.other_station()
    people.speak(lunch.session, lunch.people["李静"], "en", at("Mon 10:15"))
    lunch.session.commit()
    wrong = set()
    with time_machine.travel(at("Wed 09:00"), tick=True):
        for path in ("/me/attendance", "/s/cbd/month", "/s/cbd"):
            page.goto(path)
            page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
            wrong |= {(path, what) for what in page.evaluate(OVER)} | (set() if fits(page) else {(path, "wide")})
    assert wrong == set()


def test_a_keyboard_books_and_is_led_to_the_answer(phone: tuple[Page, LunchHour]) -> None:
    page, lunch = phone
    page.goto("/s/cbd?day=2026-11-24")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    button = page.get_by_role("button", name="预约：白领瑜伽课堂")
    for _press in range(40):
        if button.evaluate("(button) => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    assert button.evaluate("(button) => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    answer = page.locator(f"#outcome-{lunch.slot_id}")
    expect(answer).to_be_focused()
    expect(answer).to_contain_text("约上了")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="撤销")).to_be_focused()


def test_a_seat_that_comes_from_the_line_is_announced_once(phone: tuple[Page, LunchHour]) -> None:
    page, lunch = phone
    for who in ("周明", "王磊", "李静"):
        lunch.book(who, "Mon 10:15")
    page.goto("/s/cbd?day=2026-11-24")
    said = page.locator("#said")
    expect(page.locator("[data-mine=waiting]")).to_have_count(1)
    expect(said).to_have_text("")
    lunch.give_up("周明", "Mon 10:16")
    expect(said).to_have_text("白领瑜伽课堂 已预约")


def test_who_asks_for_calm_gets_no_motion(phone: tuple[Page, LunchHour]) -> None:
    page, _lunch = phone
    page.goto("/s/cbd?day=2026-11-24")
    button = page.locator(".button").first
    for wish, moves in (("reduce", False), ("no-preference", True)):
        page.emulate_media(reduced_motion=wish)  # type: ignore[arg-type]
        took = button.evaluate("(button) => parseFloat(getComputedStyle(button).transitionDuration)")
        assert (took > 0) == moves
