"""Idempotency: the same booking again, and the same key with another body: over HTTP, by script and by plain forms."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import people
from booking.db import transactions
from booking.model import Base, Booking, Event, Letter, Slot, Try
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, card_in, words_of

pytestmark = pytest.mark.both
KEPT: tuple[type[Base], ...] = (Booking, Event, Letter, Slot, Try)
NO = {
    "zh_Hans_CN": "这次点击是给另一场的，没有生效，什么也没有改变。 还想要的话，请再按一次。",
    "en": "That press was meant for another slot. Nothing was changed. If you want it, press again.",
}
PLACE = {"zh_Hans_CN": "你已经在候补了，排在第 1 位", "en": "You are on the waiting list already, at no. 1"}
GIVEN_UP = {
    "zh_Hans_CN": "之前已经取消过了，这次什么也没有改变",
    "en": "You gave this up before. Nothing has changed now",
}
ENDED = {
    "zh_Hans_CN": "这一场已经取消，你的预约也一起取消了。",
    "en": "This session was cancelled and your booking with it; there is nothing left to cancel.",
}
Press = Callable[[Phone, int, str], TestResponse]


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday at 12:10; they open on Monday at 10:00."""
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def speak(lunch: LunchHour, language: str) -> None:
    with transactions.transaction(lunch.session) as session:
        people.speak(session, lunch.people["周明"], language, at("Mon 08:00"))


def rows(lunch: LunchHour) -> dict[str, list[str]]:
    """All that a booking could change, except the version that lets two requests of a person notice each other."""
    lunch.session.rollback()
    found = {table.__tablename__: lunch.session.execute(select(*table.__table__.c)) for table in KEPT}
    return {name: sorted(map(str, every)) for name, every in found.items()}


def by_script(back: str, path: str = "") -> Press:
    def press(phone: Phone, slot_id: int, key: str) -> TestResponse:
        form = {"back": back, "key": key}
        return phone.post(f"/slots/{slot_id}/book{path}", "Mon 10:01", data=form, headers=HTMX)

    return press


def by_form(back: str) -> Press:
    def press(phone: Phone, slot_id: int, key: str) -> TestResponse:
        return phone.book("Mon 10:01", slot_id, back=back, key=key)

    return press


PRESSES = {
    "a card by script": by_script("day"),
    "a card by script, through Flask": by_script("day", "?whole"),
    "the slot's page by script": by_script("slot"),
    "a card by form": by_form("day"),
    "the slot's page by form": by_form("slot"),
}


def part(answer: TestResponse, slot_id: int) -> str:
    """The markup of the slot that was booked."""
    found = re.search(rf'<(article|section) [^>]*data-slot="{slot_id}".*?</\1>', answer.text, re.DOTALL)
    assert found, answer.text
    return found[0]


@pytest.mark.pairs
@pytest.mark.parametrize("press", PRESSES.values(), ids=PRESSES)
@pytest.mark.parametrize("first", ["booked", "waiting"])
def test_the_key_of_one_slot_with_another_one_changes_nothing_and_says_so(
    app: Flask, lunch: LunchHour, first: str, press: Press
) -> None:
    if first == "waiting":
        lunch.book("李静", "Mon 10:00")
        lunch.book("王磊", "Mon 10:00")
    other = lunch.slot("Tue 15:10", station_id=lunch.other_station())  # no limit excludes one of them
    assert lunch.book("周明", "Mon 10:00", key="k") == first
    phone = Phone(app, lunch, "周明")
    for language in (*NO, *NO):  # the second time as the first, whatever was cached
        speak(lunch, language)
        before = rows(lunch)
        answer = press(phone, other, "k")
        by_htmx = "<html" not in answer.text
        assert answer.status_code == (409 if by_htmx else 200)
        assert len(answer.history) == (0 if by_htmx else 1)  # a plain form is redirected to a page
        said = part(answer, other)
        assert 'data-refusal="key_reused"' in said
        assert NO[language] in words_of(said)
        assert "data-mine" not in said
        assert rows(lunch) == before
        with_new_key = re.search(r'name="key" value="([^"]+)"', said)
        assert with_new_key, "the card has a button whose press counts"
    assert with_new_key[1] != "k"
    press(phone, other, with_new_key[1])
    assert lunch.states("周明", slot_id=other) == ["booked"]


def test_another_person_may_use_the_same_key(app: Flask, lunch: LunchHour) -> None:
    other = lunch.slot("15:10")
    for who, slot_id in (("周明", lunch.slot_id), ("李静", other)):
        answer = Phone(app, lunch, who).book("Mon 10:01", slot_id, key="k")
        assert card_in(answer.text, slot_id).data["mine"] == "booked"


@pytest.mark.parametrize("press", PRESSES.values(), ids=PRESSES)
def test_joining_the_waiting_list_again_is_the_same_place(app: Flask, lunch: LunchHour, press: Press) -> None:
    lunch.book("李静", "Mon 10:00")
    lunch.book("王磊", "Mon 10:00")
    phone = Phone(app, lunch, "周明")
    press(phone, lunch.slot_id, "k")
    for language, said in PLACE.items():
        speak(lunch, language)
        before = rows(lunch)
        for key in ("k", "k", "another", ""):  # a new page has other keys
            answer = part(press(phone, lunch.slot_id, key), lunch.slot_id)
            assert said in words_of(answer)
            assert 'data-mine="waiting"' in answer
        assert rows(lunch) == before


def test_a_reloaded_deferred_booking_tells_the_waiting_list_position(app: Flask, lunch: LunchHour) -> None:
    for who in ("李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    phone = Phone(app, lunch, "周明")
    carried = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 09:59:59", follow=False).headers["Location"]
    for said in ("你排在第 1 位", "你已经在候补了，排在第 1 位"):
        assert said in words_of(phone.get(carried, "Mon 10:00:01", follow_redirects=True).text)


# Cancelling: its key is the booking


@pytest.mark.pairs
@pytest.mark.parametrize("back", ["me", "slot", "day"])
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["by script", "by form"])
def test_an_old_give_up_sent_again_leaves_the_new_booking_alone(
    app: Flask, lunch: LunchHour, back: str, headers: dict[str, str]
) -> None:
    lunch.book("周明", "Mon 10:00", key="k")
    old = f"/bookings/{lunch.latest('周明').id}/give-up"
    lunch.give_up("周明", "Mon 10:01")
    lunch.book("周明", "Mon 10:02", key="other")
    phone = Phone(app, lunch, "周明")
    for language, said in GIVEN_UP.items():
        speak(lunch, language)
        before = rows(lunch)
        for key in ("k", "other"):  # no key says which booking is meant
            form = {"back": back, "warned": "1", "key": key}
            answer = phone.post(old, "Mon 10:03", data=form, headers=headers)
            assert (answer.status_code, len(answer.history)) == (200, 0 if headers else 1)
            assert said in words_of(answer.text)
            assert 'data-mine="booked"' in part(answer, lunch.slot_id)
        assert rows(lunch) == before


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["by script", "by form"])
def test_cancelling_a_booking_of_a_cancelled_slot_says_so(
    app: Flask, lunch: LunchHour, headers: dict[str, str]
) -> None:
    lunch.book("周明", "Mon 10:00")
    lunch.cancel("Mon 10:01")
    way = f"/bookings/{lunch.latest('周明').id}/give-up"
    phone = Phone(app, lunch, "周明")
    for language, said in ENDED.items():
        speak(lunch, language)
        before = rows(lunch)
        answer = phone.post(way, "Mon 10:02", data={"back": "me"}, headers=headers)
        assert (answer.status_code, len(answer.history)) == ((409, 0) if headers else (200, 1))
        assert 'data-refusal="ended_by_station"' in answer.text
        assert said in words_of(answer.text)
        assert rows(lunch) == before


@pytest.mark.parametrize("act", ["slots/{slot}/book", "slots/{slot}/standby", "bookings/{booking}/give-up"])
def test_a_get_of_an_actions_address_leads_back_and_does_nothing(app: Flask, lunch: LunchHour, act: str) -> None:
    """Where a plain form got no answer, the browser stays at the form's address."""
    lunch.book("周明", "Mon 10:00")
    ids = {"slot": lunch.slot_id, "booking": lunch.latest("周明").id}
    phone = Phone(app, lunch, "周明")
    before = rows(lunch)
    answer = phone.get("/" + act.format(**ids), "Mon 10:01", follow_redirects=True)
    assert answer.status_code == 200
    assert 'data-mine="booked"' in part(answer, lunch.slot_id)
    assert rows(lunch) == before
