"""Envelopes in one packet (RFC 2920): each answer is still heard, and a letter is taken when its body was."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.mail import post
from tests import mail_server
from tests.test_outbox import deliver, settings, states, write

A, B = "a@example.com", "b@example.com"

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


def test_an_envelope_is_one_packet_and_a_body_without_a_reader_is_empty() -> None:
    """The second letter's server answers DATA with "go on" although it has refused the reader (RFC 2920, 3.1)."""
    refused = b"250 sender\r\n550 no such box\r\n354 go on\r\n"
    script = Script(
        b"250 a\r\n250 b\r\n354 go on\r\n", b"250 taken\r\n", refused, b"554 nobody\r\n", b"250 reset\r\n", b""
    )
    where = {"MAIL_HOST": "127.0.0.1", "MAIL_PORT": script.listener.getsockname()[1], "MAIL_TIMEOUT": 5}
    with Flask("nobody").app_context() as context:
        context.app.config["PUBLIC_URL"] = "http://localhost"
        server = post.Server(where | {"MAIL_TLS": False, "MAIL_STARTTLS": False, "MAIL_USERNAME": ""})
        server.send("me@example.com", A, b"Subject: x\r\n\r\n.dot\r\n")
        with pytest.raises(post.Rejected, match="550 no such box"):
            server.send("me@example.com", B, b"Subject: x\r\n\r\n")
        server.close()
    script.thread.join()
    envelope = "MAIL FROM:<me@example.com>\r\nRCPT TO:<{}>\r\nDATA\r\n"
    assert script.heard[1:] == [
        envelope.format(A).encode(),
        b"Subject: x\r\n\r\n..dot\r\n.\r\n",
        envelope.format(B).encode(),
        b".\r\n",
        b"rset\r\n",
        b"quit\r\n",
    ]
