"""Held letters: after a restore nothing is sent until an admin decides, and what they decide is done."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.enqueue import enqueue, is_invited
from booking.extensions import db
from booking.mail import backlog, held, outbox, transport
from booking.model import Booking, Event, Letter, Person
from tests.support.lunch_hour import LunchHour, at

NOW = at("Mon 10:30")


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 and 李静 sit, and the letters that say so are held."""
    lunch = LunchHour(session)
    for number, who in enumerate(("周明", "李静")):
        lunch.book(who, "Mon 10:00")
        with transactions.transaction(session):
            session.get_one(Person, lunch.people[who]).email = f"colleague{number}@example.com"
    with transactions.transaction(session):
        assert held.hold(session, NOW) == 2
    return lunch


def deliver(app: Flask) -> int:
    with app.app_context(), transport.opened(app.config) as server:
        outbox.deliver(db.session, server, NOW + timedelta(minutes=1))
        return len(list(Path(app.config["MAIL_FOLDER"]).glob("*.eml")))


def states(lunch: LunchHour) -> set[tuple[str, bool]]:
    lunch.session.rollback()
    return {(letter.state, letter.held_at is None) for letter in lunch.session.scalars(select(Letter))}


def test_a_held_letter_is_not_sent_and_is_nobodys_backlog(app: Flask, lunch: LunchHour) -> None:
    assert deliver(app) == 0
    assert states(lunch) == {("queued", False)}
    assert backlog.letters_due(lunch.session, NOW)["send_letters"] == 0


def test_letters_after_the_restore_are_sent_beside_those_held(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        enqueue(session, "already_registered", NOW, to="new@example.com", language="en")
    assert deliver(app) == 1


def test_letters_that_are_let_go_are_sent(app: Flask, lunch: LunchHour) -> None:
    assert held.let_go(lunch.session, NOW, lunch.manager_id) == 2
    assert deliver(app) == 2
    assert states(lunch) == {("sent", True)}


def test_letters_that_are_discarded_are_never_sent(app: Flask, lunch: LunchHour) -> None:
    assert held.discard(lunch.session, NOW, lunch.manager_id) == 2
    assert held.let_go(lunch.session, NOW) == 0
    assert deliver(app) == 0
    assert states(lunch) == {("dropped", False)}


@pytest.mark.parametrize("decide", [held.let_go, held.discard])
def test_a_decision_is_written_down_once(lunch: LunchHour, decide: object) -> None:
    assert callable(decide)
    kind = "letters_let_go" if decide is held.let_go else "letters_discarded"
    decide(lunch.session, NOW, lunch.manager_id)
    decide(lunch.session, NOW, lunch.manager_id)
    events = lunch.session.scalars(select(Event).where(Event.kind == kind)).all()
    assert [(event.actor_id, event.details) for event in events] == [(lunch.manager_id, {"letters": 2})]


def test_whose_letter_was_held_may_have_the_invitation(lunch: LunchHour) -> None:
    """So a cancellation takes the seat out of the calendar, also after the letter was discarded."""
    seat = lunch.session.scalars(select(Booking).where(Booking.person_id == lunch.people["周明"])).one()
    assert is_invited(lunch.session, seat)
    held.discard(lunch.session, NOW)
    assert is_invited(lunch.session, seat)


def test_a_second_restore_adds_to_what_is_held(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        enqueue(session, "already_registered", NOW, to="new@example.com", language="en")
        enqueue(session, "code", NOW, to="new@example.com", code="123456")
        assert held.hold(session, NOW + timedelta(hours=1)) == 1
    assert [(one.kind, one.letters) for one in held.by_kind(lunch.session)] == [
        ("confirmed", 2),
        ("already_registered", 1),
    ]
    code = lunch.session.scalars(select(Letter).where(Letter.kind == "code")).one()
    assert (code.state, code.details) == ("dropped", {})


def test_a_deleted_account_gets_no_held_letter(app: Flask, lunch: LunchHour) -> None:
    people.delete_account(lunch.session, lunch.people["周明"], NOW)
    held.let_go(lunch.session, NOW)
    readers = {letter.person_id for letter in lunch.session.scalars(select(Letter).where(Letter.state == "queued"))}
    assert lunch.people["周明"] not in readers
