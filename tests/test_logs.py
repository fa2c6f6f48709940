"""Logs: an error in a log line says what is wrong, and nothing of the people whose data it is about."""

import logging
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking.db import pool, statements
from booking.model import Person
from tests.support.log_guard import LogGuard
from tests.support.lunch_hour import LONG_BEFORE

log = logging.getLogger("booking.tests")
INSERT = "INSERT INTO person (email, name, created_at) VALUES"


@pytest.fixture
def zhou(session: Session) -> Person:
    zhou = Person(email="zhou@example.com", name="周明", phone="13800000000", created_at=LONG_BEFORE)
    session.add(zhou)
    session.commit()
    return zhou


def again(session: Session) -> None:
    session.add(Person(email="zhou@example.com", name="周明", phone="13800000000", created_at=LONG_BEFORE))
    session.flush()


def nameless(session: Session) -> None:
    session.execute(text("UPDATE person SET name = NULL"))


def not_a_date(session: Session) -> None:
    session.execute(text("INSERT INTO person (created_at) SELECT name FROM person"), {})


def not_a_number(session: Session) -> None:
    session.execute(text("SELECT CAST(name AS integer) + 9223372036854775807, nothing FROM person"))


def wrong_number(session: Session) -> None:
    session.execute(text("SELECT CAST(email AS integer) / 1, abs(-9223372036854775807 - 1) FROM person")).all()


def raw(session: Session) -> None:
    bind = session.get_bind()
    assert isinstance(bind, Engine)
    with pool.connection(bind) as connection:
        connection.send("INSERT INTO person SELECT * FROM person")


@pytest.mark.parametrize("wrong", [again, nameless, not_a_date, not_a_number, wrong_number, raw])
def test_no_error_of_the_database_tells_whose_row_it_is(
    session: Session, zhou: Person, log_guard: LogGuard, wrong: Callable[[Session], None]
) -> None:
    with pytest.raises(DBAPIError) as caught:
        wrong(session)
    try:
        raise caught.value
    except DBAPIError:
        log.exception("it happened")
    session.rollback()
    assert log_guard.taken() == []


def test_an_error_still_says_what_is_wrong(session: Session, zhou: Person) -> None:
    with pytest.raises(DBAPIError, match="person.email|uq_person_email"):
        again(session)


TOLD: list[tuple[str, list[object]]] = [
    ("to zhou@example.com", []),
    ("to %s", ["<zhou@mail.example.cn>"]),
    ("of 周明", []),
    ("%s", [ValueError("13800000000")]),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("line", "values"), TOLD)
def test_the_guard_finds_what_a_line_tells(
    zhou: Person, log_guard: LogGuard, line: str, values: list[object]
) -> None:
    log.debug(line, *values)
    assert len(log_guard.taken()) == 1


@pytest.mark.sqlite
def test_the_guard_reads_exceptions_and_their_causes(zhou: Person, log_guard: LogGuard) -> None:
    try:
        try:
            raise ValueError("no mailbox zhou@example.com")
        except ValueError as error:
            raise RuntimeError("not sent") from error
    except RuntimeError:
        log.exception("it happened")
    assert len(log_guard.taken()) == 1
