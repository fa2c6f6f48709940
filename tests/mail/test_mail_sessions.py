"""Sessions: a server ends them after so many letters, refusals or idle seconds; no letter has to wait for that."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.extensions import db
from booking.mail import outbox, transport
from tests.mail.test_outbox import NOW, deliver, settings, write
from tests.support import mail_server

pytestmark = [pytest.mark.smtp, pytest.mark.sqlite]

LONGEST = 2  # letters of a session


class Server:
    """Takes a few letters in a session, and says goodbye at that stage of the next; without a stage, in between."""

    def __init__(self, stage: bytes, goodbye: bytes) -> None:
        self.stage, self.goodbye = stage, goodbye
        self.taken: list[bytes] = []
        self.sessions: list[int] = []  # the letters of each
        self.listener = socket.create_server(("127.0.0.1", 0))

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as heard:
                self._talk(connection, heard)

    def _talk(self, connection: socket.socket, heard: Any) -> None:
        connection.sendall(b"220 hello\r\n")
        self.sessions.append(0)
        reader = b""
        for said in heard:
            word = said[:4].upper()
            reader = said.split(b"<")[1].split(b">")[0] if word == b"RCPT" else reader
            answer = self._answer(word)
            connection.sendall(answer)
            if word == b"QUIT" or answer.startswith(b"421"):
                return
            if word == b"DATA":
                connection.sendall(self._take(heard, reader))
                if self._is_over(b""):
                    return

    def _answer(self, word: bytes) -> bytes:
        if self._is_over(word):
            return self.goodbye
        return b"354 go on\r\n" if word == b"DATA" else b"250 yes\r\n"

    def _take(self, heard: Any, reader: bytes) -> bytes:
        next(body for body in heard if body == b".\r\n")
        self.taken.append(reader)
        self.sessions[-1] += 1
        return b"250 taken\r\n" + (self.goodbye if self._is_over(b"") else b"")

    def _is_over(self, stage: bytes) -> bool:
        return self.sessions[-1] == LONGEST and stage == self.stage


@contextmanager
def serving(stage: bytes, goodbye: bytes) -> Iterator[tuple[Server, int]]:
    server = Server(stage, goodbye)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server, server.listener.getsockname()[1]
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


def wait_for_goodbye(server: transport.Transport) -> None:
    assert isinstance(server, transport.Server)
    if server._smtp and server._smtp.sock:
        assert select.select([server._smtp.sock], [], [], 30)[0]


@pytest.mark.parametrize(
    ("stage", "goodbye"),
    [
        (b"", b""),
        (b"", b"421 4.4.2 timeout exceeded\r\n"),
        (b"MAIL", b"421 too many messages in this connection\r\n"),
        (b"MAIL", b"452 4.3.0 Command rejected: Too many messages sent\r\n"),
        (b"RCPT", b"421 4.7.0 too many errors\r\n"),
    ],
)
def test_when_the_server_ends_a_session_the_next_letter_goes_over_a_new_one(
    make_app: Callable[..., Flask], session: Session, stage: bytes, goodbye: bytes
) -> None:
    addresses = [f"a{n}@example.com" for n in range(7)]
    write(session, *addresses)
    with serving(stage, goodbye) as (fake, port):
        app = make_app(**settings(port))
        with app.app_context(), transport.opened(app.config) as server:
            for letter in range(1, 8):
                assert outbox.deliver(db.session, server, NOW, limit=1) == outbox.Delivery(claimed=1, sent=1)
                if not stage and letter % LONGEST == 0:
                    wait_for_goodbye(server)
    assert sorted(fake.taken) == sorted(address.encode() for address in addresses)
    assert fake.sessions == [2, 2, 2, 1]


def test_a_refusal_of_the_first_letter_is_not_taken_for_the_end_of_a_session(
    make_app: Callable[..., Flask], session: Session
) -> None:
    write(session, "a@example.com", "b@example.com")
    with mail_server.running() as office:
        office.at_rcpt["a@example.com"] = "421 4.7.0 not now"
        assert deliver(make_app(**settings(office.port))) == outbox.Delivery(claimed=2, sent=1, put_off=1)
    assert office.connections == 2


def test_an_address_outside_of_ascii_is_refused_before_the_server_is_asked(
    make_app: Callable[..., Flask],
) -> None:
    with mail_server.running(enable_SMTPUTF8=True) as office:
        app = make_app(**settings(office.port))
        with transport.opened(app.config) as server, pytest.raises(transport.Rejected, match="not in ASCII"):
            server.send("lunch@example.com", "李静@example.com", b"Subject: hello\r\n\r\n")
    assert office.connections == 0
