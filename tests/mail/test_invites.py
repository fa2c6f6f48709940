"""Invites: the calendar file of a letter, about a seat that its reader has or has no longer."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from flask import Flask
from icalendar import Calendar, Event
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.mail import invites, rendering
from booking.model import Person
from tests.support import letter_cast
from tests.support.letter_cast import Letters
from tests.support.lunch_hour import at

KEEPS, LOSES = ("confirmed", "promoted", "calendar", "slot_moved"), ("moved_down", "slot_cancelled")


def posted(app: Flask, session: Session, kind: str) -> EmailMessage:
    letter, now = letter_cast.make(session, kind)
    with app.app_context():
        raw = rendering.compose(session, letter, now).mime
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def files(message: EmailMessage) -> list[EmailMessage]:
    return [part for part in message.walk() if part.get_content_type() == "text/calendar"]  # type: ignore[misc]


def event_in(file: EmailMessage) -> Event:
    (event,) = Calendar.from_ical(file.get_content()).events
    return event


@pytest.mark.parametrize("kind", [*KEEPS, *LOSES])
def test_a_letter_about_a_seat_carries_its_event(app: Flask, session: Session, kind: str) -> None:
    (file,) = files(posted(app, session, kind))
    method, status = ("PUBLISH", "CONFIRMED") if kind in KEEPS else ("CANCEL", "CANCELLED")
    assert (file["Content-Type"].params["method"], file.get_filename()) == (method, "lunch-hour.ics")
    calendar = Calendar.from_ical(file.get_content())
    assert calendar["METHOD"] == method
    event = event_in(file)
    assert event["STATUS"] == status
    assert event["ORGANIZER"] == "mailto:lunch-hour@localhost"
    assert event["URL"].startswith("http://localhost/slots/")


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", sorted(set(letter_cast.KINDS) - {*KEEPS, *LOSES}))
def test_a_letter_about_no_seat_of_ones_own_carries_none(app: Flask, session: Session, kind: str) -> None:
    assert files(posted(app, session, kind)) == []


def invited(app: Flask, cast: Letters, kind: str, who: str) -> Event | None:
    with app.app_context():
        invite = invites.with_letter(cast.session, cast.letter(kind, who))
    return Calendar.from_ical(invite.content).events[0] if invite else None


def test_the_same_event_is_taken_back_with_a_higher_number(app: Flask, session: Session) -> None:
    cast = Letters(session)
    cast.full_tuesday()
    first = invited(app, cast, "confirmed", "林晓")
    cast.do(slots.cancel, cast.yoga, "停电", at("Mon 18:00"), cast.manager_id)
    last = invited(app, cast, "slot_cancelled", "林晓")
    assert first is not None
    assert last is not None
    assert first["UID"] == last["UID"]
    assert last["SEQUENCE"] > first["SEQUENCE"]


def test_who_only_waited_has_no_event_to_lose(app: Flask, session: Session) -> None:
    cast = Letters(session)
    cast.full_tuesday()
    cast.do(slots.cancel, cast.yoga, "停电", at("Mon 18:00"), cast.manager_id)
    assert invited(app, cast, "slot_cancelled", "王磊") is None


def test_a_late_letter_never_brings_a_lost_seat_back(app: Flask, session: Session) -> None:
    cast = Letters(session)
    cast.full_tuesday()
    cast.do(slots.cancel, cast.yoga, "停电", at("Mon 18:00"), cast.manager_id)
    assert invited(app, cast, "confirmed", "林晓") is None


@pytest.mark.sqlite
@pytest.mark.parametrize(("language", "title"), [("zh_Hans_CN", "白领瑜伽课堂"), ("en", "Yoga at Noon")])
def test_the_event_speaks_the_readers_language(app: Flask, session: Session, language: str, title: str) -> None:
    cast = Letters(session)
    cast.full_tuesday()
    with transactions.transaction(session):
        session.get_one(Person, cast.people["林晓"]).language = language
    with app.app_context():
        mime = rendering.compose(session, cast.letter("confirmed", "林晓"), at("Mon 10:01")).mime
    message = message_from_bytes(mime, policy=default)
    assert isinstance(message, EmailMessage)
    event = event_in(files(message)[0])
    assert event["SUMMARY"] == title
    assert "http://localhost/slots/" in event["DESCRIPTION"]
