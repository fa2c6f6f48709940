"""Transactions: one commits completely, or not at all, and never inside another."""

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.transactions import retried, transactional
from booking.model import Station


@transactional
def found(session: Session, code: str, *, then: Exception | None = None) -> Station:
    station = Station(code=code, name="白领驿站")
    session.add(station)
    session.flush()
    if then:
        raise then
    return station


def test_leaving_by_an_exception_undoes_everything(session: Session) -> None:
    def fail_midway() -> None:
        with transactions.transaction(session):
            session.add(Station(code="cbd", name="白领驿站"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_midway()
    assert session.query(Station).count() == 0


def test_a_transaction_inside_a_transaction_is_refused_at_once(session: Session) -> None:
    """An inner one would wait for itself on SQLite, and roll the outer one back on PostgreSQL."""
    with transactions.transaction(session):
        session.add(Station(code="cbd", name="白领驿站"))
        with pytest.raises(RuntimeError, match="inside"), transactions.transaction(session):
            pass
    assert session.query(Station).count() == 1


def test_a_verb_commits_by_itself_and_a_refused_one_leaves_nothing(session: Session) -> None:
    assert found(session, "cbd").id
    with pytest.raises(ZeroDivisionError):
        found(session, "west", then=ZeroDivisionError())
    session.rollback()
    assert [station.code for station in session.query(Station)] == ["cbd"]


def test_a_verb_within_a_transaction_is_a_part_of_it(session: Session) -> None:
    def fail_after(make: object) -> None:
        with transactions.transaction(session) as writing:
            make(writing, "cbd")  # type: ignore[operator]
            raise ZeroDivisionError

    for make in (found, found.inside):
        with pytest.raises(ZeroDivisionError):
            fail_after(make)
        assert session.query(Station).count() == 0


def test_a_retried_verb_runs_once_more_after_a_transient_error_only(session: Session) -> None:
    class Locked(Exception):
        sqlstate = "55P03"

    tries: list[str] = []

    @retried
    def slow(session: Session, errors: list[Exception]) -> int:
        tries.append("")
        if errors:
            raise OperationalError("", {}, errors.pop())
        return session.query(Station).count()

    assert (slow(session, [Locked()]), len(tries)) == (0, 2)
    with pytest.raises(OperationalError):
        slow(session, [ValueError()])
    assert len(tries) == 3
