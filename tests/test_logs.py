"""Logs: an error in a log line says what is wrong, and nothing of the people whose data it is about."""

import logging
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking.db import pool
from booking.model import Person
from tests.support.log_guard import LogGuard
from tests.support.lunch_hour import LONG_BEFORE

log = logging.getLogger("booking.tests")


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


def not_a_number(session: Session) -> None:
    """SQLite would take it for 0."""
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    session.execute(
        text(f"SELECT {'abs(-9223372036854775807 - 1)' if on_sqlite else 'CAST(email AS integer)'} FROM person")
    )


def raw(session: Session) -> None:
    bind = session.get_bind()
    assert isinstance(bind, Engine)
    with pool.connection(bind) as connection:
        connection.send("UPDATE person SET name = NULL")


@pytest.mark.both
@pytest.mark.parametrize("wrong", [again, nameless, not_a_number, raw])
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
    with pytest.raises(DBAPIError, match=r"person\.email|uq_person_email"):
        again(session)


TOLD: list[tuple[str, list[object]]] = [
    ("to zhou@example.com", []),
    ("to %s", ["<zhou@mail.example.cn>"]),
    ("of 周明", []),
    ("%s", [ValueError("13800000000")]),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("line", "values"), TOLD)
def test_the_guard_finds_what_a_line_tells(zhou: Person, log_guard: LogGuard, line: str, values: list[object]) -> None:
    log.debug(line, *values)
    assert len(log_guard.taken()) == 1


@pytest.mark.sqlite
def test_the_guard_reads_exceptions_and_their_causes(zhou: Person, log_guard: LogGuard) -> None:
    error = RuntimeError("not sent")
    error.__cause__ = ValueError("no mailbox zhou@example.com")
    log.error("it happened", exc_info=error)
    assert len(log_guard.taken()) == 1
