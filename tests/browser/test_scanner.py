"""The scanner in a browser: a camera that sees tickets, a page without https, and screens that stay on."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import segno
import time_machine
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.model import DoorTap, Person
from tests.support import chromium
from tests.support.live import serving
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import fits

pytestmark = pytest.mark.sqlite
PASSWORD = "noon-hour-at-the-station"
WIDE, HIGH, FRAMES = 640, 480, 10
# Counts the wake locks that a page asks for.
COUNT_LOCKS = """window.locks = 0; const lock = navigator.wakeLock;
if (lock) lock.request = async () => { window.locks++; return new EventTarget(); };"""


@pytest.fixture
def lunch(session: Session) -> Iterator[LunchHour]:
    """Noon: 周明 and 李静 have seats; the manager can sign in."""
    lunch = LunchHour(session)
    with transactions.transaction(session):
        manager = session.get_one(Person, lunch.manager_id)
        manager.email, manager.password_hash = "desk@example.com", people.hash_password(PASSWORD)
    for name in ("周明", "李静"):
        lunch.book(name, "Mon 10:00")
    with time_machine.travel(at("12:00"), tick=True):
        yield lunch


def ticket(lunch: LunchHour, name: str, station: str = "cbd") -> str:
    return f"https://lunch.example/manage/{station}/tickets/{lunch.latest(name).ticket}"


def film(path: Path, texts: list[str]) -> Path:
    """A camera's film (YUV4MPEG2) in which one QR code after the other is held up, for ever."""
    colours = bytes([128]) * (WIDE * HIGH // 2)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDE} H{HIGH} F10:1 Ip A1:1 C420jpeg\n".encode())
        for text in texts:
            picture = brightness(text)
            for _frame in range(FRAMES):
                file.write(b"FRAME\n" + picture + colours)
    return path


def brightness(text: str) -> bytes:
    """A white picture with the code in its middle, one byte for each pixel."""
    rows = [bytes(20 if dark else 235 for dark in row for _ in range(6)) for row in segno.make(text, error="m").matrix]
    above = (HIGH - 6 * len(rows)) // 2
    lines = [b"\xeb" * WIDE] * above + [row.center(WIDE, b"\xeb") for row in rows for _ in range(6)]
    return b"".join(lines + [b"\xeb" * WIDE] * (HIGH - len(lines)))


@contextmanager
def phone(browser: Browser, base_url: str, *arguments: str) -> Iterator[Page]:
    """A phone of its own, signed in as the manager."""
    with chromium.launch(browser.browser_type, *arguments) as own, chromium.opened(own, base_url) as page:
        page.add_init_script(COUNT_LOCKS)
        chromium.sign_in(page, "desk@example.com", PASSWORD, "/manage/cbd/scan")
        yield page


def taps_of(lunch: LunchHour) -> int:
    lunch.session.rollback()
    return len(lunch.session.scalars(select(DoorTap)).all())


def test_the_camera_sees_tickets_one_after_the_other(
    browser: Browser, live: str, lunch: LunchHour, tmp_path: Path
) -> None:
    seen = [ticket(lunch, "周明"), ticket(lunch, "周明", "west"), ticket(lunch, "李静")]
    reel = film(tmp_path / "tickets.y4m", seen)
    camera = (
        "--use-fake-ui-for-media-stream",  # who is asked for the camera says yes
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={reel}",
    )
    with phone(browser, live, *camera) as page:
        log = page.locator("#scan ol")
        page.get_by_role("button", name="打开摄像头").click()
        expect(log).to_contain_text("周明 · 签到了")
        expect(log).to_contain_text("这是别的驿站的票")
        expect(log).to_contain_text("李静 · 签到了")
        assert lunch.states("周明", "李静") == ["attended", "attended"]
        assert fits(page)
        assert page.evaluate("window.locks") >= 1
        assert taps_of(lunch) >= 2


def test_without_https_a_photo_does_what_the_camera_may_not(
    browser: Browser, make_app: Callable[..., Flask], lunch: LunchHour
) -> None:
    def app(url: str) -> Flask:
        return make_app(PUBLIC_URL=url.replace("127.0.0.1", "door.example"), WTF_CSRF_ENABLED=True)

    photo = io.BytesIO()
    segno.make(ticket(lunch, "周明")).save(photo, kind="png", scale=9, border=12)
    with serving(app) as url:
        there = url.replace("127.0.0.1", "door.example")
        with phone(browser, there, "--host-resolver-rules=MAP door.example 127.0.0.1") as page:
            expect(page.locator("[data-part=why]")).to_contain_text("这个网址不是 https")
            expect(page.get_by_role("button", name="打开摄像头")).to_be_hidden()
            files = {"name": "ticket.png", "mimeType": "image/png"}
            result, ours = page.locator("#scan .answer"), {**files, "buffer": photo.getvalue()}
            for answer in ("in", "undone", "in"):
                if answer == "undone":
                    result.get_by_role("button", name="撤销").click()
                else:
                    page.locator("input[type=file]").set_input_files([ours])
                    expect(page.locator("#scan .person")).to_have_text("周明")
                expect(result).to_have_attribute("data-answer", answer)
            page.context.set_offline(True)
            other = io.BytesIO()
            segno.make(ticket(lunch, "李静")).save(other, kind="png", scale=9, border=12)
            page.locator("input[type=file]").set_input_files([{**files, "buffer": other.getvalue()}])
            expect(page.locator("#scan .verdict")).to_have_text("没有网络，先记下了")
            page.context.set_offline(False)
            expect(page.locator("#scan .person")).to_have_text("李静")
            assert lunch.states("周明", "李静") == ["attended", "attended"]
            page.goto("/manage/cbd/door")
            page.get_by_role("button", name="把这个浏览器变成门口屏幕").click()
            page.get_by_role("button", name="确定").click()
            hint = page.locator("#awake")
            expect(hint).to_contain_text("屏幕可能会自己熄灭")
            hint.get_by_role("button").click()
            page.reload()
            expect(page.locator("#screen")).to_be_visible()
            expect(hint).to_be_hidden()
