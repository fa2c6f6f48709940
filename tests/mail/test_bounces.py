"""Bounces: who is marked by which report, who never is, and what stops and begins again."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, people
from booking.db import transactions
from booking.extensions import db
from booking.mail import bounces, digests, recipient, rendering
from booking.mail.bounces import BounceOutcome
from booking.mail.dsn import FailureReport
from booking.mail.smtp_replies import Meaning
from booking.model import Bounce, Event, Letter, Station, Suppression
from booking.people import suppression
from tests.support import letter_cast
from tests.support.lunch_hour import at
from tests.support.network_cast import MONDAY, Network
from tests.support.reports import FILLED, report, sent_letter

ZHOU = "zhou@example.com"
DAY = timedelta(days=1)
LATER = MONDAY + timedelta(minutes=5)


@pytest.fixture
def network(session: Session) -> Network:
    return Network(session)


@pytest.fixture
def sent(network: Network) -> str:
    """The Message-ID of a letter that 周明 was sent on Monday."""
    return sent_letter(network.session, MONDAY, person_id=network.ids["周明"])


def receive(network: Network, name: str, message_id: str, now: datetime = LATER, to: str = ZHOU) -> BounceOutcome:
    return bounces.receive(network.session, report(name, message_id, to), now)


def listed(network: Network) -> dict[int, str]:
    network.session.rollback()
    return dict(network.session.execute(select(Suppression.person_id, Suppression.kind)).all())


def events(network: Network) -> list[str]:
    network.session.rollback()
    mail = Event.kind.in_(("mail_stopped", "mail_resumed"))
    return list(network.session.scalars(select(Event.kind).where(mail).order_by(Event.id)))


def count(network: Network) -> int:
    network.session.rollback()
    return len(network.session.scalars(select(Bounce.key)).all())


def is_sound(network: Network) -> bool:
    return not invariants.breaches(network.session, LATER)


OUTCOMES = {
    "postfix": (BounceOutcome.HARD, "hard"),
    "exim": (BounceOutcome.HARD, "hard"),
    "exim_unrouteable": (BounceOutcome.HARD, "hard"),
    "global": (BounceOutcome.HARD, "hard"),
    "gbk_diagnostic": (BounceOutcome.HARD, "hard"),
    "qq": (BounceOutcome.HARD, "hard"),
    "netease_gbk": (BounceOutcome.HARD, "hard"),
    "mailbox_full": (BounceOutcome.SOFT, None),
    "exim_spam": (BounceOutcome.SOFT, None),
    "forwarded_on": (BounceOutcome.SOFT, None),
    "sender_refused": (BounceOutcome.SENDER, None),
    "qq_without_letter": (BounceOutcome.UNMATCHED, None),
    "report_about_a_report": (BounceOutcome.UNMATCHED, None),
    "postfix_delayed": (BounceOutcome.IGNORED, None),
    "out_of_office": (BounceOutcome.IGNORED, None),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_what_each_report_does(network: Network, sent: str, name: str) -> None:
    outcome, mark = OUTCOMES[name]
    assert receive(network, name, sent) is outcome
    assert listed(network) == ({network.ids["周明"]: mark} if mark else {})
    assert events(network) == (["mail_stopped"] if mark else [])
    assert count(network) == (outcome is not BounceOutcome.IGNORED)
    assert is_sound(network)


def test_the_same_letter_counts_once(network: Network, sent: str) -> None:
    assert receive(network, "postfix", sent) is BounceOutcome.HARD
    assert [receive(network, name, sent) for name in ("postfix", "exim")] == [BounceOutcome.KNOWN] * 2
    assert receive(network, "qq_without_letter", sent) is BounceOutcome.UNMATCHED
    assert receive(network, "qq_without_letter", sent) is BounceOutcome.KNOWN
    assert (count(network), events(network)) == (2, ["mail_stopped"])


def test_a_code_to_an_address_marks_the_account_with_it(network: Network) -> None:
    known = sent_letter(network.session, MONDAY, to=ZHOU)
    nobodys = sent_letter(network.session, MONDAY, to="nobody@example.com")
    assert receive(network, "postfix", known) is BounceOutcome.HARD
    assert receive(network, "postfix", nobodys, to="nobody@example.com") is BounceOutcome.NOBODY
    assert listed(network) == {network.ids["周明"]: "hard"}


@pytest.mark.parametrize(
    ("name", "state"), [("postfix", "failed"), ("mailbox_full", "failed"), ("sender_refused", "sent")]
)
def test_who_invited_an_address_sees_that_the_letter_came_back(network: Network, name: str, state: str) -> None:
    told = (network.stations["cbd"], "nobody@example.com", "zh_Hans_CN", MONDAY, network.ids["何主任"])
    people.invite_manager(network.session, *told)
    with transactions.transaction(network.session) as session:
        letter = session.scalars(select(Letter)).one()
        letter.state, letter.message_id, letter.sent_at = "sent", FILLED, MONDAY
    assert receive(network, name, FILLED, to="nobody@example.com") is BounceOutcome.NOBODY
    (found,) = people.open_invitations(network.session, network.stations["cbd"])
    assert found.letter_state == state
    assert (count(network), listed(network)) == (0, {})
    assert is_sound(network)


FORGED: dict[str, Callable[[Network], str]] = {
    "no letter of ours": lambda _: FILLED,
    "a letter that was not sent": lambda n: sent_letter(n.session, MONDAY, person_id=n.ids["周明"], state="dropped"),
    "a letter of long ago": lambda n: sent_letter(n.session, MONDAY - 20 * DAY, person_id=n.ids["周明"]),
}


@pytest.mark.parametrize("which", FORGED)
@pytest.mark.parametrize("name", ["postfix", "qq", "netease_gbk"])
def test_a_report_about_no_letter_that_we_lately_sent_marks_nobody(network: Network, which: str, name: str) -> None:
    assert receive(network, name, FORGED[which](network)) is BounceOutcome.UNMATCHED
    assert listed(network) == {}


def test_a_report_about_one_persons_letter_cannot_mark_another(network: Network, sent: str) -> None:
    """Who knows the Message-ID of their own letter names somebody else's address."""
    assert receive(network, "postfix", sent, to="li@example.com") is BounceOutcome.SOFT
    assert listed(network) == {}


@pytest.mark.parametrize(
    ("days", "mark"),
    [
        ([0, 0, 0], None),
        ([0, 1], None),
        ([0, 1, 2], "soft"),
        ([0, 5, 13], "soft"),
        ([0, 7, 15], None),
        ([0, 1, 2, 3], "soft"),
    ],
)
def test_soft_bounces_of_three_days_in_two_weeks_mark(network: Network, days: list[int], mark: str | None) -> None:
    for day in days:
        now = MONDAY + day * DAY
        message_id = sent_letter(network.session, now, person_id=network.ids["周明"])
        assert receive(network, "mailbox_full", message_id, now) is BounceOutcome.SOFT
    assert listed(network) == ({network.ids["周明"]: mark} if mark else {})
    assert is_sound(network)


def test_a_refusal_about_us_never_marks(network: Network) -> None:
    for day in range(5):
        now = MONDAY + day * DAY
        message_id = sent_letter(network.session, now, person_id=network.ids["周明"])
        assert receive(network, "sender_refused", message_id, now) is BounceOutcome.SENDER
    assert listed(network) == {}


def test_a_soft_mark_becomes_a_hard_one_and_not_the_other_way_round(network: Network) -> None:
    me = network.ids["周明"]
    for kind, changed in (("soft", True), ("hard", True), ("soft", False), ("hard", False)):
        assert suppression.suppress(network.session, me, kind, "", LATER) is changed
    assert listed(network) == {me: "hard"}
    assert is_sound(network)


@pytest.mark.parametrize(
    ("kind", "letter", "sent"),
    [
        ("hard", "worker_digest", False),
        ("hard", "manager_digest", False),
        ("hard", "slot_cancelled", False),
        ("hard", "confirmed", False),
        ("hard", "calendar", True),
        ("soft", "worker_digest", False),
        ("soft", "manager_digest", False),
        ("soft", "slot_cancelled", True),
        (None, "worker_digest", True),
    ],
)
def test_which_letters_are_still_sent(network: Network, kind: str | None, letter: str, *, sent: bool) -> None:
    row = Letter(kind=letter, person_id=network.ids["周明"])
    reader = network.person("周明")
    if sent:
        assert recipient.address(row, reader, kind) == ZHOU
    else:
        with pytest.raises(recipient.Dropped, match="comes back"):
            recipient.address(row, reader, kind)


@pytest.mark.parametrize("kind", suppression.KINDS)
def test_no_digest_is_written_to_who_is_marked(session: Session, kind: str) -> None:
    cast = letter_cast.tuesday(session)
    suppression.suppress(session, cast.people["林晓"], kind, "", at("Mon 12:00"))
    letter_cast.write_digests(session, "worker", at("08:30"))
    told = set(session.scalars(select(Letter.person_id).where(Letter.kind == "worker_digest")))
    assert told == {cast.people[who] for who in ("周明", "李静", "王磊", "陈晨", "刘洋")}
    station = session.get_one(Station, cast.station_id)
    why_not = {one.person.name: one.why_not for one in digests.preview(session, "worker", station, at("08:30"))}
    assert (why_not["林晓"], why_not["周明"]) == ("mail comes back", "")


@pytest.mark.parametrize("letter", ["code", "already_registered"])
def test_what_is_asked_for_by_address_is_sent_all_the_same(network: Network, letter: str) -> None:
    assert recipient.address(Letter(kind=letter, to=ZHOU), None, "hard") == ZHOU


def test_a_letter_that_is_on_its_way_is_dropped(network: Network, app: Flask, sent: str) -> None:
    """It was queued before its reader was marked."""
    receive(network, "postfix", sent)
    queued = sent_letter(network.session, LATER, person_id=network.ids["周明"], state="queued")
    with app.app_context():
        letter = db.session.scalars(select(Letter).where(Letter.message_id == queued)).one()
        with pytest.raises(rendering.Dropped, match="comes back"):
            rendering.compose(db.session(), letter, LATER)


@pytest.mark.parametrize("how", ["sign_in", "reset", "prove"])
def test_a_code_that_was_read_ends_it(network: Network, sent: str, how: str) -> None:
    receive(network, "postfix", sent)
    me = network.ids["周明"]
    asked = "reset" if how == "reset" else "sign_in"
    people.ask_for_code(network.session, ZHOU, asked, "en", LATER, "browser", "192.0.2.1")
    whence = (network.code(ZHOU), "browser", "192.0.2.1")
    match how:
        case "sign_in":
            assert people.with_code(network.session, ZHOU, *whence, "agent", LATER)
        case "reset":
            code, *rest = whence
            assert people.reset_password(network.session, ZHOU, code, "hash", *rest, LATER)
        case "prove":
            assert not people.prove_address(network.session, me, "000000", *whence[1:], LATER)
            assert listed(network) == {me: "hard"}
            assert people.prove_address(network.session, me, *whence, LATER)
    assert (listed(network), events(network)) == ({}, ["mail_stopped", "mail_resumed"])
    assert is_sound(network)


def test_letters_of_before_the_proof_count_no_more(network: Network, sent: str) -> None:
    receive(network, "postfix", sent)
    older = sent_letter(network.session, MONDAY + timedelta(minutes=1), person_id=network.ids["周明"])
    with transactions.transaction(network.session) as session:
        suppression.lift(session, network.person("周明"), LATER)
    assert receive(network, "exim", older, LATER + DAY) is BounceOutcome.KNOWN
    newer = sent_letter(network.session, LATER + DAY, person_id=network.ids["周明"])
    assert receive(network, "exim", newer, LATER + DAY) is BounceOutcome.HARD


def test_a_refusal_by_the_server_itself_is_the_same(network: Network, session: Session, sent: str) -> None:
    letter_id = session.scalars(select(Letter.id).where(Letter.message_id == sent)).one()
    assert bounces.refused(session, letter_id, Meaning.CONTENT, "554 spam", LATER) is BounceOutcome.SOFT
    other = sent_letter(session, MONDAY, person_id=network.ids["周明"])
    letter_id = session.scalars(select(Letter.id).where(Letter.message_id == other)).one()
    said = "550 5.1.1 <zhou@example.com>: no such user"
    assert bounces.refused(session, letter_id, Meaning.ADDRESS, said, LATER) is BounceOutcome.HARD
    session.rollback()
    assert session.scalars(select(Suppression.reply)).one() == "550 5.1.1 …: no such user"


def test_a_deleted_account_leaves_nothing(network: Network, sent: str) -> None:
    receive(network, "postfix", sent)
    people.delete_account(network.session, network.ids["周明"], LATER)
    assert (count(network), listed(network)) == (0, {})
    assert receive(network, "exim", sent) is BounceOutcome.NOBODY
    assert is_sound(network)


def test_the_export_has_it_and_a_month_ends_it(network: Network, sent: str) -> None:
    receive(network, "postfix", sent)
    told = people.everything_about(network.session, network.ids["周明"])
    assert [row["kind"] for row in told["bounces"]] == ["hard"]
    assert told["mail_stopped"][0]["since"] == "2026-11-23T01:05:00+00:00"
    people.forget(network.session, LATER + 29 * DAY)
    assert count(network) == 1
    people.forget(network.session, LATER + 31 * DAY)
    assert (count(network), listed(network)) == (0, {network.ids["周明"]: "hard"})


def test_reports_of_nothing_that_we_sent_change_nothing(network: Network) -> None:
    assert bounces.take(network.session, FailureReport("0" * 64, frozenset(), ()), LATER) is BounceOutcome.UNMATCHED
    assert bounces.lately(network.session, LATER) == {"hard": 0, "soft": 0, "sender": 0, "unmatched": 1}
    assert bounces.unreached(network.session) == 0
