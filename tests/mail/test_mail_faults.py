"""Transport faults: with any mail server each letter arrives in the end or is shown as failed, and booking never waits."""

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from aiosmtpd.smtp import AuthResult, LoginPassword
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import jobs
from booking.db import transactions
from booking.enqueue import enqueue
from booking.extensions import db
from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import outbox, rate_limit, transport
from booking.model import Letter
from booking.web import job_status
from tests.mail.test_outbox import MINUTE, NOW, deliver, only, settings, states, write
from tests.support import certificates, mail_server, postgres
from tests.support.certificates import OURS, Authority
from tests.support.letter_cast import Letters
from tests.support.statements import Statement, heard

pytestmark = [pytest.mark.smtp, pytest.mark.one_database]


@pytest.fixture
def office() -> Iterator[mail_server.Office]:
    with mail_server.running() as office:
        yield office


@pytest.fixture
def app(make_app: Callable[..., Flask], office: mail_server.Office) -> Flask:
    return make_app(**settings(office.port))


# TLS and passwords


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return certificates.authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def certificate(ca: Authority) -> Path:
    return ca.certificate("mail")


@contextmanager
def safe_office(certificate: Path, *, wrapped: bool = False, **options: Any) -> Iterator[mail_server.Office]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    how = {"ssl_context": context} if wrapped else {"tls_context": context, "require_starttls": True}
    with mail_server.running(**how, **options) as office:
        yield office


@pytest.mark.parametrize("wrapped", [False, True], ids=["STARTTLS", "smtps"])
def test_the_servers_certificate_may_come_from_a_ca_of_ones_own(
    make_app: Callable[..., Flask], session: Session, ca: Authority, certificate: Path, wrapped: bool
) -> None:
    write(session, "a@example.com", "b@example.com")
    with safe_office(certificate, wrapped=wrapped) as office:
        secure = {"MAIL_TLS": wrapped, "MAIL_STARTTLS": not wrapped, "MAIL_CA": str(ca.pem)}
        assert deliver(make_app(**settings(office.port) | secure)) == outbox.Delivery(claimed=2, sent=2)
    assert len(office.came) == 2


@pytest.mark.parametrize("wrapped", [False, True], ids=["STARTTLS", "smtps"])
@pytest.mark.parametrize(
    ("subject", "days", "trusted", "said"),
    [
        (OURS, 365, "the system's", "unable to get local issuer certificate"),
        (OURS, 365, "another", "unable to get local issuer certificate"),
        ("DNS:mail.example.com", 365, "this", "IP address mismatch"),
        (OURS, -1, "this", "certificate has expired"),
    ],
    ids=["unknown", "another CA's", "another name", "expired"],
)
def test_a_certificate_that_is_refused_keeps_all_letters_and_is_told_to_the_operator(
    make_app: Callable[..., Flask],
    session: Session,
    tmp_path: Path,
    ca: Authority,
    wrapped: bool,
    subject: str,
    days: int,
    trusted: str,
    said: str,
) -> None:
    of = {"the system's": lambda: None, "another": lambda: str(certificates.authority(tmp_path / "other").pem)}
    write(session, "a@example.com", "b@example.com", now=NOW - timedelta(days=2))
    with safe_office(ca.certificate("asked", subject, days), wrapped=wrapped) as office:
        secure = {"MAIL_TLS": wrapped, "MAIL_STARTTLS": not wrapped, "MAIL_CA": of.get(trusted, lambda: str(ca.pem))()}
        app = make_app(**settings(office.port) | secure)
        assert deliver(app) == outbox.Delivery(claimed=2, put_off=2)
        with app.test_request_context():
            paused = job_status.mail_paused()
    assert paused
    assert (paused.kind, paused.cause, paused.needs_a_person) == ("setup", "certificate", True)
    assert said in paused.reply
    assert (set(states(session).values()), office.came) == ({"queued"}, [])


@pytest.mark.parametrize(("password", "sent"), [("right", 1), ("wrong", 0)])
def test_a_wrong_password_is_our_fault_and_no_letters(
    make_app: Callable[..., Flask],
    session: Session,
    ca: Authority,
    certificate: Path,
    password: str,
    sent: int,
) -> None:
    def check(_server: object, _session: object, _envelope: object, _how: str, said: LoginPassword) -> AuthResult:
        return AuthResult(success=said.password == b"right")

    write(session, "a@example.com")
    signed = {"MAIL_STARTTLS": True, "MAIL_CA": str(ca.pem), "MAIL_USERNAME": "lunch", "MAIL_PASSWORD": password}
    signed["MAIL_TIMEOUT"] = 2
    with safe_office(certificate, authenticator=check, auth_required=True) as office:
        assert deliver(make_app(**settings(office.port) | signed)).sent == sent
    assert only(session).state == ("sent" if sent else "queued")


@contextmanager
def breaking_tls() -> Iterator[int]:
    """The port of a server that promises TLS and then talks nonsense."""

    def talk() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                line.sendall(b"220 hello\r\n")
                line.recv(1000)
                line.sendall(b"250-hello\r\n250 STARTTLS\r\n")
                line.recv(1000)
                line.sendall(b"220 go on\r\nnonsense instead of a handshake\r\n")
                line.recv(1000)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_server_that_breaks_tls_gets_no_letter_and_no_password(
    make_app: Callable[..., Flask], session: Session
) -> None:
    write(session, "a@example.com", "b@example.com")
    with breaking_tls() as port:
        signed = {"MAIL_STARTTLS": True, "MAIL_USERNAME": "lunch", "MAIL_PASSWORD": "right"}
        assert deliver(make_app(**settings(port) | signed)).put_off == 2
    assert set(states(session).values()) == {"queued"}


# Patience


def tick_mail(app: Flask, now: Any) -> None:
    """What the two senders of the timetable do at that instant."""
    with app.app_context(), time_machine.travel(now, tick=False):
        schedule.send_letters(Turn(now))
        schedule.send_digests(Turn(now))
        db.session.remove()


def test_a_server_that_takes_three_a_minute_gets_every_letter_in_the_end(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    addresses = [f"a{n}@example.com" for n in range(30)]
    write(session, *addresses)
    minutes = 0
    while "queued" in states(session).values():
        office.left = 3
        for seconds in (0, 20, 40):
            tick_mail(app, NOW + minutes * MINUTE + timedelta(seconds=seconds))
        minutes += 1
        assert minutes < 24 * 60
    assert set(states(session).values()) == {"sent"}
    assert sorted(office.recipients) == sorted(addresses)
    assert minutes < 60, f"took {minutes} minutes"


def test_after_five_refusals_in_a_row_the_rest_goes_back_without_a_try(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    office.left, office.refusal = 0, "450 4.3.2 not now"
    write(session, *(f"a{n}@example.com" for n in range(9)))
    done = deliver(app)
    assert (done.claimed, done.put_off, done.trouble is not None) == (9, 5, True)
    session.rollback()
    tries = Counter(session.scalars(select(Letter.tries)))
    assert tries == {1: 5, 0: 4}
    assert set(states(session).values()) == {"queued"}


def test_no_more_letters_leave_in_a_minute_than_the_setting_allows(
    make_app: Callable[..., Flask], session: Session, office: mail_server.Office
) -> None:
    app = make_app(**settings(office.port) | {"MAIL_PER_MINUTE": 3})
    write(session, *(f"a{n}@example.com" for n in range(8)))
    for seconds, came in ((0, 3), (30, 3), (61, 6), (90, 6), (122, 8)):
        tick_mail(app, NOW + timedelta(seconds=seconds))
        assert len(office.came) == came, seconds


def test_digests_leave_room_for_letters_that_go_at_once() -> None:
    limit = rate_limit.RateLimit(9)
    assert (limit.room("digests", NOW), limit.room("at_once", NOW)) == (6, 9)
    limit.count(6, NOW)
    assert (limit.room("digests", NOW), limit.room("at_once", NOW)) == (0, 3)
    assert limit.room("digests", NOW + MINUTE) == 6
    assert rate_limit.RateLimit(1).room("digests", NOW) == 1


def test_a_round_that_lasts_too_long_ends_before_anybody_takes_its_claims(
    app: Flask, session: Session, office: mail_server.Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each letter takes two minutes; the clock of the round must see it, or a second sender would send it all again."""
    real, slow = transport.Server.send, timedelta()

    def send(self: transport.Server, *message: Any) -> None:
        nonlocal slow
        slow += 2 * MINUTE
        real(self, *message)

    monkeypatch.setattr(transport.Server, "send", send)
    monkeypatch.setattr(Turn, "later", lambda turn: turn.now + slow)
    claimed: list[Any] = []
    real_claim = outbox._claim
    monkeypatch.setattr(outbox, "_claim", lambda s, now, *rest: claimed.append(now) or real_claim(s, now, *rest))
    write(session, *(f"a{n}@example.com" for n in range(5)))
    tick_mail(app, NOW)
    assert len(office.came) == 5
    assert claimed[:3] == [NOW, NOW + 4 * MINUTE, NOW + 8 * MINUTE]


# Nobody there


@contextmanager
def closed() -> Iterator[int]:
    """A port at which nobody listens."""
    yield postgres.free_port()


@contextmanager
def silent() -> Iterator[int]:
    """The port of a server that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def leaving() -> Iterator[int]:
    """The port of a server that takes two letters and is gone."""

    def talk() -> None:
        line, _ = listener.accept()
        listener.close()
        with line, line.makefile("rb") as heard:
            line.sendall(b"220 hello\r\n")
            taken = 0
            while taken < 2:
                word = heard.readline()[:4].lower()
                line.sendall(b"354 go on\r\n" if word == b"data" else b"250 yes\r\n")
                if word == b"data":
                    taken += next(line == b".\r\n" for line in heard if line == b".\r\n")
                    line.sendall(b"250 taken\r\n")

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=talk)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[transport.Server]:
    """Grows with each try to connect."""
    tried: list[transport.Server] = []
    real = transport.Server._open
    monkeypatch.setattr(transport.Server, "_open", lambda server: tried.append(server) or real(server))
    return tried


def put_offs(sent: list[Statement]) -> int:
    """How many statements put letters off."""
    return sum(one.text.startswith("UPDATE letter SET") and "next_try_at=" in one.text for one in sent)


@pytest.mark.parametrize("nobody", [closed, silent])
def test_nobody_there_costs_one_connection_and_one_statement_and_each_letter_keeps_its_own_pace(
    make_app: Callable[..., Flask],
    session: Session,
    connects: list[transport.Server],
    nobody: Callable[[], AbstractContextManager[int]],
) -> None:
    write(session, *(f"a{n}@example.com" for n in range(20)))
    with transactions.transaction(session):
        for letter in session.scalars(select(Letter)):
            letter.tries = letter.id % 5
    with nobody() as port:
        app = make_app(**settings(port) | {"MAIL_TIMEOUT": 1})
        with app.app_context(), heard(db.engine) as sent:
            assert deliver(app) == outbox.Delivery(claimed=20, put_off=20)
    assert (len(connects), put_offs(sent)) == (1, 1)
    session.rollback()
    found = {(one.tries, one.next_try_at - NOW, one.state) for one in session.scalars(select(Letter))}
    minutes = enumerate((1, 5, 15, 60, 180), start=1)
    assert found == {(tries, pause * MINUTE, "queued") for tries, pause in minutes}


def test_when_the_server_leaves_in_the_middle_the_rest_is_put_off_together(
    make_app: Callable[..., Flask], session: Session, connects: list[transport.Server]
) -> None:
    write(session, *(f"a{n}@example.com" for n in range(20)))
    with leaving() as port:
        app = make_app(**settings(port))
        with app.app_context(), heard(db.engine) as sent:
            assert deliver(app) == outbox.Delivery(claimed=20, sent=2, put_off=18)
    # Seen before the third letter, or while it was handed over.
    assert (len(connects), put_offs(sent)) in ((2, 1), (2, 2))
    assert Counter(states(session).values()) == {"sent": 2, "queued": 18}


def test_of_a_batch_put_off_only_what_is_a_day_old_is_given_up(
    make_app: Callable[..., Flask], session: Session
) -> None:
    write(session, "young@example.com", now=NOW - timedelta(hours=23, minutes=59))
    write(session, "old@example.com", now=NOW - timedelta(hours=23, minutes=59, seconds=1))
    with transactions.transaction(session):
        code = {"code": "407261", "purpose": "reset"}
        enqueue(session, "code", NOW - timedelta(hours=24), to="code@example.com", language="zh_Hans_CN", **code)
    with closed() as port:
        assert deliver(make_app(**settings(port))) == outbox.Delivery(claimed=3, put_off=1, failed=2)
    assert states(session) == {"young@example.com": "queued", "old@example.com": "failed", "code@example.com": "failed"}
    assert session.scalars(select(Letter).where(Letter.kind == "code")).one().details == {}


# Poison


def test_an_address_that_no_server_can_be_told_is_failed_and_the_others_go(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    write(session, "a@example.com", "李静@例子.com", "b@example.com")
    done = deliver(app)
    assert (done.sent, done.failed) == (2, 1)
    assert states(session)["李静@例子.com"] == "failed"


def test_a_letter_that_the_database_refuses_to_word_is_failed_and_the_others_go(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    cast = Letters(session)
    write(session, "a@example.com")
    with transactions.transaction(session):
        details = {"date": "2026-11-24", "stations": [2**80], "seats": [], "waits": [], "opens": [], "strikes": []}
        person = cast.people["林晓"]
        columns = {"message_id": "poison", "created_at": NOW, "next_try_at": NOW}
        session.add(Letter(kind="worker_digest", person_id=person, details=details, **columns))
    write(session, "b@example.com")
    for _ in range(2):
        deliver(app, kinds=Letter.kind.is_not(None))
    assert sorted(letter.state for letter in session.scalars(select(Letter))) == ["failed", "sent", "sent"]


# Booking never waits


def test_a_booking_does_not_wait_for_a_server_that_hangs(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    cast = Letters(session)
    app.config["MAIL_TIMEOUT"] = 60
    office.at_data["a@example.com"] = "hang"
    write(session, "a@example.com")
    sending = threading.Thread(target=deliver, args=(app,))
    sending.start()
    while not office.recipients:
        time.sleep(0.01)
    cast.book("林晓", cast.yoga, "Mon 10:00:01")
    assert sending.is_alive()
    office.at_data.clear()
    sending.join()
    assert len(office.came) == 1


def test_the_jobs_go_on_while_the_mail_does_not(app: Flask, session: Session, office: mail_server.Office) -> None:
    office.at_rcpt["a@example.com"] = "451 4.3.0 not now"
    write(session, "a@example.com")
    with app.app_context():
        told = {ran.name: ran.error for ran in jobs.tick(NOW)}
    assert set(told.values()) == {""}
