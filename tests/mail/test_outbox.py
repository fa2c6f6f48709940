"""Outbox: every letter is sent once or says why not; one bad letter stops no other."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.enqueue import enqueue
from booking.extensions import db
from booking.mail import outbox, rendering, transport
from booking.mail.smtp_replies import Meaning
from booking.model import Letter
from tests.support import mail_server
from tests.support.letter_cast import Letters
from tests.support.lunch_hour import at

NOW = at("Mon 09:30")
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.smtp


@pytest.fixture
def office() -> Iterator[mail_server.Office]:
    with mail_server.running() as office:
        yield office


@pytest.fixture
def app(make_app: Callable[..., Flask], office: mail_server.Office) -> Flask:
    """The app, with the test's own mail server."""
    return make_app(**settings(office.port))


def settings(port: int) -> dict[str, Any]:
    return {
        "MAIL_HOST": "127.0.0.1",
        "MAIL_PORT": port,
        "MAIL_USERNAME": "",
        "MAIL_PASSWORD": "",
        "MAIL_TLS": False,
        "MAIL_STARTTLS": False,
        "MAIL_CA": None,
        "MAIL_TIMEOUT": 10,
    }


def write(session: Session, *addresses: str, now: datetime = NOW) -> None:
    with transactions.transaction(session):
        for address in addresses:
            enqueue(session, "already_registered", now, to=address, language="zh_Hans_CN")


def deliver(app: Flask, now: datetime = NOW, **options: Any) -> outbox.Delivery:
    with app.app_context(), transport.opened(app.config) as server:
        return outbox.deliver(db.session, server, now, **options)


def states(session: Session) -> dict[str, str]:
    session.rollback()
    return {letter.to or "": letter.state for letter in session.scalars(select(Letter))}


def only(session: Session) -> Letter:
    session.rollback()
    return session.scalars(select(Letter)).one()


def claim(session: Session) -> None:
    """Somebody has taken the only letter, and has not said yet what became of it."""
    with transactions.transaction(session):
        letter = session.scalars(select(Letter)).one()
        letter.state, letter.claimed_at = "sending", NOW


def send_at_once(app: Flask, senders: int) -> None:
    """Several senders, each until nothing is left for it."""
    together = threading.Barrier(senders)

    def send() -> None:
        together.wait()
        while deliver(app, limit=5).claimed:
            pass

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_letters_go_one_by_one_over_one_connection(app: Flask, session: Session, office: mail_server.Office) -> None:
    write(session, "a@example.com", "b@example.com", "c@example.com")
    assert deliver(app) == outbox.Delivery(claimed=3, sent=3)
    assert sorted(office.recipients) == ["a@example.com", "b@example.com", "c@example.com"]
    assert office.connections == 1
    assert set(states(session).values()) == {"sent"}


def test_a_second_round_sends_nothing_again(app: Flask, session: Session, office: mail_server.Office) -> None:
    write(session, "a@example.com")
    deliver(app)
    assert deliver(app, NOW + MINUTE) == outbox.Delivery()
    assert len(office.came) == 1


def test_a_refused_address_is_failed_and_the_others_go(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    office.at_rcpt["b@example.com"] = "550 5.1.1 nobody of that name"
    write(session, "a@example.com", "b@example.com", "c@example.com")
    assert deliver(app) == outbox.Delivery(claimed=3, sent=2, failed=1)
    assert states(session) == {"a@example.com": "sent", "b@example.com": "failed", "c@example.com": "sent"}
    failed = session.scalars(select(Letter).where(Letter.state == "failed")).one()
    assert failed.error == "550 5.1.1 nobody of that name"


class Refusing:
    """A server that refuses the sender at once, or else each letter."""

    def __init__(self, error: transport.Refusal) -> None:
        self.error = error

    def connect(self) -> None:
        if isinstance(self.error, transport.SenderRefused):
            raise self.error

    def send(self, sender: str, to: str, message: bytes) -> None:  # noqa: ARG002 (signature of Transport)
        raise self.error


ABOUT_THEM = "554 5.7.1 <周明@example.com>: a@example.com is refused by policy"
ERRORS = {
    "rejected": transport.Rejected(ABOUT_THEM, Meaning.CONTENT),
    "put off": transport.PutOff(ABOUT_THEM, Meaning.LATER),
    "sender refused": transport.SenderRefused(ABOUT_THEM, Meaning.SETUP),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_kept_without_addresses(app: Flask, session: Session, case: str) -> None:
    write(session, "a@example.com")
    with app.app_context():
        outbox.deliver(session, Refusing(ERRORS[case]), NOW)
    assert only(session).error == "554 5.7.1 …: … is refused by policy"


def test_a_greylisted_letter_comes_again_under_the_same_id(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    office.at_rcpt["a@example.com"] = "451 4.7.1 come back later"
    write(session, "a@example.com")
    for minutes, tries in ((0, 1), (1, 2), (6, 3), (21, 4), (81, 5)):
        assert deliver(app, NOW + minutes * MINUTE - timedelta(seconds=1) * bool(minutes)).claimed == 0 or not minutes
        assert minutes == 0 or deliver(app, NOW + minutes * MINUTE).put_off == 1
        assert only(session).tries == tries
    del office.at_rcpt["a@example.com"]
    assert deliver(app, NOW + 261 * MINUTE).sent == 1
    assert office.came[0]["Message-ID"] == f"<{only(session).message_id}@localhost>"


def test_after_a_day_a_letter_is_given_up(app: Flask, session: Session, office: mail_server.Office) -> None:
    office.at_rcpt["a@example.com"] = "451 4.7.1 come back later"
    write(session, "a@example.com")
    now = NOW
    while only(session).state == "queued":
        now = only(session).next_try_at
        deliver(app, now)
    assert only(session).state == "failed"
    assert timedelta(hours=20) < now - NOW <= timedelta(hours=24)


@pytest.mark.parametrize("mood", ["drop", "hang"])
def test_a_connection_lost_after_data_is_tried_again_under_the_same_id(
    app: Flask, session: Session, office: mail_server.Office, mood: str
) -> None:
    app.config["MAIL_TIMEOUT"] = 1
    office.at_data["a@example.com"] = mood
    write(session, "a@example.com", "b@example.com")
    assert deliver(app) == outbox.Delivery(claimed=2, sent=1, put_off=1)
    office.at_data.clear()
    assert deliver(app, NOW + MINUTE).sent == 1
    ids = {message["Message-ID"] for message in office.came if message["To"] == "a@example.com"}
    assert len(ids) == 1
    assert set(states(session).values()) == {"sent"}


def test_a_letter_refused_at_data_is_failed(app: Flask, session: Session, office: mail_server.Office) -> None:
    office.at_data["a@example.com"] = "554 5.6.0 we do not like its content"
    write(session, "a@example.com", "b@example.com")
    assert deliver(app) == outbox.Delivery(claimed=2, sent=1, failed=1)


def test_a_server_that_is_gone_puts_off_the_batch_and_ends_the_round(
    make_app: Callable[..., Flask], session: Session
) -> None:
    with mail_server.running() as office:
        port = office.port
    write(session, "a@example.com", "b@example.com")
    assert deliver(make_app(**settings(port))) == outbox.Delivery(claimed=2, put_off=2)
    assert set(states(session).values()) == {"queued"}


def test_tls_that_nobody_vouches_for_sends_nothing(
    make_app: Callable[..., Flask], session: Session, office: mail_server.Office
) -> None:
    write(session, "a@example.com")
    app = make_app(**settings(office.port) | {"MAIL_STARTTLS": True})
    assert deliver(app) == outbox.Delivery(claimed=1, put_off=1)
    assert office.came == []


def test_a_letter_that_cannot_be_worded_is_set_aside_and_the_others_go(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    write(session, "a@example.com")
    with transactions.transaction(session):
        enqueue(session, "no_such_kind", NOW, to="poison@example.com")
    write(session, "b@example.com")
    assert deliver(app) == outbox.Delivery(claimed=3, sent=2, failed=1)
    assert states(session)["poison@example.com"] == "failed"
    assert deliver(app, NOW + 60 * MINUTE).claimed == 0


def test_a_code_is_forgotten_when_it_has_been_sent(app: Flask, session: Session, office: mail_server.Office) -> None:
    with transactions.transaction(session):
        enqueue(session, "code", NOW, to="a@example.com", language="zh_Hans_CN", code="407261", purpose="reset")
    assert deliver(app).sent == 1
    assert "407261" in office.came[0]["Subject"]
    assert only(session).details == {}


def test_a_code_goes_before_everything_else(app: Flask, session: Session, office: mail_server.Office) -> None:
    write(session, "a@example.com", "b@example.com")
    with transactions.transaction(session):
        enqueue(session, "code", NOW, to="c@example.com", language="zh_Hans_CN", code="407261", purpose="reset")
    assert deliver(app, limit=1).sent == 1
    assert office.recipients == ["c@example.com"]


def test_an_old_code_is_not_sent_any_more(app: Flask, session: Session, office: mail_server.Office) -> None:
    with transactions.transaction(session):
        enqueue(session, "code", NOW, to="a@example.com", language="zh_Hans_CN", code="407261", purpose="reset")
    assert deliver(app, NOW + 15 * MINUTE) == outbox.Delivery(claimed=1, dropped=1)
    assert only(session).details == {}


def test_a_letter_to_somebody_who_is_gone_is_dropped(app: Flask, session: Session, office: mail_server.Office) -> None:
    cast = Letters(session)
    cast.book("林晓", cast.yoga, "Mon 10:00:01")
    with transactions.transaction(session):
        reader = cast.letter("confirmed").person_id
        person = session.get_one(rendering.Person, reader)
        person.email, person.deleted_at = None, NOW
    assert deliver(app, at("Mon 10:01")) == outbox.Delivery(claimed=1, dropped=1)


def test_a_letter_about_a_seat_given_up_meanwhile_is_dropped(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    cast = Letters(session)
    booking = cast.book("林晓", cast.yoga, "Mon 10:00:01")
    cast.give_up(booking, "Mon 10:03")
    assert deliver(app, at("Mon 10:04")) == outbox.Delivery(claimed=1, dropped=1)


def test_a_claimed_letter_is_nobody_elses(app: Flask, session: Session, office: mail_server.Office) -> None:
    write(session, "a@example.com")
    claim(session)
    assert deliver(app) == outbox.Delivery()
    assert office.came == []


def test_a_letter_whose_sender_died_is_taken_up_after_ten_minutes(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    write(session, "a@example.com")
    claim(session)
    for minutes, freed in ((10, 0), (11, 1)):
        with transactions.transaction(session):
            assert outbox.free_stuck(session, NOW + minutes * MINUTE) == freed
    assert deliver(app, NOW + 11 * MINUTE).sent == 1


def test_stopping_gives_the_rest_back(app: Flask, session: Session, office: mail_server.Office) -> None:
    write(session, "a@example.com", "b@example.com", "c@example.com")
    answers = iter((False, True))
    assert deliver(app, stop=lambda: next(answers)).sent == 1
    assert sorted(states(session).values()) == ["queued", "queued", "sent"]
    assert deliver(app).sent == 2


def test_without_a_server_letters_become_files(
    make_app: Callable[..., Flask], session: Session, office: mail_server.Office
) -> None:
    app = make_app(MAIL_HOST=None)
    write(session, "a@example.com", "b@example.com")
    assert deliver(app).sent == 2
    with app.app_context():
        folder = transport.Path(app.config["MAIL_FOLDER"])
    assert len(list(folder.glob("*.eml"))) == 2
    assert office.came == []


def test_five_senders_at_once_send_each_letter_once(app: Flask, session: Session, office: mail_server.Office) -> None:
    write(session, *(f"a{n}@example.com" for n in range(60)))
    send_at_once(app, 5)
    assert len(office.recipients) == len(set(office.recipients)) == 60
    assert set(states(session).values()) == {"sent"}


@pytest.mark.postgresql
def test_control_without_the_claim_letters_go_twice(
    app: Flask, session: Session, office: mail_server.Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_only(session: Session, now: datetime, _kinds: object, limit: int) -> list[int]:
        due = select(Letter.id).where(Letter.state == "queued", Letter.next_try_at <= now)
        return list(session.scalars(due.order_by(Letter.id).limit(limit)))

    monkeypatch.setattr(outbox, "_claim", look_only)
    write(session, *(f"a{n}@example.com" for n in range(10)))
    send_at_once(app, 2)
    assert len(office.recipients) > len(set(office.recipients))
