"""The ends of letters that are on their way to PostgreSQL: a kill loses none, nor does a database that goes away."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from time import monotonic

import pytest
from sqlalchemy import create_engine, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import config
from booking.db import transactions
from booking.enqueue import enqueue
from booking.mail import ends
from booking.model import Letter
from tests.support.databases import connect_engine
from tests.support.lunch_hour import at

NOW = at("Mon 09:30")
PATIENCE = 20  # seconds

pytestmark = pytest.mark.postgresql


@pytest.fixture
def letter_ids(session: Session) -> list[int]:
    """As many letters as may be on their way at once, claimed by a sender."""
    with transactions.transaction(session):
        for n in range(ends.LINES):
            enqueue(session, "already_registered", NOW, to=f"a{n}@example.com", language="en")
        session.flush()
        session.execute(update(Letter).values(state="sending", claimed_at=NOW))
    return list(session.scalars(select(Letter.id).order_by(Letter.id)))


@pytest.fixture
def way(database_url: str) -> Iterator[ends.OnTheirWay]:
    engine = connect_engine(database_url)
    with closing(ends.OnTheirWay(engine)) as way:
        yield way
    engine.dispose()


def states(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Letter.state).order_by(Letter.id)))


def die(session: Session, url: str, how: str, letter_ids: list[int]) -> None:
    """A sender says that they were sent, and is killed before PostgreSQL has carried out the first."""
    session.execute(select(Letter.id).where(Letter.id == letter_ids[0]).with_for_update())
    command = [sys.executable, "-m", "tests.support.crash_ends", url, how, *map(str, letter_ids)]
    assert subprocess.run(command, cwd=config.ROOT, check=False).returncode == -9
    session.rollback()
    since = monotonic()
    while session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'killed'")):
        session.rollback()
        assert monotonic() - since < PATIENCE


def test_what_was_handed_over_is_written_down_though_the_sender_was_killed(
    session: Session, database_url: str, letter_ids: list[int]
) -> None:
    die(session, database_url, "lines", letter_ids)
    assert states(session) == ["sent"] * ends.LINES


def test_control_many_ends_in_one_line_would_be_lost(
    session: Session, database_url: str, letter_ids: list[int]
) -> None:
    die(session, database_url, "one_line", letter_ids)
    assert states(session)[0] == "sent"
    assert states(session)[-1] == "sending"


def cut(session: Session) -> None:
    session.execute(
        text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'UPDATE letter%'")
    )


def test_ends_whose_lines_were_cut_are_written_again_once_each(
    session: Session, way: ends.OnTheirWay, letter_ids: list[int]
) -> None:
    session.execute(select(Letter.id).where(Letter.id == letter_ids[0]).with_for_update())
    for letter_id in letter_ids:
        way.sent(letter_id, NOW)
    cut(session)
    session.rollback()
    way.settle()
    assert states(session) == ["sent"] * ends.LINES
    assert Counter(session.scalars(select(Letter.tries))) == {1: ends.LINES}


def test_a_database_that_is_away_gets_the_ends_when_it_is_back(
    session: Session, way: ends.OnTheirWay, letter_ids: list[int], database_url: str
) -> None:
    elsewhere = create_engine(database_url.rpartition("/")[0] + "/postgres", isolation_level="AUTOCOMMIT")
    name = session.get_bind().engine.url.database
    session.execute(select(Letter.id).where(Letter.id == letter_ids[0]).with_for_update())
    for letter_id in letter_ids[:-1]:
        way.sent(letter_id, NOW)
    with elsewhere.connect() as admin:
        admin.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cut(session)
        session.rollback()
        with pytest.raises(DBAPIError):
            way.settle()
        with pytest.raises(DBAPIError):
            way.sent(letter_ids[-1], NOW)
        admin.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    elsewhere.dispose()
    way.write_again()
    assert states(session) == ["sent"] * ends.LINES
