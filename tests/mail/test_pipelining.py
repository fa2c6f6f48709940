"""Envelopes in one packet (RFC 2920): each answer is still heard, and a letter is taken when its body was."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.mail import transport
from booking.mail.talk import Envelope
from tests.mail.test_outbox import deliver, settings, states, write
from tests.support import mail_server

A, B = "a@example.com", "b@example.com"
BODY = b"Subject: x\r\n\r\n"
# A scripted server's answers to an envelope.
YES, NOBODY = b"250 a\r\n250 b\r\n354 go on\r\n", b"250 sender\r\n550 no such box\r\n354 go on\r\n"

pytestmark = [pytest.mark.smtp, pytest.mark.sqlite]


@pytest.fixture
def office() -> Iterator[mail_server.Office]:
    with mail_server.running() as office:
        office.pipelines = True
        yield office


@pytest.mark.parametrize(
    ("at_rcpt", "at_data", "state", "connections"),
    [
        ("550 5.1.1 no such box", "250 OK", "failed", 1),
        ("451 4.3.0 not now", "250 OK", "queued", 1),
        ("", "554 5.7.1 spam", "failed", 1),
        ("", "452 4.3.1 full", "queued", 1),
        ("", "drop", "queued", 2),
    ],
)
def test_each_answer_counts_and_the_next_letter_goes(
    make_app: Callable[..., Flask],
    session: Session,
    office: mail_server.Office,
    at_rcpt: str,
    at_data: str,
    state: str,
    connections: int,
) -> None:
    office.at_rcpt, office.at_data = ({A: at_rcpt} if at_rcpt else {}), {A: at_data}
    write(session, A, B)
    assert deliver(make_app(**settings(office.port))).sent == 1
    assert states(session) == {A: state, B: "sent"}
    assert office.connections == connections
    assert office.recipients[-1] == B


class Script:
    """A server that gives these answers, one packet of the client's after the other."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.heard: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.talk)
        self.thread.start()

    def talk(self) -> None:
        line, _ = self.listener.accept()
        with line, self.listener:
            line.sendall(b"220 hello\r\n")
            for answer in (b"250-hello\r\n250 PIPELINING\r\n", *self.answers):
                self.heard.append(line.recv(100_000))
                line.sendall(answer)
            self.heard.append(line.recv(100_000))


@contextmanager
def spoken_to(*answers: bytes) -> Iterator[tuple[transport.Server, list[bytes]]]:
    """A client of a scripted server, and what that has heard when the client has hung up: all after EHLO."""
    script = Script(*answers)
    where = {"MAIL_HOST": "127.0.0.1", "MAIL_PORT": script.listener.getsockname()[1], "MAIL_TIMEOUT": 5}
    heard: list[bytes] = []
    with Flask("nobody").app_context() as context:
        context.app.config["PUBLIC_URL"] = "http://localhost"
        server = transport.Server(where | {"MAIL_TLS": False, "MAIL_STARTTLS": False, "MAIL_USERNAME": ""})
        try:
            yield server, heard
        finally:
            server.close()
            script.thread.join()
    heard += script.heard[1:]


def to(address: str) -> Envelope:
    return Envelope("me@example.com", address, len(BODY))


def said(address: str) -> bytes:
    return f"MAIL FROM:<me@example.com>\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode()


def test_an_envelope_is_one_packet_and_a_body_without_a_reader_is_empty() -> None:
    """The second letter's server answers DATA with "go on" although it has refused the reader (RFC 2920, 3.1)."""
    with spoken_to(YES, b"250 taken\r\n", NOBODY, b"554 nobody\r\n", b"250 reset\r\n", b"221 bye\r\n") as (
        server,
        heard,
    ):
        server.send(to(A), b"Subject: x\r\n\r\n.dot\r\n")
        with pytest.raises(transport.Rejected, match="550 no such box"):
            server.send(to(B), BODY)
    dotted = b"Subject: x\r\n\r\n..dot\r\n.\r\n"
    assert heard == [said(A), dotted, said(B), b".\r\n", b"rset\r\n", b"quit\r\n", b""]


def test_the_next_envelope_goes_with_the_body_and_its_answers_are_heard_when_its_turn_comes() -> None:
    with spoken_to(YES, b"250 taken\r\n" + YES, b"250 taken\r\n", b"221 bye\r\n") as (server, heard):
        server.send(to(A), BODY, to(B))
        server.send(to(B), BODY)
    assert heard == [said(A), BODY + b".\r\n" + said(B), BODY + b".\r\n", b"quit\r\n", b""]


def test_a_refused_body_does_not_undo_the_next_envelope() -> None:
    with spoken_to(YES, b"554 spam\r\n" + YES, b"250 taken\r\n", b"221 bye\r\n") as (server, heard):
        with pytest.raises(transport.Rejected, match="554 spam"):
            server.send(to(A), BODY, to(B))
        server.send(to(B), BODY)
    assert heard == [said(A), BODY + b".\r\n" + said(B), BODY + b".\r\n", b"quit\r\n", b""]


def test_a_reader_refused_ahead_is_told_of_in_his_turn() -> None:
    with spoken_to(YES, b"250 taken\r\n" + NOBODY, b"554 nobody\r\n", b"250 reset\r\n", b"221 bye\r\n") as (
        server,
        heard,
    ):
        server.send(to(A), BODY, to(B))
        with pytest.raises(transport.Rejected, match="550 no such box"):
            server.send(to(B), BODY)
    assert heard[1:] == [BODY + b".\r\n" + said(B), b".\r\n", b"rset\r\n", b"quit\r\n", b""]


def test_an_address_that_cannot_be_said_is_not_announced() -> None:
    with spoken_to(YES, b"250 taken\r\n", b"221 bye\r\n") as (server, heard):
        server.send(to(A), BODY, to("a@example.com>\r\nRCPT TO:<b@example.com"))
    assert heard == [said(A), BODY + b".\r\n", b"quit\r\n", b""]


def test_who_announced_a_letter_and_does_not_send_it_hangs_up_without_a_word() -> None:
    """A server that waits for a body would take a "quit" for it, and the next letter for the one announced."""
    with spoken_to(YES, b"250 taken\r\n" + YES) as (server, heard):
        server.send(to(A), BODY, to(B))
        with pytest.raises(transport.Unreachable):
            server.send(to("c@example.com"), BODY)
    assert heard == [said(A), BODY + b".\r\n" + said(B), b""]


def test_stopped_between_two_letters_the_announced_one_is_put_back_and_comes_once(
    make_app: Callable[..., Flask], session: Session, office: mail_server.Office
) -> None:
    write(session, A, B)
    app, answers = make_app(**settings(office.port)), iter((False, True))
    assert deliver(app, stop=lambda: next(answers)).sent == 1
    assert states(session) == {A: "sent", B: "queued"}
    assert deliver(app).sent == 1
    assert office.recipients == [A, B]
