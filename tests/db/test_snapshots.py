"""Snapshots of the tests: rows that are copied leave the other tables as they are."""

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Workday
from tests.support import snapshots
from tests.support.lunch_hour import LunchHour

OPEN = "Mon 10:00"


def test_a_calendar_that_is_copied_gives_no_number_of_the_history_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "_kept", {})
    lunch = LunchHour(session)
    lunch.book("周明", OPEN)
    with transactions.transaction(session):
        snapshots.seed_workdays(session)
    lunch.book("李静", OPEN)
    with transactions.transaction(session):
        session.execute(delete(Workday))
        snapshots.seed_workdays(session)
    assert lunch.book("王磊", OPEN) == "waiting"
