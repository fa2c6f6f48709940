"""Debian's Chromium, driven by Playwright, with an eye on what a page must never do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from playwright.sync_api import Browser, BrowserType, Error, Page, expect, sync_playwright

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "locale": "zh-CN",
    "timezone_id": "Asia/Shanghai",
    "has_touch": True,
}
PATIENCE = 30  # seconds: browsers, databases and argon2 share a small machine with other tests
# What is said of the network, not of the page.
UNHEARD = (
    "Failed to load resource",
    "htmx: htmx:error: Failed to fetch",
    "The Cross-Origin-Opener-Policy header has been ignored",  # without https
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
]


@contextmanager
def launched() -> Iterator[Browser]:
    """One browser for the run, and patience for all that is expected of it."""
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright, launch(playwright.chromium) as browser:
        yield browser


@contextmanager
def launch(kind: BrowserType, *arguments: str, windows: bool = False, **options: Any) -> Iterator[Browser]:
    """A browser with arguments and `options` of its own.

    Where Debian has it, one without `windows`, which takes a quarter of the CPU and keeps no page for Back.
    """
    path = (not windows and shutil.which("chromium-headless-shell")) or shutil.which("chromium")
    if not path:
        raise RuntimeError("Chromium is not installed, and the browser tests need it: run `make test` once")
    browser = kind.launch(executable_path=path, args=[*ARGUMENTS, *arguments], **options)
    yield browser
    browser.close()


@contextmanager
def opened(browser: Browser, base_url: str, **options: Any) -> Iterator[Page]:
    """A page of a phone (or with other `options`) that fails on script errors, CSP and strangers."""
    context = browser.new_context(base_url=base_url, **(PHONE | options))
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    wrongs = watch(page, base_url)
    yield page
    context.close()
    assert not wrongs, wrongs


def watch(page: Page, base_url: str) -> list[str]:
    """Collects what the page says wrong; refusals (4xx) are answers, not errors."""
    wrongs: list[str] = []

    def hear(message: Any) -> None:
        if message.type == "error" and not message.text.startswith(UNHEARD):
            wrongs.append(message.text)

    def see(request: Any) -> None:
        if not request.url.startswith((base_url, "data:", "about:")):
            wrongs.append(f"asked a stranger: {request.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on("request", see)
    return wrongs


def sign_in(page: Page, email: str, password: str, then: str) -> None:
    """By the form, in Chinese; ends on the page `then`."""
    page.goto(f"/account/sign-in?next={then}")
    page.get_by_label("邮箱").fill(email)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url(f"**{then}")


def becomes_true(page: Page, question: str, about: str = "") -> None:
    """Ask a promise again and again: `wait_for_function` takes a promise for a yes."""
    deadline = monotonic() + PATIENCE
    while not _said(page, question, about):
        assert monotonic() < deadline, question
        page.wait_for_timeout(50)


def _said(page: Page, question: str, about: str) -> Any:
    """A page that goes while it is asked is no answer; the next one is asked."""
    try:
        return page.evaluate(question, about)
    except Error as error:
        if "context was destroyed" not in str(error):
            raise
        return False
