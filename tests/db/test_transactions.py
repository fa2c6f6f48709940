"""Transactions: one commits completely, or not at all, and never inside another."""

import pytest
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Station


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
