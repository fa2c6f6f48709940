"""Screenshots of the station managers' guide: `.venv/bin/python -m tests.support.manual_pictures` makes them anew.

The demo station lives through the noon of a Monday: the desk in the morning, the door, a release, no attendance.
"""

import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import time_machine
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import select

import config
from booking import clock, demo, jobs, seats
from booking.app import create_app
from booking.db import transactions
from booking.extensions import db
from booking.model import Booking, Person, Slot
from tests.support import chromium, databases
from tests.support.live import serving
from tests.support.lunch_hour import at

FOLDER = config.ROOT / "docs" / "pictures"
KEY = "pictures-only-0123456789-abcdefghijklmnopqrstuvwxyz"
PASSWORD = "lunch-hour-demo"
WIDTHS = {"desk": 1100, "phone": 390}
EVERY = timedelta(minutes=2)  # no longer silence of the scheduler counts as an outage
HEAD = b"\x89PNG\r\n\x1a\n"


@dataclass
class Station:
    """The demo station, and the manager's browser."""

    app: Flask
    page: Page

    def open(self, path: str, width: str, height: int) -> None:
        self.page.set_viewport_size({"width": WIDTHS[width], "height": height})
        self.page.goto(f"/manage/cbd/{path}")
        self.page.wait_for_load_state("networkidle")

    def keep(self, name: str) -> None:
        shot = self.page.screenshot(caret="initial")  # to hide it Playwright adds a style, which our CSP refuses
        (FOLDER / f"{name}.png").write_bytes(smaller(shot))

    def tick(self) -> None:
        with self.app.app_context():
            jobs.tick(clock.now())

    def slot(self, title: str) -> int:
        """Today's slot of this activity."""
        with self.app.app_context():
            found = db.session.scalars(select(Slot).where(Slot.date == at("Mon 12:00").date())).all()
            return next(slot.id for slot in found if title in slot.activity.title)

    def check_in_all_but_one(self, slot_id: int) -> None:
        with self.app.app_context(), transactions.transaction(db.session) as session:
            manager = session.scalars(select(Person.id).where(Person.email == "manager@example.com")).one()
            mine = select(Booking.id).where(Booking.slot_id == slot_id, Booking.state == "booked").order_by(Booking.id)
            for booking_id in session.scalars(mine).all()[:-1]:
                seats.check_in(session, booking_id, clock.now(), manager)


def main() -> None:
    """Make every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium.launched() as browser:
        url = f"sqlite:///{folder}/lunch.sqlite3"
        databases.upgrade(databases.connect_engine(url))
        made: list[Flask] = []

        def make(address: str) -> Flask:
            made.append(_app(url, folder, address))
            return made[0]

        with serving(make) as address, moved("Mon 09:30"):
            with made[0].app_context(), transactions.transaction(db.session) as session:
                demo.load(session, clock.now())
            with chromium.opened(browser, address, device_scale_factor=1) as page:
                here = Station(made[0], page)
                morning(here)
                noon(here)


def morning(here: Station) -> None:
    """At the desk."""
    with moved("Mon 10:20"):
        sign_in(here.page)
        here.open("week", "desk", 560)
        here.keep("week")
        here.open("plans/new", "desk", 700)
        here.keep("plan")
        here.open("slots", "desk", 560)
        row = here.page.locator(f"#slot_row-{here.slot('书法')}")
        row.get_by_label("名额", exact=True).fill("3")
        row.locator(".size-form button").click()
        here.page.locator(".move-down").wait_for()
        here.keep("capacity")
        here.open("numbers", "desk", 700)
        here.keep("numbers")
        here.open("calendar", "desk", 760)
        here.keep("calendar")


def noon(here: Station) -> None:
    """At the door: at 12:00 all but one are checked in, at 12:10 nobody is."""
    slot_id, moment = here.slot("书法"), at("Mon 11:56")
    while moment <= at("Mon 12:16"):
        with time_machine.travel(moment, tick=True):
            here.tick()
            if moment == at("Mon 11:58"):
                here.check_in_all_but_one(slot_id)
                here.open(f"slots/{slot_id}", "phone", 844)
                here.keep("roster")
                here.open("", "phone", 844)
                here.keep("today")
            if moment == at("Mon 12:08"):
                late(here, slot_id)
        moment += EVERY
    with moved("Mon 12:17"):
        here.open("week", "phone", 760)
        here.keep("unattended")


def late(here: Station, slot_id: int) -> None:
    """After the release: who lost the seat, people at the door, strikes."""
    here.open(f"slots/{slot_id}?q=王", "phone", 844)
    here.page.evaluate("document.querySelector('.walk-in').scrollIntoView()")
    here.keep("walk-in")
    here.open(f"slots/{slot_id}", "phone", 844)
    gone = here.page.locator("details", has_text="不来的")
    gone.locator("summary").click()
    gone.scroll_into_view_if_needed()
    here.keep("late")
    with here.app.app_context():
        lost = select(Booking.person_id).where(Booking.slot_id == slot_id, Booking.state == "released")
        person_id = db.session.scalars(lost).first()
    here.open(f"people/{person_id}", "phone", 760)
    here.keep("strikes")


def sign_in(page: Page) -> None:
    page.goto("/account/sign-in?next=/manage/cbd/")
    page.get_by_label("邮箱").fill("manager@example.com")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/manage/cbd/")


@contextmanager
def moved(wall: str) -> Iterator[None]:
    with time_machine.travel(at(wall), tick=True):
        yield


def smaller(png: bytes) -> bytes:
    """The same picture, packed as well as zlib can: browsers pack screenshots in a hurry."""
    chunks, place = [], len(HEAD)
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        chunks.append((png[place + 4 : place + 8], png[place + 8 : place + 8 + length]))
        place += length + 12
    data = zlib.compress(zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT")), 9)
    parts = [(kind, body) for kind, body in chunks if kind == b"IHDR"] + [(b"IDAT", data), (b"IEND", b"")]
    return HEAD + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def _app(url: str, folder: str, address: str) -> Flask:
    env = {"SECRET_KEY": KEY, "DATABASE_URL": url, "INSTANCE_PATH": str(Path(folder)), "PUBLIC_URL": address}
    return create_app(config.load(env) | {"RATELIMIT_ENABLED": False, "CACHE_POLL_SECONDS": 0})


if __name__ == "__main__":
    main()
