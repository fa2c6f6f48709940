"""Backoff: an answer about the sender pauses all sending and ends no letter, at every stage of the SMTP dialogue."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.enqueue import enqueue
from booking.extensions import db
from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import backoff, outbox
from booking.model import Letter, MailPause
from tests.mail.test_outbox import MINUTE, NOW, deliver, settings, states, write
from tests.support import mail_server
from tests.support.letter_cast import Letters
from tests.support.lunch_hour import LunchHour, at, make_people

pytestmark = pytest.mark.smtp

A, B = "a@example.com", "b@example.com"
STAGES = {b"EHLO": "ehlo", b"HELO": "ehlo", b"STAR": "starttls", b"AUTH": "auth", b"MAIL": "mail", b"RCPT": "rcpt"}
YES = {"data": b"354 go on", "auth": b"235 yes", "connect": b"220 hello"}


class Server:
    """A mail server that gives one answer at one stage, as often as `times`; all else is well."""

    def __init__(self, stage: str, answer: bytes, times: int) -> None:
        self.stage, self.answer, self.times = stage, answer, times
        self.taken: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))

    def serve(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with line, line.makefile("rb") as heard:
                self._talk(line, heard)

    def _talk(self, line: socket.socket, heard: Any) -> None:
        line.sendall(self._says("connect"))
        reader, refused, begun = b"", False, False
        for said in heard:
            word = said[:4].upper()
            if word == b"RCPT":
                reader = said.split(b"<")[1].split(b">")[0]
            if word == b"QUIT":
                return
            answer = self._says("data" if word == b"DATA" else STAGES.get(word, ""))
            if word == b"DATA" and refused:
                answer = b"503 nobody to send it to\r\n"
            if word == b"MAIL" and begun:
                answer = b"503 nested MAIL command\r\n"
            begun = (begun or (word == b"MAIL" and answer.startswith(b"250"))) and word != b"RSET"
            refused = (refused and word != b"RSET") or (word in (b"MAIL", b"RCPT") and not answer.startswith(b"250"))
            line.sendall(answer)
            if word == b"DATA" and answer.startswith(b"354"):
                begun, answer = False, self._take(heard, reader)
                line.sendall(answer)
            if answer.startswith(b"421"):
                return

    def _take(self, heard: Any, reader: bytes) -> bytes:
        """Hear a body to its end, and what becomes of it."""
        next(body for body in heard if body == b".\r\n")
        answer = self._says("body")
        self.taken += [reader] if answer.startswith(b"250") else []
        return answer

    def _says(self, stage: str) -> bytes:
        if stage == self.stage and self.times:
            self.times -= 1
            return self.answer + b"\r\n"
        if stage == "ehlo":
            return b"250-hello\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
        return YES.get(stage, b"250 yes") + b"\r\n"


@contextmanager
def answering(stage: str, answer: bytes, times: int) -> Iterator[tuple[Server, int]]:
    server = Server(stage, answer, times)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server, server.listener.getsockname()[1]
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


@pytest.fixture
def office() -> Iterator[mail_server.Office]:
    with mail_server.running() as office:
        yield office


@pytest.fixture
def app(make_app: Callable[..., Flask], office: mail_server.Office) -> Flask:
    return make_app(**settings(office.port))


def pause(session: Session) -> MailPause | None:
    session.rollback()
    return backoff.current(session)


def kept(session: Session) -> tuple[str, int, timedelta] | None:
    """Kind, rests and the length of the last one, seen from `NOW`."""
    found = pause(session)
    return (found.kind, found.rests, found.until - NOW) if found else None


def tick_mail(app: Flask, now: datetime) -> None:
    with app.app_context(), time_machine.travel(now, tick=False):
        schedule.send_letters(Turn(now))
        schedule.send_digests(Turn(now))
        db.session.remove()


# Every fault at every stage

SIGNED = {"MAIL_USERNAME": "lunch", "MAIL_PASSWORD": "right"}
FREQUENCY, NETEASE = b"550 Sender frequency limited", b"554 MI:SFQ 163 smtp4,x"
SENDER = b"553 5.7.1 <me@example.com>: Sender address rejected: not owned by user"


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("stage", "answer", "kind", "more"),
    [
        ("connect", b"421 4.7.0 too many connections", "throttled", {}),
        ("connect", b"554 HL:ICC 163", "throttled", {}),
        ("connect", b"554 5.7.1 Client host rejected", "setup", {}),
        ("ehlo", b"550 go away", "setup", {}),
        ("starttls", b"454 TLS not available", "throttled", {"MAIL_STARTTLS": True}),
        ("starttls", b"502 unknown command", "setup", {"MAIL_STARTTLS": True}),
        ("auth", b"535 Login fail", "setup", SIGNED),
        ("auth", "535 认证失败".encode("gbk"), "setup", SIGNED),
        ("auth", b"454 4.7.0 Temporary authentication failure", "throttled", SIGNED),
        ("mail", FREQUENCY, "throttled", {}),
        ("mail", NETEASE, "throttled", {}),
        ("mail", b"501 mail from address must be same as authorization user", "setup", {}),
        ("mail", b"553", "setup", {}),
        ("mail", b"530 Authentication required", "setup", {}),
        ("rcpt", FREQUENCY, "throttled", {}),
        ("rcpt", NETEASE, "throttled", {}),
        ("rcpt", SENDER, "setup", {}),
        ("rcpt", b"554 5.7.1 <a@example.com>: Relay access denied", "setup", {}),
        ("data", FREQUENCY, "throttled", {}),
        ("data", SENDER, "setup", {}),
        ("body", FREQUENCY, "throttled", {}),
        ("body", b"554-5.7.1 [192.0.2.1] unusual rate of\r\n554 5.7.1 mail", "throttled", {}),
        ("body", "550 发信频率过高".encode("gbk"), "throttled", {}),
        ("body", SENDER, "setup", {}),
    ],
)
def test_what_is_about_us_lets_the_sender_rest_and_every_letter_comes_once(
    make_app: Callable[..., Flask],
    session: Session,
    stage: str,
    answer: bytes,
    kind: str,
    more: dict[str, Any],
) -> None:
    write(session, A, B)
    with answering(stage, answer, 2 if stage == "ehlo" else 1) as (server, port):
        app = make_app(**settings(port) | more)
        assert (deliver(app).sent, kept(session)) == (0, (kind, 1, MINUTE))
        assert (deliver(app, NOW + MINUTE / 2), set(states(session).values())) == (outbox.Delivery(), {"queued"})
        app.config["MAIL_STARTTLS"] = False
        assert (deliver(app, NOW + MINUTE).sent, pause(session)) == (2, None)
    assert Counter(server.taken) == {A.encode(): 1, B.encode(): 1}


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("stage", "answer", "state"),
    [
        ("mail", b"552 5.3.4 message too big", "failed"),
        ("mail", b"451 local error", "queued"),
        ("rcpt", b"550 5.1.1 unknown", "failed"),
        ("rcpt", b"550 User not found", "failed"),
        ("rcpt", "550 邮箱不存在".encode("gbk"), "failed"),
        ("rcpt", "550 邮箱不存在".encode(), "failed"),
        ("rcpt", b"550", "queued"),
        ("rcpt", b"550 \xff\xfe", "queued"),
        ("rcpt", b"452 4.2.2 mailbox full", "queued"),
        ("rcpt", b"552 5.2.2 mailbox full", "queued"),
        ("rcpt", b"451 4.7.1 greylisted", "queued"),
        ("rcpt", b"nonsense", "queued"),
        ("data", b"554 no valid recipients", "queued"),
        ("body", b"552 message too large", "failed"),
        ("body", b"554 DT:SPM 163", "failed"),
        ("body", b"554 5.7.1 refused", "queued"),
        ("body", b"452 4.3.1 full", "queued"),
        ("body", b"421 4.3.2 shutting down", "queued"),
    ],
)
def test_what_is_about_one_letter_stops_no_other(
    make_app: Callable[..., Flask], session: Session, stage: str, answer: bytes, state: str
) -> None:
    write(session, A, B)
    with answering(stage, answer, 1) as (server, port):
        app = make_app(**settings(port))
        assert deliver(app).sent == 1
        assert states(session) == {A: state, B: "sent"}
        deliver(app, NOW + MINUTE)
    assert Counter(server.taken) == Counter([B.encode()] + [A.encode()] * (state == "queued"))
    assert pause(session) is None


# QQ, on both databases


def test_all_letters_about_a_cancelled_slot_arrive_once_through_a_server_that_takes_few_a_minute(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    lunch = LunchHour(session, capacity=15, people=0)
    names = [f"reader{n}" for n in range(21)]
    with transactions.transaction(session):
        lunch.people = make_people(session, names)
    for name in names:
        lunch.book(name, "Mon 10:00")
    assert lunch.cancel("Mon 14:00") == "21 told"
    office.refusal, now = "550 Sender frequency limited", at("Mon 14:01")
    about = select(Letter.state).where(Letter.kind == "slot_cancelled")
    while "queued" in session.scalars(about).all():
        session.rollback()
        office.left = 5 if office.came else 2
        for seconds in (0, 30):
            tick_mail(app, now + timedelta(seconds=seconds))
        now += MINUTE
        assert now < at("Mon 15:00")
    assert Counter(session.scalars(about)) == {"sent": 21}
    to = [letter["To"] for letter in office.came if "取消" in letter["Subject"]]
    assert len(to) == len(set(to)) == 21
    assert pause(session) is None


# How long


@pytest.mark.parametrize(
    ("answer", "minutes"),
    [(FREQUENCY, (1, 5, 15, 30, 60, 60)), (SENDER, (1, 5, 15, 15, 15, 15))],
)
def test_rests_grow_up_to_a_limit_and_cost_one_try_each(
    app: Flask, session: Session, office: mail_server.Office, answer: bytes, minutes: tuple[int, ...]
) -> None:
    office.left, office.refusal = 0, answer.decode()
    write(session, *(f"a{n}@example.com" for n in range(9)))
    now = NOW
    for n, length in enumerate(minutes, start=1):
        assert deliver(app, now).put_off == 1
        found = pause(session)
        assert found is not None
        assert (found.rests, found.until - now, found.since) == (n, length * MINUTE, NOW)
        assert deliver(app, found.until - timedelta(seconds=1)).claimed == 0
        now = found.until
    assert sum(session.scalars(select(Letter.tries))) == len(minutes)
    office.left = None
    assert deliver(app, now).sent == backoff.PATIENCE  # a few find out whether it is over
    assert pause(session) is None


def test_after_five_unclear_refusals_in_a_row_over_several_rounds_the_sender_rests(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    for n in range(9):
        office.at_rcpt[f"a{n}@example.com"] = "550 5.7.1 refused"
        write(session, f"a{n}@example.com")
    assert [deliver(app, limit=2).put_off for _ in range(3)] == [2, 2, 1]
    assert kept(session) == ("unclear", 1, MINUTE)
    assert deliver(app).claimed == 0


def test_dead_addresses_never_let_the_sender_rest(app: Flask, session: Session, office: mail_server.Office) -> None:
    for n in range(9):
        office.at_rcpt[f"a{n}@example.com"] = "550 5.1.1 unknown" if n % 2 else "552 5.2.2 mailbox full"
        write(session, f"a{n}@example.com")
    write(session, B)
    assert (deliver(app).sent, pause(session)) == (1, None)


def test_a_letter_that_alone_is_refused_for_what_is_about_us_is_given_up_and_stops_nobody(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    """A relay that is closed to one domain."""
    office.at_rcpt[A] = "554 5.7.1 Relay access denied"
    write(session, A, now=NOW)
    now, sent = NOW, 0
    while states(session)[A] == "queued":
        write(session, f"b{sent}@example.com", now=now)
        tick_mail(app, now)
        now, sent = now + 60 * MINUTE, sent + 1
        assert now < NOW + timedelta(hours=25)
    assert states(session)[A] == "failed"
    tick_mail(app, now)
    assert Counter(states(session).values()) == {"sent": sent, "failed": 1}


def test_a_set_up_fault_over_a_weekend_fails_no_letter_and_what_is_over_by_then_is_not_sent(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    cast = Letters(session)
    cast.book("林晓", cast.yoga, "Mon 10:00:01")
    with transactions.transaction(session):
        to = {"person_id": cast.people["周明"], "slot_id": cast.thursday, "language": "zh_Hans_CN"}
        enqueue(session, "slot_cancelled", at("Mon 10:00"), **to, reason="停电")
        code = {"code": "407261", "purpose": "reset"}
        enqueue(session, "code", at("Mon 10:00"), to="code@example.com", language="zh_Hans_CN", **code)
    waiting = session.scalars(select(Letter.id).where(Letter.state == "queued")).all()
    office.left, office.refusal = 0, SENDER.decode()
    for minutes in range(0, 53 * 60, 6 * 60):
        tick_mail(app, at("Mon 10:01") + minutes * MINUTE)
    session.rollback()
    after = {letter.id: letter.state for letter in session.scalars(select(Letter).where(Letter.id.in_(waiting)))}
    assert "failed" not in after.values()
    office.left = None
    for minutes in (0, 1, 15, 30):
        tick_mail(app, at("Wed 16:00") + minutes * MINUTE)
    session.rollback()
    ends = {letter.kind: letter.state for letter in session.scalars(select(Letter)) if letter.slot_id == cast.yoga}
    assert set(ends.values()) <= {"dropped"}
    assert session.scalars(select(Letter.state).where(Letter.slot_id == cast.thursday)).all() == ["sent"]
    assert session.scalars(select(Letter.state).where(Letter.kind == "code")).all() == ["dropped"]


def test_after_a_rest_codes_and_what_goes_at_once_go_before_digests(
    app: Flask, session: Session, office: mail_server.Office
) -> None:
    with transactions.transaction(session):
        session.add(MailPause(sender="smtp", kind="throttled", since=NOW, until=NOW, refusals=0, rests=1, reply=""))
    write(session, A)
    assert deliver(app, kinds=outbox.CAN_WAIT).claimed == 0
    with transactions.transaction(session):
        enqueue(session, "code", NOW, to=B, language="zh_Hans_CN", code="407261", purpose="reset")
    assert deliver(app, limit=1).sent == 1
    assert office.recipients == [B]


def test_what_is_kept_names_nobody(app: Flask, session: Session, office: mail_server.Office) -> None:
    office.at_rcpt[A] = "554 5.7.1 <a@example.com>: Relay access denied"
    write(session, A)
    deliver(app)
    found = pause(session)
    assert found is not None
    assert found.reply == "554 5.7.1 …: Relay access denied"


def test_two_senders_that_hear_the_same_rest_once(session: Session) -> None:
    for seconds in (0, 1):
        with transactions.transaction(session):
            trouble = backoff.Trouble("throttled", "550 Sender frequency limited")
            backoff.refused(session, trouble, 0, NOW + timedelta(seconds=seconds))
    assert kept(session) == ("throttled", 1, MINUTE)
