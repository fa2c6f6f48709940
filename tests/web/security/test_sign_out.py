"""Sign-out takes effect at once in every process: nothing that another one has cached is served any more."""

from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.model import Person
from booking.people.sign_ins import begin
from tests.support.cookies import carry
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, card_in

pytestmark = pytest.mark.both
CLOCK = "Mon 10:01"
DAY = "/s/cbd?day=2026-11-24"
OWN = ["/me", "/account/", "/account/calendar", "/account/export", "/bookings/{booking}/calendar.ics"]
MANAGERS = [
    "/manage/cbd/",
    "/manage/cbd/slots/{slot}",
    "/manage/cbd/slots/{slot}/export",
    "/manage/cbd/bookings/export",
]


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    return lunch


@pytest.fixture
def two(make_app: Callable[..., Flask]) -> tuple[Flask, Flask]:
    """Two processes on one database that poll the change feed only when they must."""
    return make_app(CACHE_POLL_SECONDS=1000), make_app(CACHE_POLL_SECONDS=1000)


def phones(two: tuple[Flask, Flask], lunch: LunchHour, person_id: int) -> tuple[Phone, Phone]:
    """One browser, whose requests go to one process or the other."""
    with transactions.transaction(lunch.session) as session:
        token = begin(session, session.get_one(Person, person_id), "phone", at("Mon 08:00"))
    found = Phone(two[0], lunch), Phone(two[1], lunch)
    for phone in found:
        carry(phone.client, token, at("Mon 08:00"))
    return found


def sign_out(here: Phone) -> None:
    assert here.post("/account/sign-out", CLOCK, follow=False).status_code == 303


@pytest.mark.parametrize(("who", "paths"), [("周明", OWN), ("", MANAGERS)])
def test_pages_and_downloads_close_at_once(
    two: tuple[Flask, Flask], lunch: LunchHour, who: str, paths: list[str]
) -> None:
    here, there = phones(two, lunch, lunch.people[who] if who else lunch.manager_id)
    addresses = [path.format(booking=lunch.latest("周明").id, slot=lunch.slot_id) for path in paths]
    for _ in range(2):
        assert {path: there.get(path, CLOCK).status_code for path in addresses} == dict.fromkeys(addresses, 200)
    sign_out(here)
    for path in addresses:
        assert "/account/sign-in" in there.get(path, CLOCK).headers["Location"]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "poll"])
def test_a_cached_personal_page_closes_at_once(
    two: tuple[Flask, Flask], lunch: LunchHour, headers: dict[str, str]
) -> None:
    here, there = phones(two, lunch, lunch.people["周明"])
    for _ in range(3):
        seen = there.get(DAY, CLOCK, headers=headers)
        assert card_in(seen.text, lunch.slot_id).data["mine"] == "booked"
    knows = headers | {"If-None-Match": seen.headers["ETag"]} if headers else headers
    for _ in range(2):
        assert there.get(DAY, CLOCK, headers=knows).status_code == (304 if headers else 200)
    sign_out(here)
    two[1].extensions["cache"].news.look(at_once=bool(headers))  # which every process does twice a second
    for asked in (knows, headers):
        after = there.get(DAY, CLOCK, headers=asked)
        assert after.status_code == 200
        assert "mine" not in card_in(after.text, lunch.slot_id).data


def test_until_the_sign_out_is_noticed_a_poll_says_nothing(two: tuple[Flask, Flask], lunch: LunchHour) -> None:
    """That what the phone shows is what it was sent last is no secret; anything else is."""
    here, there = phones(two, lunch, lunch.people["周明"])
    tag = there.get(DAY, CLOCK, headers=HTMX).headers["ETag"]
    assert there.get(DAY, CLOCK, headers=HTMX | {"If-None-Match": tag}).status_code == 304
    sign_out(here)
    known, unknown = (there.get(DAY, CLOCK, headers=HTMX | {"If-None-Match": one}) for one in (tag, '"0-0-0"'))
    assert (known.status_code, known.text) == (304, "")
    assert "mine" not in card_in(unknown.text, lunch.slot_id).data


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "poll"])
def test_a_shared_cached_page_allows_no_action(
    two: tuple[Flask, Flask], lunch: LunchHour, headers: dict[str, str]
) -> None:
    """A shared page may be served for another moment, since it shows nothing of the person's. An action on it is
    checked."""
    here, there = phones(two, lunch, lunch.people["李静"])
    for _ in range(3):
        there.get(DAY, CLOCK, headers=headers)
    sign_out(here)
    kept = there.get(DAY, CLOCK, headers=headers).text
    assert "mine" not in card_in(kept, lunch.slot_id).data
    answer = there.post(f"/slots/{lunch.slot_id}/book", CLOCK, follow=False, data={"back": "day"}, headers=headers)
    assert "/account/sign-in" in answer.headers["HX-Redirect" if headers else "Location"]
    lunch.session.rollback()
    assert lunch.do(lambda _session: lunch.latest("周明").state) == "booked"


def test_a_disabled_person_is_signed_out_everywhere(two: tuple[Flask, Flask], lunch: LunchHour) -> None:
    _here, there = phones(two, lunch, lunch.people["周明"])
    for _ in range(3):
        there.get(DAY, CLOCK)
    with time_machine.travel(at(CLOCK), tick=False), transactions.transaction(lunch.session) as session:
        people.end_sign_ins(session, lunch.people["周明"], at(CLOCK))
    assert "mine" not in card_in(there.get(DAY, CLOCK).text, lunch.slot_id).data
