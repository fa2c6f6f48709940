"""Crash tests of the scheduler: nothing is lost, nothing is done twice, at most one repeated letter for each kill."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import config
from booking import invariants
from booking.model import Digest, Letter
from tests.support import log_guard, mail_server
from tests.support.letter_cast import Letters, monday_and_tuesday
from tests.support.lunch_hour import at

pytestmark = pytest.mark.smtp


@pytest.fixture
def office() -> Iterator[mail_server.Office]:
    with mail_server.running() as office:
        yield office


@pytest.fixture
def cast(session: Session) -> Letters:
    return monday_and_tuesday(session)


def talks(url: str, office: mail_server.Office, *how: str) -> int:
    """Kill a tick before and after each answer of the mail server. Returns the number of kills."""
    command = [
        sys.executable,
        "-m",
        "tests.support.crash_talk",
        url,
        str(office.port),
        at("Mon 09:30").isoformat(),
        *how,
    ]
    return _kills(command)


def _kills(command: list[str]) -> int:
    """What it prints. What it logs tells of nobody."""
    ran = subprocess.run(command, cwd=config.ROOT, check=True, capture_output=True, text=True)
    log_guard.check(ran.stderr)
    return int(ran.stdout)


def each_came(office: mail_server.Office) -> Counter[str]:
    """How often each of the letters arrived: all of them at least once."""
    came = Counter(office.recipients)
    sides = [f"{answer}-{side}-{n}@example.com" for answer in range(11) for side in ("before", "after") for n in (1, 2)]
    assert [address for address in sides if not came[address]] == [], "lost"
    return came


def sweep(url: str, office: mail_server.Office, *how: str) -> int:
    """Ticks from 8:30 on, all killed but the last. Returns the number of kills."""
    command = [sys.executable, "-m", "tests.support.crash_tick", url, str(office.port), at("08:30").isoformat(), *how]
    return _kills(command)


def examine(session: Session, office: mail_server.Office, kills: int) -> None:
    """The invariants after any number of kills."""
    session.rollback()
    assert invariants.breaches(session, at("11:59")) == []
    assert session.scalar(select(func.count(Digest.id)).where(Digest.kind == "worker")) == 6
    letters = session.scalars(select(Letter)).all()
    assert {letter.state for letter in letters} <= {"sent", "dropped"}
    came = Counter(message["Message-ID"] for message in office.came)
    sent = {f"<{letter.message_id}@127.0.0.1>" for letter in letters if letter.state == "sent"}
    assert sent - came.keys() == set(), "lost"
    assert sum(came.values()) - len(came) <= kills, "more than once a kill"


@pytest.mark.postgresql
def test_a_scheduler_killed_before_its_commits_loses_nothing(
    cast: Letters, session: Session, database_url: str, office: mail_server.Office
) -> None:
    kills = sweep(database_url, office, "before")
    assert kills >= 6
    examine(session, office, kills)


@pytest.mark.sqlite
def test_a_scheduler_killed_after_its_commits_loses_nothing(
    cast: Letters, session: Session, database_url: str, office: mail_server.Office
) -> None:
    kills = sweep(database_url, office, "after")
    assert kills >= 6
    examine(session, office, kills)


@pytest.mark.whole
@pytest.mark.sqlite
def test_control_the_sweep_notices_a_broken_claim(
    cast: Letters, session: Session, database_url: str, office: mail_server.Office
) -> None:
    kills = sweep(database_url, office, "before", "broken")
    with pytest.raises(AssertionError, match="lost"):
        examine(session, office, kills)


@pytest.mark.whole
@pytest.mark.one_database
def test_killed_at_every_stage_of_smtp_only_an_accepted_letter_is_sent_again(
    session: Session, database_url: str, office: mail_server.Office
) -> None:
    assert talks(database_url, office) == 22
    twice = {address for address, times in each_came(office).items() if times > 1}
    # The fifth and the ninth answer are those to the bodies of the first and the second letter.
    assert twice == {
        "5-before-1@example.com",
        "5-after-1@example.com",
        "9-before-2@example.com",
        "9-after-2@example.com",
    }
    assert max(Counter(message["Message-ID"] for message in office.came).values()) == 2
    session.rollback()
    assert set(session.scalars(select(Letter.state))) == {"sent"}
    assert invariants.breaches(session, at("Mon 21:00")) == []


@pytest.mark.whole
@pytest.mark.sqlite
def test_control_the_smtp_stages_notice_a_broken_claim(
    session: Session, database_url: str, office: mail_server.Office
) -> None:
    talks(database_url, office, "broken")
    with pytest.raises(AssertionError, match="lost"):
        each_came(office)
