"""Mail servers that people run: Postfix, Exim and OpenSMTPD take our letters, and refuse them in their own words.

Debian's OpenSMTPD 6.8 breaks off every TLS handshake, so there is nothing to sign in to.
"""

import select
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.extensions import db
from booking.mail import backoff, outbox, rendering, transport
from booking.model import Letter
from tests.mail.test_outbox import MINUTE, NOW, deliver, only, settings, states, write
from tests.support import certificates, letter_cast, mail_servers
from tests.support.certificates import Authority
from tests.support.mail_servers import HOST, PASSWORD, USER, Kind, Running, exim, opensmtpd, postfix

pytestmark = [pytest.mark.whole, pytest.mark.smtp, pytest.mark.sqlite]

KINDS = (postfix.KIND, exim.KIND, opensmtpd.KIND)
SENDER = "午间驿小时 <lunch@example.com>"
Serving = Callable[..., AbstractContextManager[Running]]


def having(*features: str) -> pytest.MarkDecorator:
    """The servers whose configuration has these."""
    return pytest.mark.parametrize("kind", [kind for kind in KINDS if set(features) <= set(kind.features)], ids=str)


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Path]:
    """Each server's files, fetched when they are first asked for."""
    found: dict[str, Path] = {}

    def tree(kind: Kind) -> Path:
        if kind.name not in found:
            found[kind.name] = mail_servers.unpack(kind.packages, tmp_path_factory.mktemp(kind.name))
        return found[kind.name]

    return tree


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return certificates.authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def serving(trees: Callable[[Kind], Path], ca: Authority) -> Serving:
    def serve(kind: Kind, *features: str, subject: str = certificates.OURS) -> AbstractContextManager[Running]:
        return mail_servers.running(kind, trees(kind), *features, certificate=ca.certificate("mail", subject))

    return serve


@pytest.fixture
def app_of(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    def app(server: Running, **more: Any) -> Flask:
        return make_app(**settings(server.port) | {"MAIL_FROM": SENDER, **more})

    return app


def pause(session: Session) -> tuple[str, str] | None:
    session.rollback()
    found = backoff.current(session)
    return (found.kind, found.reply) if found else None


def read(letter: bytes) -> EmailMessage:
    found = message_from_bytes(letter, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def ids(letters: list[bytes]) -> Counter[str]:
    return Counter(read(letter)["Message-ID"] for letter in letters)


# What arrives


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("about", ["confirmed", "worker_digest"])
def test_a_letter_arrives_as_it_was_written(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind, about: str
) -> None:
    letter, now = letter_cast.make(session, about)
    with serving(kind) as server:
        app = app_of(server)
        with app.app_context():
            sent = rendering.compose(session, letter, now).mime
        assert deliver(app, now, kinds=Letter.id == letter.id) == outbox.Delivery(claimed=1, sent=1)
        (arrived,) = server.letters(1)
    ours, theirs = read(sent), read(arrived)
    assert arrived.partition(b"\n\n")[2].rstrip() == sent.replace(b"\r\n", b"\n").partition(b"\n\n")[2].rstrip()
    assert {name: theirs.get_all(name) for name in ours} == {name: ours.get_all(name) for name in ours}
    assert theirs["From"].addresses[0].display_name == "午间驿小时"
    assert not theirs["Subject"].isascii()
    if about == "worker_digest":
        assert theirs["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert theirs["List-Unsubscribe"].startswith("<http")
    else:
        calendars = [part for part in theirs.walk() if part.get_content_type() == "text/calendar"]
        assert ["METHOD:REQUEST" in part.get_content() for part in calendars] == [True]


# TLS and passwords


def signed(ca: Authority, *, wrapped: bool = False, password: str = PASSWORD) -> dict[str, Any]:
    user = {"MAIL_USERNAME": USER, "MAIL_PASSWORD": password}
    return {"MAIL_TLS": wrapped, "MAIL_STARTTLS": not wrapped, "MAIL_CA": str(ca.pem), **user}


@having("login")
@pytest.mark.parametrize("features", [("starttls",), ("starttls", "login"), ("smtps",)], ids=" ".join)
def test_who_signs_in_over_tls_with_a_private_ca_may_send(
    serving: Serving, app_of: Callable[..., Flask], session: Session, ca: Authority, kind: Kind, features: Any
) -> None:
    write(session, "a1@example.com", "a2@example.com", "a3@example.com")
    with serving(kind, *features) as server:
        app = app_of(server, **signed(ca, wrapped="smtps" in features))
        assert deliver(app) == outbox.Delivery(claimed=3, sent=3)
        assert set(ids(server.letters(3)).values()) == {1}


@having("login")
def test_a_wrong_password_keeps_the_letters_for_the_operator(
    serving: Serving, app_of: Callable[..., Flask], session: Session, ca: Authority, kind: Kind
) -> None:
    write(session, "a1@example.com", "a2@example.com")
    with serving(kind, "starttls") as server:
        assert deliver(app_of(server, **signed(ca, password="wrong"))) == outbox.Delivery(claimed=2, put_off=2)
        kept = pause(session)
        assert kept
        assert kept[0] == "setup"
        assert kept[1].startswith("535 ")
        assert deliver(app_of(server, **signed(ca)), NOW + MINUTE).sent == 2


@having("login")
def test_without_signing_in_the_letters_are_kept_too(
    serving: Serving, app_of: Callable[..., Flask], session: Session, ca: Authority, kind: Kind
) -> None:
    write(session, "a1@example.com")
    with serving(kind, "starttls") as server:
        for more in ({}, {"MAIL_STARTTLS": True, "MAIL_CA": str(ca.pem)}):
            assert deliver(app_of(server, **more), only(session).next_try_at + timedelta(hours=1)).put_off == 1
    assert only(session).state == "queued"
    assert (pause(session) or [""])[0] == "setup"


@having("starttls")
@pytest.mark.parametrize("known", [True, False], ids=["another name", "unknown CA"])
def test_a_certificate_that_is_refused_keeps_the_letters(
    serving: Serving, app_of: Callable[..., Flask], session: Session, ca: Authority, kind: Kind, known: bool
) -> None:
    write(session, "a1@example.com")
    with serving(kind, "starttls", subject=f"DNS:{HOST}") as server:
        more = signed(ca) | ({} if known else {"MAIL_CA": None})
        assert deliver(app_of(server, **more)) == outbox.Delivery(claimed=1, put_off=1)
    kept = pause(session)
    assert kept
    assert kept[0] == "setup"
    assert ("IP address mismatch" if known else "unable to get local issuer") in kept[1]


# Refusals


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_an_unknown_mailbox_ends_its_letter_where_the_answer_is_clear(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    """OpenSMTPD calls it a trouble with a mailing list (524 5.2.4): that letter is tried for a day."""
    write(session, "a1@example.com", "nobody@example.com", "a2@example.com")
    unclear = kind is opensmtpd.KIND
    with serving(kind) as server:
        done = deliver(app_of(server))
        assert ids(server.letters(2)).total() == 2
    assert done == outbox.Delivery(claimed=3, sent=2, put_off=unclear, failed=not unclear)
    assert states(session)["nobody@example.com"] == ("queued" if unclear else "failed")
    assert pause(session) is None


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_server_that_does_not_relay_for_us_fails_no_letter(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    """Postfix relays for its own machine where nothing else is set. OpenSMTPD says of it what it says of an unknown mailbox."""
    write(session, *(f"a{n}@elsewhere.example" for n in range(6)))
    with serving(kind, *(["stranger"] if kind is postfix.KIND else [])) as server:
        done = deliver(app_of(server))
    assert (done.sent, done.failed) == (0, 0)
    assert set(states(session).values()) == {"queued"}
    assert (pause(session) or [""])[0] == ("unclear" if kind is opensmtpd.KIND else "setup")


@having("strange sender")
def test_a_sender_that_is_refused_at_the_recipient_fails_no_letter(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    """All three take MAIL FROM, and refuse RCPT TO."""
    addresses = [f"a{n}@example.com" for n in range(6)]
    write(session, *addresses)
    with serving(kind, "strange sender") as server:
        done = deliver(app_of(server))
    assert (done.sent, done.failed) == (0, 0)
    assert set(states(session).values()) == {"queued"}
    assert (pause(session) or [""])[0] == ("unclear" if kind is opensmtpd.KIND else "setup")


@having("full")
def test_a_full_mailbox_is_tried_again_and_stops_nobody(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    write(session, "a1@example.com", "a5@example.com", "a2@example.com")
    with serving(kind, "full") as server:
        assert deliver(app_of(server)) == outbox.Delivery(claimed=3, sent=2, put_off=1)
    assert states(session)["a5@example.com"] == "queued"
    with serving(kind) as server:
        assert deliver(app_of(server), NOW + MINUTE) == outbox.Delivery(claimed=1, sent=1)
        server.letters(1)


@having("no space")
def test_a_server_whose_disk_is_full_is_tried_again(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    write(session, "a1@example.com", "a2@example.com")
    with serving(kind, "no space") as server:
        assert deliver(app_of(server)) == outbox.Delivery(claimed=2, put_off=2)
    assert set(states(session).values()) == {"queued"}


@having("small")
def test_a_letter_that_is_too_large_is_failed(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    write(session, "a1@example.com", "a2@example.com")
    with serving(kind, "small") as server:
        assert deliver(app_of(server)) == outbox.Delivery(claimed=2, failed=2)
    assert "queued" not in states(session).values()


@pytest.mark.parametrize(
    ("kind", "features"),
    [*((kind, ()) for kind in KINDS), (postfix.KIND, ("utf8",)), (exim.KIND, ("utf8",))],
    ids=lambda value: str(value) if isinstance(value, Kind) else " ".join(value),
)
def test_an_address_outside_of_ascii_is_refused_with_a_sentence_whatever_the_server_can(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind, features: tuple[str, ...]
) -> None:
    write(session, "李静@example.com", "a1@example.com")
    with serving(kind, *features) as server:
        assert deliver(app_of(server)) == outbox.Delivery(claimed=2, sent=1, failed=1)
        assert "a1" in read(server.letters(1)[0])["To"]
    session.rollback()
    failed = session.query(Letter).filter_by(state="failed").one()
    assert failed.error == "the address has characters that are not in ASCII"


# Sessions


def restart_before(server: Running, letter: int) -> Callable[[], bool]:
    """`stop` of a round: it is asked before each letter, and never wants to stop."""
    left = [letter]

    def stop() -> bool:
        left[0] -= 1
        if left[0] == 0:
            server.settle()
            server.stop()
            server.start()
        return False

    return stop


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_server_that_restarts_within_a_batch_gets_each_letter_once(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    write(session, *(f"a{n}@example.com" for n in range(9)))
    with serving(kind) as server:
        done = deliver(app_of(server), stop=restart_before(server, 4))
        assert done == outbox.Delivery(claimed=9, sent=9)
        arrived = ids(server.letters(9))
    assert set(arrived.values()) == {1}
    assert arrived.total() == 9


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_server_that_stays_away_for_a_while_gets_each_letter_once(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    write(session, *(f"a{n}@example.com" for n in range(9)))
    with serving(kind) as server:
        app, left = app_of(server), [4]

        def stop() -> bool:
            left[0] -= 1
            if left[0] == 0:
                server.settle()
                server.stop()
            return False

        assert deliver(app, stop=stop) == outbox.Delivery(claimed=9, sent=3, put_off=6)
        server.start()
        assert deliver(app, NOW + MINUTE) == outbox.Delivery(claimed=6, sent=6)
        assert sorted(ids(server.letters(9)).values()) == [1] * 9


@having("hasty")
def test_a_connection_that_the_server_closes_between_two_letters_costs_nothing(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    write(session, "a1@example.com", "a2@example.com")
    with serving(kind, "hasty") as server:
        app = app_of(server)
        with app.app_context(), transport.opened(app.config) as ours:
            one = partial(outbox.deliver, db.session, ours, NOW, limit=1)
            assert one() == outbox.Delivery(claimed=1, sent=1)
            assert isinstance(ours, transport.Server)
            assert ours._smtp
            assert select.select([ours._smtp.sock], [], [], 30)[0]  # its goodbye
            assert one() == outbox.Delivery(claimed=1, sent=1)
        assert set(ids(server.letters(2)).values()) == {1}


@having("few")
def test_a_server_that_takes_few_letters_in_a_session_gets_all_of_them_at_once(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    write(session, *(f"a{n}@example.com" for n in range(10)))
    with serving(kind, "few") as server:
        assert deliver(app_of(server)) == outbox.Delivery(claimed=10, sent=10)
        assert sorted(ids(server.letters(10)).values()) == [1] * 10


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_morning_of_letters_leaves_in_one_go(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    """OpenSMTPD takes a hundred in a session where nothing else is set."""
    write(session, *(f"a{n}@example.com" for n in range(150)))
    with serving(kind) as server:
        assert deliver(app_of(server), limit=150) == outbox.Delivery(claimed=150, sent=150)
        assert sorted(ids(server.letters(150)).values()) == [1] * 150


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_many_unknown_mailboxes_do_not_cost_the_others_their_letters(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    """Servers end a session after so many refusals; Postfix after twenty."""
    write(session, *(f"nobody{n}@example.com" for n in range(25)))
    write(session, *(f"a{n}@example.com" for n in range(3)), now=NOW + MINUTE)
    with serving(kind) as server:
        done = deliver(app_of(server), NOW + MINUTE, limit=30)
        assert (done.claimed, done.sent, done.failed + done.put_off) == (28, 3, 25)
        assert sorted(ids(server.letters(3)).values()) == [1] * 3
    assert pause(session) is None


@having("one connection")
def test_a_server_that_wants_one_connection_of_us_gets_each_letter_in_the_end(
    serving: Serving, app_of: Callable[..., Flask], session: Session, kind: Kind
) -> None:
    write(session, "a1@example.com", "a2@example.com")
    with serving(kind, "one connection") as server:
        app = app_of(server)
        with app.app_context(), transport.opened(app.config) as other:
            connect(other)
            assert deliver(app) == outbox.Delivery(claimed=2, put_off=2)
            assert (pause(session) or [""])[0] == "throttled"
        sent, now = 0, NOW
        while sent < 2:  # until it has seen that the other one is gone
            now = later(now)
            sent += deliver(app, now).sent
        assert sorted(ids(server.letters(2)).values()) == [1] * 2


def connect(server: transport.Transport) -> None:
    """As soon as the connection that asked whether it listens is forgotten."""
    while True:
        try:
            server.connect()
        except transport.SenderRefused:
            continue
        return


def later(now: datetime) -> datetime:
    assert now < NOW + timedelta(days=1)
    return now + timedelta(hours=1)
