"""Dovecot as the mailbox for bounces: the protocol as a real server speaks it, in the clear, with STARTTLS and over TLS."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import dsn, mailbox
from booking.model import Suppression
from tests.support import dovecot, imap_server
from tests.support.network_cast import MONDAY, Network
from tests.support.reports import report, sent_letter

pytestmark = [pytest.mark.whole, pytest.mark.sqlite]

ZHOU = "zhou@example.com"


@pytest.fixture(scope="module")
def server() -> Iterator[dovecot.Dovecot]:
    with dovecot.running() as server:
        yield server


@pytest.mark.parametrize("how", ["plain", "starttls", "tls"])
def test_bounces_are_read_from_dovecot(
    make_app: Callable[..., Flask],
    session: Session,
    server: dovecot.Dovecot,
    how: str,
) -> None:
    network = Network(session)
    sent = sent_letter(session, MONDAY, person_id=network.ids["周明"])
    messages = {
        "huge": b"Subject: huge\n\n" + b"x\n" * dsn.LARGEST,
        "answer": b"From: zhou@example.com\nSubject: Re: lunch\n\nthanks\n",
        "broken": b"\xff\xfe",
        "foreign": report("qq_without_letter"),
        "ours": report("postfix", sent, ZHOU),
    }
    for name, message in messages.items():
        server.put(f"{how}_{name}", message)
    port = server.imaps if how == "tls" else server.imap
    ways = {
        "BOUNCES_HOST": "localhost",
        "BOUNCES_TLS": how == "tls",
        "BOUNCES_STARTTLS": how == "starttls",
        "MAIL_CA": server.certificate,
    }
    app = make_app(**imap_server.settings(port, **ways))
    with app.app_context():
        assert schedule.read_bounces(Turn(MONDAY)) == 2
        assert schedule.read_bounces(Turn(MONDAY)) == 0
    found = {name.removeprefix(f"{how}_"): flags for name, flags in server.flags().items() if name.startswith(how)}
    assert found == {"huge": "", "answer": "", "broken": "", "foreign": "FS", "ours": "S"}
    session.rollback()
    assert session.scalars(select(Suppression.person_id)).all() == [network.ids["周明"]]


def test_a_certificate_of_nobody_is_refused(make_app: Callable[..., Flask], server: dovecot.Dovecot) -> None:
    app = make_app(**imap_server.settings(server.imaps, BOUNCES_HOST="localhost", BOUNCES_TLS=True))
    with app.app_context(), pytest.raises(mailbox.MailboxError, match="certificate"):
        schedule.read_bounces(Turn(MONDAY))
