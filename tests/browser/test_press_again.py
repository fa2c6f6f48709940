"""What a phone shows around a press: reloaded, Back and Forward, tapped twice, its answer lost. Always one booking."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Browser, Error, Locator, Page, Position, Request, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from booking import people
from booking.db import transactions
from booking.model import Booking, Letter
from tests.support import chromium
from tests.support.live import cut, lost, serving
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import sign_in

DAY = "/s/cbd?day=2026-11-24"


@dataclass(frozen=True)
class Words:
    """One language on the page. `trouble` is what script says when nobody answers, `changed` what of a sign-in."""

    locale: str
    book: str
    booked: str
    just: str
    already: str
    trouble: str
    changed: str


WORDS = {
    "zh_Hans_CN": Words(
        "zh-CN", "预约", "已预约", "约上了", "这一场你已经约上了", "请再按一次，不会重复预约", "登录变了"
    ),
    "en": Words(
        "en-GB", "Book", "Booked", "Booked. See you", "You have booked this one", "Please press again", "has changed"
    ),
}


@dataclass
class Scene:
    """周明's phone on Monday at a quarter past ten, and two free seats on Tuesday."""

    page: Page
    lunch: LunchHour
    words: Words
    url: str
    script: bool

    @property
    def slot(self) -> str:
        return f"/slots/{self.lunch.slot_id}"

    def part(self, page: Page | None = None) -> Locator:
        """The slot on the page: its card, or its act."""
        return (page or self.page).locator(f"main [data-slot='{self.lunch.slot_id}']")

    def button(self, page: Page | None = None) -> Locator:
        return (page or self.page).get_by_role("button", name=re.compile(f"^{self.words.book}[：:]"))

    def is_mine(self, page: Page | None = None) -> None:
        """It says so in a word, and offers no press."""
        expect(self.part(page)).to_have_attribute("data-mine", "booked")
        expect(self.part(page).locator(".pill").first).to_have_text(self.words.booked)
        expect(self.button(page)).to_have_count(0)

    def says(self, text: str, page: Page | None = None) -> None:
        expect(self.part(page).locator("[data-outcome]")).to_contain_text(text)

    def without_polls(self, page: Page | None = None) -> None:
        """What is on the screen stays as old as it is."""

        def stop(route: Route) -> None:
            poll = route.request.headers.get("hx-request") and route.request.method == "GET"
            route.abort() if poll else route.continue_()

        (page or self.page).route("**/*", stop)

    def once(self) -> None:
        """One booking, one letter, one seat taken."""
        self.lunch.session.rollback()
        assert list(self.lunch.session.scalars(select(Booking.state))) == ["booked"]
        assert list(self.lunch.session.scalars(select(Letter.kind))) == ["confirmed"]
        assert self.lunch.now().taken == 1


# Each language and each way to answer; all four together with --whole.
PHONES = {
    "zh with script": pytest.param(("zh_Hans_CN", True)),
    "en without script": pytest.param(("en", False)),
    "zh without script": pytest.param(("zh_Hans_CN", False), marks=pytest.mark.whole),
    "en with script": pytest.param(("en", True), marks=pytest.mark.whole),
}
ONE_LANGUAGE = pytest.mark.parametrize("phone", [("zh_Hans_CN", True), ("zh_Hans_CN", False)], indirect=True)
WITH_SCRIPT = pytest.mark.parametrize(
    "phone", [("zh_Hans_CN", True), pytest.param(("en", True), marks=pytest.mark.whole)], indirect=True
)


@pytest.fixture(params=PHONES.values(), ids=PHONES)
def phone(request: pytest.FixtureRequest) -> tuple[str, bool]:
    language, script = request.param
    return language, script


@pytest.fixture
def language(phone: tuple[str, bool]) -> str:
    return phone[0]


@pytest.fixture
def script(phone: tuple[str, bool]) -> bool:
    return phone[1]


@pytest.fixture
def lunch(session: Session, language: str) -> Iterator[LunchHour]:
    with time_machine.travel(at("Mon 10:15"), tick=True):
        lunch = LunchHour(session)
        with transactions.transaction(session) as rows:
            people.speak(rows, lunch.people["周明"], language, at("Mon 08:00"))
        yield lunch


@pytest.fixture
def scene(browser: Browser, live: str, app: Flask, lunch: LunchHour, language: str, script: bool) -> Iterator[Scene]:
    words = WORDS[language]
    with chromium.opened(browser, live, java_script_enabled=script, locale=words.locale) as page:
        enter(page, live, app, lunch)
        yield Scene(page, lunch, words, live, script)


def enter(page: Page, url: str, app: Flask, lunch: LunchHour) -> None:
    client = app.test_client()
    sign_in(client, lunch, "周明")
    cookie = client.get_cookie("lunch")
    assert cookie
    page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": url}])


def posts(page: Page) -> list[str]:
    found: list[str] = []

    def see(request: Request) -> None:
        if request.method == "POST":
            found.append(request.url)

    page.on("request", see)
    return found


@pytest.mark.sqlite
@pytest.mark.parametrize("place", ["day", "slot"])
def test_a_page_reloaded_after_a_press_asks_for_no_second_one(scene: Scene, place: str) -> None:
    sent = posts(scene.page)
    scene.page.goto(DAY if place == "day" else scene.slot)
    scene.button().click()
    scene.says(scene.words.just)
    scene.is_mine()
    for _again in range(2):
        answer = scene.page.reload()
        assert answer
        assert answer.request.method == "GET"
        scene.is_mine()
    assert len(sent) == 1
    scene.once()


@pytest.mark.sqlite
def test_back_and_forward_show_what_is_mine_and_no_button(scene: Scene) -> None:
    page = scene.page
    sent = posts(page)
    page.goto(DAY)
    scene.part().get_by_role("link").first.click()
    page.wait_for_url(f"**{scene.slot}")
    scene.button().click()
    scene.says(scene.words.just)
    page.get_by_role("link", name="我的预约" if scene.words.locale == "zh-CN" else "My bookings").first.click()
    page.wait_for_url("**/me")
    for _step in range(2 if scene.script else 3):  # without script the page that the press led to is one more
        page.go_back()
        scene.is_mine()
    assert DAY in page.url
    page.go_forward()
    scene.is_mine()
    assert len(sent) == 1
    scene.once()


@pytest.mark.sqlite
def test_an_old_page_pressed_again_says_that_it_is_mine_already(scene: Scene) -> None:
    old = scene.page.context.new_page()
    scene.without_polls(old)
    for page in (old, scene.page):
        page.goto(DAY)
    scene.button().click()
    scene.says(scene.words.just)
    scene.button(old).click()
    scene.says(scene.words.already, old)
    scene.is_mine(old)
    scene.once()


# Where a thumb comes down, in parts of the button, and the ms until it does again: where the answer's "undo" will be, too.
TAPS = [("day", 0.5, 0.5, 0), ("day", 0.5, 0.5, 250), ("slot", 0.5, 0.5, 0), ("slot", 0.15, 0.95, 250)]
# Each tap once, half of them by script; all by both with --whole.
BY_SCRIPT = {("day", 0), ("slot", 250)}


@pytest.mark.parametrize(
    ("phone", "place", "across", "down", "wait"),
    [
        pytest.param(
            ("zh_Hans_CN", script), *tap, marks=[pytest.mark.whole] * (((tap[0], tap[3]) in BY_SCRIPT) != script)
        )
        for tap in TAPS
        for script in (True, False)
    ],
    indirect=["phone"],
)
def test_a_double_tap_is_one_press_and_no_undo(scene: Scene, place: str, across: float, down: float, wait: int) -> None:
    page = scene.page
    page.goto(DAY if place == "day" else scene.slot)
    box = scene.button().bounding_box()
    assert box
    spot: Position = {"x": box["width"] * across, "y": box["height"] * down}
    tap(scene.button(), position=spot)
    page.wait_for_timeout(wait)
    tap(page.locator("html"), position={"x": box["x"] + spot["x"], "y": box["y"] + spot["y"]}, force=True)
    scene.is_mine()
    page.wait_for_timeout(300)
    scene.is_mine()
    scene.once()


def tap(where: Locator, **options: Any) -> None:
    """A thumb comes down. A page that goes just then may leave the driver unheard or be blank: what follows counts."""
    with suppress(Error):
        where.tap(timeout=5_000, **options)


@pytest.mark.sqlite
@ONE_LANGUAGE
def test_after_the_answer_has_stood_for_a_moment_it_can_be_undone(scene: Scene) -> None:
    """The control of the one before: only the second tap of a double one is not heard."""
    scene.page.goto(scene.slot)
    scene.button().click()
    scene.part().locator("[data-outcome] button").first.click()
    expect(scene.button()).to_be_visible()
    assert scene.lunch.state("周明") == "cancelled"


@pytest.mark.parametrize("harm", [lost, cut], ids=["done", "not-done"])
def test_a_press_without_an_answer_is_pressed_again(
    scene: Scene, harm: Callable[[str], AbstractContextManager[None]]
) -> None:
    """`done`: the seat is taken, and nobody heard so."""
    page = scene.page
    page.goto(DAY, wait_until="networkidle")
    if scene.script:
        scene.without_polls()
    with harm(scene.url):
        press_in_vain(scene)
    if harm is lost:
        scene.once()
    if scene.script:
        expect(page.locator("#flashes")).to_contain_text(scene.words.trouble)
        scene.button().click()
    else:
        page.reload()  # the browser sends the form again
    scene.says(scene.words.already if harm is lost else scene.words.just)
    scene.is_mine()
    if scene.script:
        expect(page.locator("#flashes")).to_be_empty()  # it has been answered
    else:
        page.reload()
        scene.is_mine()
    scene.once()


@pytest.mark.sqlite
def test_a_press_without_an_answer_is_shown_by_the_next_look(scene: Scene) -> None:
    page = scene.page
    page.goto(DAY, wait_until="networkidle")
    with lost(scene.url):
        press_in_vain(scene)
        if scene.script:
            expect(page.locator("#flashes")).to_contain_text(scene.words.trouble)
    if not scene.script:
        page.goto(f"{scene.slot}/book")  # the address that the browser stands at, asked for without the form
    scene.is_mine()
    expect(page.locator("#flashes")).to_be_empty()
    scene.once()


def press_in_vain(scene: Scene) -> None:
    with scene.page.expect_event("requestfailed", lambda request: request.method == "POST"):
        scene.button().click(no_wait_after=True)
    if not scene.script:
        scene.page.wait_for_url("chrome-error://**")


@pytest.mark.sqlite
@WITH_SCRIPT
def test_a_press_of_an_old_sign_in_is_told_to_reload(scene: Scene, app: Flask) -> None:
    page = scene.page
    page.goto(scene.slot, wait_until="networkidle")
    enter(page, scene.url, app, scene.lunch)  # in another tab
    scene.button().click()
    notice = page.locator("#flashes .notice")
    expect(notice).to_contain_text(scene.words.changed)
    expect(notice).not_to_contain_text(scene.words.trouble)
    notice.get_by_role("link").click()
    expect(notice).to_have_count(0)
    scene.button().click()
    scene.says(scene.words.just)
    scene.once()


# A page that the browser kept as it was (bfcache): ours say no-store, and some browsers keep them all the same.


@pytest.fixture
def keeping_browser(browser: Browser) -> Iterator[Browser]:
    keeps = ["--disable-back-forward-cache"]
    with chromium.launch(browser.browser_type, windows=True, ignore_default_args=keeps) as other:
        yield other


def kept_by_browsers(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "private")
    return response


@pytest.mark.sqlite
@WITH_SCRIPT
def test_a_page_out_of_the_browsers_memory_offers_nothing_that_is_mine(
    keeping_browser: Browser, make_app: Callable[..., Flask], app: Flask, lunch: LunchHour, language: str, script: bool
) -> None:
    def make(url: str) -> Flask:
        made = make_app(PUBLIC_URL=url, WTF_CSRF_ENABLED=True)
        made.after_request(kept_by_browsers)
        return made

    words = WORDS[language]
    with serving(make) as url, chromium.opened(keeping_browser, url, locale=words.locale) as page:
        enter(page, url, app, lunch)
        page.add_init_script("window.setInterval = () => 0")  # nothing is asked only because time passes
        scene = Scene(page, lunch, words, url, script)
        page.goto(DAY)
        page.evaluate("() => { window.kept = true }")
        scene.part().get_by_role("link").first.click()
        page.wait_for_url(f"**{scene.slot}")
        scene.button().click()
        scene.says(words.just)
        page.evaluate("() => { history.back() }")
        expect(page).to_have_url(url + DAY)
        assert page.evaluate("() => window.kept"), "it came out of memory"
        scene.is_mine()
        scene.once()
