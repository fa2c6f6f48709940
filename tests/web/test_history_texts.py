"""History texts: every kind of event has a sentence, and every page that reads the history can show it."""

import html
import re
from itertools import product
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import stations
from booking.db import transactions
from booking.mail import previews
from booking.model import Event, Person
from booking.stations import Details
from booking.web.history_texts import OF_BOOKINGS, OF_PEOPLE, OF_SLOTS, said
from tests.support import event_kinds
from tests.support.desk_cast import Desk
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import when

pytestmark = pytest.mark.sqlite
# Details as the code writes them today, as it wrote them once, and as it may one day.
ANY: tuple[dict[str, Any], ...] = (
    {},
    {"changed": {"name": ["旧", "新"], "capacity": ["10", ""], "gone": ["", "x"]}, "name": "瑜伽"},
    {"changed": ["name", "address", "gone"]},
    {"changed": []},
    {"date": "2026-12-04", "skip": True},
    {"swapped_for": 7},
)
OF_ONE: dict[str, tuple[dict[str, Any], ...]] = {
    "policy": ({"was": {"days_ahead": 7, "gone": 1}, "became": {"days_ahead": 14}}, {"was": {}, "became": {}}),
    "capacity": ({"was": 3, "capacity": 5}, {"capacity": 5}),
}
LANGUAGES = ("zh_Hans_CN", "en")


def test_every_kind_that_the_code_writes_has_a_sentence_and_every_sentence_a_kind() -> None:
    assert {*OF_BOOKINGS, *OF_SLOTS, *OF_PEOPLE} == event_kinds.written()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_said_in_words_whatever_its_details_are(app: Flask, language: str) -> None:
    with app.test_request_context(), force_locale(language):
        for kind in sorted(event_kinds.written()):
            for details, booking_id in product(ANY + OF_ONE.get(kind, ()), (None, 1)):
                words = said(Event(kind=kind, details=details, booking_id=booking_id, reason="停电"))
                assert words, kind
                assert not words.startswith(kind), f"{kind} {details}: {words}"
                assert "gone" not in words or kind == "policy"


PAST = re.compile(
    r"\b(\w+ed|was|were|began|came|did|got|kept|left|said|saw|took|withdrew|wrote|undid)\b", re.IGNORECASE
)


def test_every_sentence_is_in_the_past_in_both_languages(app: Flask) -> None:
    texts = [*OF_BOOKINGS.values(), *OF_SLOTS.values(), *OF_PEOPLE.values()]
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        assert [str(text) for text in texts if "了" not in str(text)] == []
    with app.test_request_context(), force_locale("en"):
        assert [str(text) for text in texts if not PAST.search(str(text)) or not str(text)[0].isupper()] == [
            "“Everybody came” was undone"
        ]


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """A lunch hour with each kind of event at the station, the slot and a booking: no more than a page shows."""
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    with transactions.transaction(session):
        booking_id = lunch.latest("周明").id
        of = {"station_id": lunch.station_id, "actor_id": lunch.manager_id, "person_id": lunch.people["周明"]}
        places: list[dict[str, int]] = [
            {},
            {"slot_id": lunch.slot_id},
            {"slot_id": lunch.slot_id, "booking_id": booking_id},
        ]
        for number, (kind, on) in enumerate(product(sorted(event_kinds.written()), places)):
            told = (ANY + OF_ONE.get(kind, ()))[number % (5 + len(OF_ONE.get(kind, ())))]
            session.add(Event(kind=kind, at=at("Mon 10:30"), details=told, reason="停电", **of, **on))
    return lunch


PAGES = (
    "history", "history?slot={slot}", "history?person={person}", "history?day=2026-11-23", "slots/{slot}",
    "slots/{slot}/print", "slots/{slot}/export", "running", "people/{person}", "numbers", "put-away", "slots",
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_shows_every_kind(lunch: LunchHour, app: Flask, language: str) -> None:
    desk = speaking(app, lunch, language)
    things = {"slot": lunch.slot_id, "person": lunch.people["周明"]}
    answers = {path: desk.get(path.format(**things)).status_code for path in PAGES}
    assert set(answers.values()) == {200}, answers
    own = Desk(app, lunch, lunch.people["周明"])
    with time_machine.travel(when("Mon 11:00"), tick=False):
        for path in ("/me", "/s/cbd", "/account/", f"/slots/{lunch.slot_id}"):
            assert own.client.get(path).status_code == 200, path
        told = own.client.get("/account/export").get_json()
    assert {line["kind"] for line in told["history"]} >= event_kinds.written()


@pytest.mark.parametrize("kind", ["worker", "manager"])
def test_the_digests_accept_every_kind(lunch: LunchHour, app: Flask, kind: str) -> None:
    with app.app_context(), time_machine.travel(when("Tue 11:05"), tick=False):
        station = lunch.now().station
        assert list(previews.lines(lunch.session, kind, station, at("Tue 11:05"), whole=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_history_tells_what_an_admin_changed(lunch: LunchHour, app: Flask, language: str) -> None:
    details = Details(name="新名字", address="建国路 1 号")
    with transactions.transaction(lunch.session) as session:
        stations.change_station(session, lunch.station_id, details, at("Mon 11:00"), lunch.manager_id)
    words = html.unescape(speaking(app, lunch, language).get("history", "Mon 12:00").text)
    assert "cbd 白领驿站 → 新名字" in words
    assert "— → 建国路 1 号" in words


def speaking(app: Flask, lunch: LunchHour, language: str) -> Desk:
    with transactions.transaction(lunch.session) as session:
        for person in session.scalars(select(Person)):
            person.language = language
    return Desk(app, lunch)
