"""Long words and what people typed, as staff sees them on a phone: nothing sticks out, nothing is written otherwise."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine
from playwright.sync_api import Browser, Page
from sqlalchemy.orm import Session

from booking import network, people
from booking.db import transactions
from booking.model import Person
from tests.support import chromium
from tests.support.lunch_hour import LunchHour, at, make_people
from tests.support.screens import fits
from tests.support.tree_cast import city_tree

pytestmark = pytest.mark.sqlite
PASSWORD = "noon-hour-at-the-station"


@pytest.fixture
def admin(session: Session, browser: Browser, live: str) -> Iterator[Page]:
    """何主任, whose address begins with a small letter, of a city with a long name."""
    city = city_tree(session)
    with transactions.transaction(session):
        person = session.get_one(Person, make_people(session, ["何主任"])["何主任"])
        person.email, person.password_hash, person.is_admin = "he@example.com", people.hash_password(PASSWORD), True
    node = city.node("bj")
    long = replace(network.NodeDetails(node.name, node.name_en), name="Llanfairpwllgwyngyll" * 4)
    network.change_node(session, node, long, at("Mon 09:00"), None)
    with time_machine.travel(at("Mon 11:00"), tick=True), chromium.opened(browser, live) as page:
        chromium.sign_in(page, "he@example.com", PASSWORD, f"/admin/people/{person.id}")
        yield page


def test_an_address_is_shown_as_it_is_written_and_a_long_name_is_broken(admin: Page) -> None:
    address = admin.get_by_text("he@example.com", exact=True)
    assert address.evaluate("one => getComputedStyle(one, '::first-letter').textTransform") == "none"
    for path in ("/net/bj/history", "/net/bj/people", "/net/bj/units", "/net/bj"):
        admin.goto(path)
        assert fits(admin), path


def test_a_manager_reads_a_long_surname_and_a_wrong_address_in_large_text_and_on_a_narrow_phone(
    session: Session, browser: Browser, live: str
) -> None:
    lunch = LunchHour(session)
    with transactions.transaction(session):
        session.get_one(Person, lunch.people["周明"]).name = "Wolfeschlegelsteinhausenberger"
        manager = session.get_one(Person, lunch.manager_id)
        manager.email, manager.password_hash = "lin@example.com", people.hash_password(PASSWORD)
    lunch.book("周明", "Mon 10:00")
    history, nothing = f"/manage/cbd/history?person={lunch.people['周明']}", "/manage/cbd/slots/999999"
    with time_machine.travel(at("Mon 11:00"), tick=True), chromium.opened(browser, live) as page:
        chromium.sign_in(page, "lin@example.com", PASSWORD, "/manage/cbd/people")
        for path in (history, nothing):
            page.goto(path)
            for width, text in ((390, "200%"), (320, "100%")):
                page.set_viewport_size({"width": width, "height": 844})
                page.evaluate("(text) => { document.documentElement.style.fontSize = text }", text)
                assert fits(page), (path, width)
