"""Mailbox: bounces are read by IMAP, each once, and nothing that lies beside them is touched or stands in the way."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking.jobs import schedule
from booking.jobs.batches import Turn
from booking.mail import bounces, dsn, mailbox
from booking.model import Bounce, Suppression
from tests.support import imap_server
from tests.support.imap_server import Mailbox
from tests.support.network_cast import MONDAY, Network
from tests.support.reports import FILLED, report, sent_letter

ZHOU = "zhou@example.com"
SEEN, FLAGGED = {r"\Seen"}, {r"\Seen", r"\Flagged"}

pytestmark = pytest.mark.sqlite


@pytest.fixture
def box() -> Iterator[Mailbox]:
    mailbox._seen.clear()
    with imap_server.running() as box:
        yield box


@pytest.fixture
def app(make_app: Callable[..., Flask], box: Mailbox) -> Flask:
    return make_app(**imap_server.settings(box.port))


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.fixture
def sent(network: Network) -> str:
    return sent_letter(network.session, MONDAY, person_id=network.ids["周明"])


def read(app: Flask) -> int:
    with app.app_context():
        return schedule.read_bounces(Turn(MONDAY))


def marked(network: Network) -> list[int]:
    network.session.rollback()
    return list(network.session.scalars(select(Suppression.person_id)))


def test_reports_are_marked_as_read_and_all_else_is_left_alone(
    app: Flask, box: Mailbox, network: Network, sent: str
) -> None:
    answer = box.put(b"From: zhou@example.com\r\nSubject: Re: lunch\r\n\r\nthanks\r\n")
    ours = box.put(report("postfix", sent, ZHOU))
    foreign = box.put(report("qq_without_letter"))
    delayed = box.put(report("postfix_delayed", sent, ZHOU))
    assert read(app) == 2
    assert box.flags == {answer: set(), ours: SEEN, foreign: FLAGGED, delayed: set()}
    assert marked(network) == [network.ids["周明"]]
    before = box.fetched()
    assert (read(app), box.fetched()) == (0, before)


def test_odd_and_huge_messages_do_not_stand_in_the_way(app: Flask, box: Mailbox, network: Network, sent: str) -> None:
    huge = box.put(b"x" * (dsn.LARGEST + 1))
    box.put(b"\xff\x00" * 100)
    box.put(b"")
    box.put(report("exim", sent, ZHOU))
    assert read(app) == 1
    assert huge not in box.fetched()
    assert marked(network) == [network.ids["周明"]]


def test_a_message_on_which_we_fail_is_left_and_the_next_is_read(
    app: Flask,
    box: Mailbox,
    network: Network,
    sent: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = box.put(report("postfix", FILLED)), box.put(report("postfix", sent, ZHOU))
    take = bounces.receive

    def fails(session: Session, raw: bytes, now: object) -> bounces.BounceOutcome:
        if raw == box.messages[bad]:
            raise ValueError("a fault of ours")
        return take(session, raw, now)  # type: ignore[arg-type]

    monkeypatch.setattr(bounces, "receive", fails)
    assert read(app) == 1
    assert (box.flags[bad], box.flags[good]) == (set(), SEEN)
    assert "cannot be read" in caplog.text


def test_while_the_database_is_away_nothing_is_lost(
    app: Flask, box: Mailbox, network: Network, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = box.put(report("postfix", sent, ZHOU))

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    with monkeypatch.context() as patched:
        patched.setattr(bounces, "receive", away)
        with pytest.raises(OperationalError):
            read(app)
    assert box.flags[uid] == set()
    assert (read(app), marked(network)) == (1, [network.ids["周明"]])


def test_a_crash_before_the_mark_counts_once(app: Flask, box: Mailbox, network: Network, sent: str) -> None:
    """It was counted, and not marked: another process reads it again."""
    box.put(report("postfix", sent, ZHOU))
    read(app)
    box.flags[1].clear()
    mailbox._seen.clear()
    assert (read(app), box.flags[1]) == (1, SEEN)
    network.session.rollback()
    assert len(network.session.scalars(select(Bounce)).all()) == 1


def test_messages_that_were_numbered_anew_are_looked_at_again(
    app: Flask, box: Mailbox, network: Network, sent: str
) -> None:
    box.put(b"an answer\r\n\r\n")
    read(app)
    box.validity = 2
    box.messages[1] = report("postfix", sent, ZHOU)
    assert read(app) == 1


def test_a_run_has_its_limit_and_ends_when_it_should(
    app: Flask, box: Mailbox, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        box.put(b"an answer\r\n\r\n")
    monkeypatch.setattr(mailbox, "IN_A_RUN", 2)
    for fetched in ([1, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5]):
        read(app)
        assert box.fetched() == fetched
    with app.app_context():
        box.put(b"an answer\r\n\r\n")
        assert schedule.read_bounces(Turn(MONDAY, lambda: True)) == 0
    assert 6 not in box.fetched()


WRONG = {
    "password": ({"BOUNCES_PASSWORD": "another-secret"}, "wrong password"),
    "folder": ({"BOUNCES_FOLDER": 'no "such" folder'}, "no such mailbox"),
    "port": ({"BOUNCES_PORT": 1}, "Connection refused"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_mailbox_that_cannot_be_read_says_why(make_app: Callable[..., Flask], box: Mailbox, what: str) -> None:
    changes, words = WRONG[what]
    app = make_app(**imap_server.settings(box.port, **changes))
    with pytest.raises(mailbox.MailboxError, match=f"BOUNCES_URL.*{words}") as error:
        read(app)
    assert "another-secret" not in str(error.value)


def test_it_names_itself_as_netease_wants_it(app: Flask, box: Mailbox) -> None:
    read(app)
    names = [command.split()[0] for command in box.asked]
    assert names.index("LOGIN") < names.index("ID") < names.index("SELECT")


def test_without_the_setting_nothing_is_done(make_app: Callable[..., Flask], box: Mailbox) -> None:
    app = make_app()
    assert app.config["BOUNCES_HOST"] is None
    assert read(app) == 0
    assert box.asked == []
