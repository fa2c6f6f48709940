"""The main pages at every size, in both languages and themes, with script and without: a picture of each.

What a picture must show is asked of the page as well: its theme and language, the whole of it within the screen, and
that no line of Chinese begins with what belongs to the end of the line before.
"""

from collections.abc import Iterator
from itertools import product

import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy.orm import Session

from tests.support import chromium
from tests.support.everybody import NOON, Everybody
from tests.support.screens import fits, picture

PAGES = ("/s/cbd", "/s/cbd/month", "/me", "/account/", "/stations")
LANGUAGES = {"zh-CN": "zh_Hans_CN", "en-GB": "en"}
WIDTHS = (320, 360, 390, 1280)
PAPER = {"light": "rgb(250, 247, 241)", "dark": "rgb(23, 25, 22)"}
# Where a line begins with a mark that closes: its box stands left of the character before, and lower.
BAD_BREAKS = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  const box = (node, n) => { range.setStart(node, n); range.setEnd(node, n + 1); return range.getClientRects()[0]; };
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const { index } of node.data.matchAll(/(?<=\\S)[。，、；：！？）」”%]/g)) {
      const here = box(node, index), before = box(node, index - 1);
      if (!here || !before || here.top < before.top + 4 || here.left > before.left) continue;
      found.push(node.data.slice(Math.max(0, index - 8), index + 2));
    }
  }
  return found;
}"""

# Words that have slipped below their seats, and days that the edge of the screen cuts in two.
SLIPPED = """() => [...document.querySelectorAll('.seats')].filter((seats) => {
  const [drawn, words] = [...seats.children].map((part) => part.getBoundingClientRect());
  return words.left < drawn.right || words.top > drawn.bottom || drawn.top > words.bottom;
}).map((seats) => seats.textContent)"""
CUT = """() => [...document.querySelectorAll('.days span:not(.unseen), .days b, .days small')].filter((text) => {
  const range = document.createRange();
  range.selectNodeContents(text);
  const { left, right } = range.getBoundingClientRect();
  return left < innerWidth - 16 && right > innerWidth - 8;  // what is further out has faded
}).map((text) => text.textContent)"""

# Every two of language, script, theme and width meet; everything meets everything with --whole.
PAIRS = {
    ("zh-CN", True): (("light", 320), ("dark", 390)),
    ("en-GB", False): (("dark", 320), ("light", 390)),
    ("zh-CN", False): (("light", 1280), ("dark", 360)),
    ("en-GB", True): (("dark", 1280), ("light", 360)),
}
SMALL = (("zh-CN", True), ("en-GB", False))

pytestmark = pytest.mark.sqlite


@pytest.fixture
def everybody(app: Flask, session: Session, live: str) -> Iterator[Everybody]:
    with time_machine.travel(NOON, tick=True):
        made = Everybody(app, session, live)
        made.load()
        yield made


def test_a_bad_line_break_is_seen(page: Page) -> None:
    """The control of what follows."""
    for rule, seen in (("anywhere", ["一二三四五六。七"]), ("strict", [])):
        page.set_content(f'<p style="width: 6em; font: 16px/2 monospace; line-break: {rule}">一二三四五六。七八</p>')
        assert page.evaluate(BAD_BREAKS) == seen


@pytest.mark.parametrize(
    ("locale", "script"), [pytest.param(*pair, marks=[pytest.mark.whole] * (pair not in SMALL)) for pair in PAIRS]
)
def test_the_main_pages_look_right(
    everybody: Everybody, browser: Browser, locale: str, script: bool, request: pytest.FixtureRequest
) -> None:
    everybody.speak(LANGUAGES[locale])
    calm = {"device_scale_factor": 1, "reduced_motion": "reduce", "java_script_enabled": script}
    wrong, slot = [], next(path for path in everybody.pages("worker", PAGES[:1]) if path.startswith("/slots/"))
    looks = product(PAPER, WIDTHS) if request.config.getoption("--whole") else PAIRS[locale, script]
    for theme, width in looks:
        device = calm | {"viewport": {"width": width, "height": 844}, "color_scheme": theme, "locale": locale}
        with chromium.opened(browser, everybody.url, **device) as page:
            everybody.enter(page, "worker")
            for path in (*PAGES, slot):
                page.goto(path)
                picture(page, "look", locale[:2], theme, str(width), "script" if script else "plain", path)
                wrong += [(path, theme, width, what) for what in _wrongs(page, theme, locale)]
    assert wrong == []


@pytest.mark.parametrize("locale", LANGUAGES)
def test_words_stand_beside_their_seats_and_no_day_is_cut(everybody: Everybody, browser: Browser, locale: str) -> None:
    everybody.speak(LANGUAGES[locale])
    wrong = []
    with chromium.opened(browser, everybody.url, device_scale_factor=1, locale=locale) as page:
        everybody.enter(page, "worker")
        for path in ("/parts", "/s/cbd"):
            page.goto(path)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 844})
                wrong += [(path, width, what) for what in page.evaluate(SLIPPED) + page.evaluate(CUT)]
    assert wrong == []


def _wrongs(page: Page, theme: str, locale: str) -> Iterator[str]:
    """Playwright evaluates in pages whose own scripts are off, too."""
    if page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor") != PAPER[theme]:
        yield "another theme"
    if page.locator("html").get_attribute("lang") != ("zh-CN" if locale == "zh-CN" else "en"):
        yield "another language"
    if not fits(page):
        yield "wider than the screen"
    yield from page.evaluate(BAD_BREAKS)
