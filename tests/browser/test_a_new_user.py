"""A new worker's first days in Chromium: register, be late, wait, book, give up, come back. Every step is a picture.

Steps find their way by what a thumb finds (the one black button, the tab), so that both languages walk the same way.
"""

import re
from collections.abc import Iterator

import pytest
import time_machine
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Activity, Booking, Letter, Person, Station, Zone
from tests.support import chromium
from tests.support.lunch_hour import LunchHour, at
from tests.support.screens import picture
from tests.support.snapshots import seed_workdays

EMAIL = "xin.lai@example.com"
DAY = "/s/cbd?day=2026-11-24"

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two slots on Tuesday: yoga with two seats, and the same an hour later."""
    with transactions.transaction(session):
        seed_workdays(session)
    lunch = LunchHour(session, capacity=2)
    lunch.slot("13:10", 12)
    with transactions.transaction(session) as rows:
        station, zone = rows.scalars(select(Station)).one(), rows.scalars(select(Zone)).first()
        station.name, station.name_en = "白领驿站 · 国贸", "Guomao Station"
        assert zone
        zone.name, zone.name_en = "健身区", "Fitness area"
        yoga = rows.scalars(select(Activity)).one()
        yoga.title_en, yoga.bring, yoga.bring_en = "Yoga at noon", "瑜伽垫", "a yoga mat"
    return lunch


class Walk:
    """One new worker on the way; `stop` keeps a picture of where they stand."""

    def __init__(self, page: Page, lunch: LunchHour, name: str) -> None:
        self.page, self.lunch, self.name, self.stops = page, lunch, name, 0
        self._travel: time_machine.travel | None = None

    def clock(self, wall: str) -> None:
        self.end()
        self._travel = time_machine.travel(at(wall), tick=True)
        self._travel.start()

    def end(self) -> None:
        if self._travel:
            self._travel.stop()
            self._travel = None

    def stop(self, what: str) -> None:
        self.stops += 1
        picture(self.page, "walk", self.name, f"{self.stops:02}", what, whole=False)

    def mailed_code(self) -> str:
        self.lunch.session.rollback()
        newest = select(Letter).where(Letter.kind == "code").order_by(Letter.id.desc()).limit(1)
        return str(self.lunch.session.scalars(newest).one().details["code"])

    def state(self, slot_id: int | None = None) -> str:
        self.lunch.session.rollback()
        mine = select(Booking.state).join(Person, Person.id == Booking.person_id).where(Person.email == EMAIL)
        mine = mine.where(Booking.slot_id == (slot_id or self.lunch.slot_id)).order_by(Booking.id.desc()).limit(1)
        return self.lunch.session.scalars(mine).one()


@pytest.fixture
def walks() -> Iterator[list[Walk]]:
    made: list[Walk] = []
    yield made
    for walk in made:
        walk.end()


@pytest.mark.parametrize(
    ("locale", "script"),
    [
        ("zh-CN", True),
        ("en-GB", False),
        pytest.param("zh-CN", False, marks=pytest.mark.whole),
        pytest.param("en-GB", True, marks=pytest.mark.whole),
    ],
)
def test_the_first_days_of_a_new_worker(
    browser: Browser, live: str, lunch: LunchHour, walks: list[Walk], locale: str, script: bool
) -> None:
    calm = {"device_scale_factor": 1, "reduced_motion": "reduce"}
    with chromium.opened(browser, live, locale=locale, java_script_enabled=script, **calm) as page:
        walk = Walk(page, lunch, f"{locale[:2]}{'' if script else '-plain'}")
        walks.append(walk)
        registers(walk)
        is_late(walk)
        waits(walk)
        moves_up(walk)
        gives_up(walk)
        comes_back(walk)


def registers(walk: Walk) -> None:
    """A colleague's link, before the opening: what one needs now is an account, and the page says so."""
    page = walk.page
    walk.clock("Mon 09:52")
    page.goto(DAY)
    walk.stop("a-colleagues-link")
    page.locator("#day a[href*='sign-in']").first.click()
    walk.stop("sign-in")
    page.locator("main a[href*='register']").click()
    page.wait_for_url(re.compile("/account/register"))
    page.locator("[name=email]").fill(EMAIL)
    walk.stop("register")
    page.locator("main form button").click()
    page.wait_for_url("**/register/finish")
    walk.stop("code")
    page.locator("[name=code]").fill(walk.mailed_code())
    page.locator("[name=name]").fill("新来的小何")
    page.locator("[name=password]").fill("noon-at-the-station")
    page.locator("[name=agree]").check()
    page.locator("main form button").click()
    page.wait_for_url(re.compile(re.escape(DAY)))  # back where it began, not at an account page
    walk.stop("back-at-the-day")


def is_late(walk: Walk) -> None:
    page, lunch = walk.page, walk.lunch
    walk.clock("Mon 10:00")
    page.reload()
    walk.stop("open")
    for who in ("李静", "王磊", "孙悦"):
        lunch.book(who, "Mon 10:00:03")
    card = page.locator(f"#slot-card-{lunch.slot_id}")
    card.locator("form .button").click()
    expect(card).to_have_attribute("data-mine", "waiting")
    if page.context.browser and walk.name.count("plain") == 0:
        expect(card.locator("[data-outcome]")).to_be_focused()
    walk.stop("late-second-in-line")
    assert walk.state() == "waiting"


def waits(walk: Walk) -> None:
    page = walk.page
    page.locator(".tabs a[href='/me']").click()
    expect(page.locator("#mine [data-mine=waiting]")).to_be_visible()
    walk.stop("waiting")
    page.locator("#mine [data-mine=waiting] .what").click()
    walk.stop("the-slot-that-is-waited-for")


def moves_up(walk: Walk) -> None:
    page, lunch = walk.page, walk.lunch
    walk.clock("Mon 15:00")
    lunch.give_up("李静", "Mon 15:00")
    lunch.give_up("王磊", "Mon 15:01")
    assert walk.state() == "booked"
    page.goto("/me")
    expect(page.locator(".ticket .qr svg")).to_be_visible()
    walk.stop("moved-up-ticket")
    page.goto(DAY)
    walk.stop("the-day-with-a-seat")


def gives_up(walk: Walk) -> None:
    page = walk.page
    page.goto("/me")
    page.locator(".ticket summary").click()
    walk.stop("giving-up-asks")
    page.locator(".ticket .fold button").click()
    expect(page.locator("#mine [data-outcome]")).to_be_visible()
    walk.stop("given-up")
    assert walk.state() == "cancelled"


def comes_back(walk: Walk) -> None:
    page = walk.page
    page.locator(".tabs a[href='/']").click()
    expect(page.locator("#day")).to_be_visible()
    card = page.locator(f"#slot-card-{walk.lunch.slot_id}")
    if not card.count():
        page.goto(DAY)
    walk.stop("back-again")
    card.locator("form .button").click()
    expect(card).to_have_attribute("data-mine", "booked")
    walk.stop("booked-again")
    assert walk.state() == "booked"
