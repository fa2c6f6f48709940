"""Privacy notice: its page, the way to it, and the consent that is asked for once and stops nobody."""

import re

import pytest
from flask import Flask
from sqlalchemy import Update, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import invariants, people
from booking.db import transactions
from booking.invariants.privacy_consent import consents
from booking.model import Consent, Event, Person
from booking.people import consent
from booking.web.worker import station_list
from tests.support.desk_cast import Desk
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import Phone, words_of

pytestmark = pytest.mark.sqlite
LATER = "Mon 10:05"
OPEN = ["/s/cbd", "/slots/{slot}", "/stations", "/account/sign-in", "/account/register", "/privacy", "/no", "/offline"]
OWN = ["/me", "/account/", "/door/cbd/in"]


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def asks(phone: Phone, *paths: str) -> list[bool]:
    """Which pages remind of the notice."""
    return ["data-owes-consent" in phone.get(path, LATER).text for path in paths]


def asked_for(phone: Phone) -> str:
    """The version that the notice asks to agree to; empty when it does not ask."""
    page = phone.get("/privacy", LATER).text
    found = re.search(r'action="/account/consent".*?name="version" value="([\d-]+)"', page, re.DOTALL)
    return found[1] if found else ""


def versions(lunch: LunchHour) -> list[str]:
    lunch.session.rollback()
    return list(lunch.session.scalars(select(Consent.version).order_by(Consent.version)))


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("zh", ["验证码 15 分钟内有效；验证码和输错的次数存 1 天。", "没约上的记录存 60 天。", "发出的邮件存 30 天"]),
        (
            "en",
            [
                "A code works for 15 min; codes and wrong tries are stored for 1 day.",
                "no seat: 60 days.",
                "after 180 days",
            ],
        ),
    ],
)
def test_it_says_how_long_by_the_numbers_of_the_code(
    app: Flask, lunch: LunchHour, language: str, sentences: list[str]
) -> None:
    page = words_of(Phone(app, lunch).get("/privacy", LATER, headers={"Accept-Language": language}).text)
    assert [sentence for sentence in [*sentences, people.PRIVACY_VERSION] if sentence not in page] == []


def test_it_is_linked_from_every_pages_foot(app: Flask, lunch: LunchHour) -> None:
    stranger, worker, desk = Phone(app, lunch), Phone(app, lunch, "周明"), Desk(app, lunch)
    pages = {path: stranger.get(path.format(slot=lunch.slot_id), LATER).text for path in OPEN}
    pages |= {path: worker.get(path, LATER).text for path in OWN}
    pages["manager"] = desk.get("", LATER).text
    foot = re.compile(r'<footer class="foot[^>]*><a href="/privacy">')
    assert [path for path, page in pages.items() if not foot.search(page)] == []


def test_an_error_page_without_the_database_has_it_too(
    app: Flask, lunch: LunchHour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> str:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(station_list, "stations", gone)
    monkeypatch.setitem(app.view_functions, "worker.stations", gone)
    answer = Phone(app, lunch).get("/stations", LATER)
    assert (answer.status_code, 'href="/privacy"' in answer.text) == (503, True)


def test_who_never_agreed_is_asked_on_their_own_pages_and_may_book_meanwhile(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    assert asks(phone, "/me", "/account/") == [True, True]
    assert "data-owes-consent" in Desk(app, lunch).get("", LATER).text
    assert asked_for(Phone(app, lunch)) == ""
    phone.book(LATER)
    assert lunch.state("周明") == "booked"
    for _twice in range(2):
        answer = phone.post("/account/consent", LATER, data={"version": people.PRIVACY_VERSION})
    assert (answer.request.path, asked_for(phone)) == ("/privacy", "")
    assert asks(phone, "/me", "/account/") == [False, False]
    assert versions(lunch) == [people.PRIVACY_VERSION]
    written = lunch.session.scalars(select(Event).where(Event.kind == "privacy_agreed")).one()
    assert (written.person_id, written.actor_id) == (lunch.people["周明"], lunch.people["周明"])


def test_a_new_text_is_asked_about_again(app: Flask, lunch: LunchHour, monkeypatch: pytest.MonkeyPatch) -> None:
    phone, old = Phone(app, lunch, "周明"), people.PRIVACY_VERSION
    phone.post("/account/consent", LATER, data={"version": old})
    for module in (consent, people):
        monkeypatch.setattr(module, "PRIVACY_VERSION", "2027-01-01")
    assert asked_for(phone) == "2027-01-01"
    phone.post("/account/consent", LATER, data={"version": old})  # a page from before
    assert asked_for(phone) == "2027-01-01"
    phone.post("/account/consent", LATER, data={"version": "2027-01-01"})
    assert (asked_for(phone), versions(lunch)) == ("", [old, "2027-01-01"])


def test_it_is_exported_and_goes_with_the_account(lunch: LunchHour) -> None:
    who, now = lunch.people["周明"], at(LATER)
    people.agree(lunch.session, who, people.PRIVACY_VERSION, now)
    (kept,) = people.everything_about(lunch.session, who)["consents"]
    assert kept["version"] == people.PRIVACY_VERSION
    people.delete_account(lunch.session, who, now)
    assert versions(lunch) == []


CHANGES = [
    (update(Event).where(Event.kind == "privacy_agreed").values(kind="signed_in"), "none"),
    (update(Person).values(deleted_at=at(LATER)), "deleted"),
]


@pytest.mark.parametrize(("change", "says"), CHANGES)
def test_the_check_compares_it_with_the_history(lunch: LunchHour, change: Update, says: str) -> None:
    who = lunch.people["周明"]
    people.agree(lunch.session, who, people.PRIVACY_VERSION, at(LATER))
    assert invariants.breaches(lunch.session, at(LATER), (consents,)) == []
    with transactions.transaction(lunch.session) as rows:
        rows.execute(change)
    assert invariants.breaches(lunch.session, at(LATER), (consents,)) == [
        f"I7 person {who}: a consent, its history says {says}"
    ]
