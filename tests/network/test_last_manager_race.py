"""A race: two managers of one station are dismissed at once, each while the other is still there. SQLite has one writer."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Manages
from tests.support.lunch_hour import at, make_manager
from tests.support.together import until_it_waits
from tests.support.tree_cast import city_tree

pytestmark = pytest.mark.postgresql
NOW = at("Mon 09:00")


def dismiss(engine: Engine, person_id: int, station_id: int) -> str:
    with Session(engine) as session:
        try:
            people.dismiss(session, person_id, station_id, NOW)
        except RuleViolation as no:
            return no.reason
    return "dismissed"


def both_at_once(session: Session, engine: Engine) -> tuple[str, int]:
    """What the second one is told, who starts before the first has committed; and how many managers are left."""
    guomao = city_tree(session).stations["guomao"]
    with transactions.transaction(session):
        first, second = (make_manager(session, guomao, name) for name in ("林经理", "周经理"))
    with ThreadPoolExecutor(1) as pool:
        with transactions.transaction(session):
            people.dismiss.inside(session, first, guomao, NOW)
            session.flush()
            told = pool.submit(dismiss, engine, second, guomao)
            until_it_waits(engine, told)
        said = told.result()
    left = select(func.count()).select_from(Manages).where(Manages.station_id == guomao)
    return said, session.scalar(left) or 0


def test_of_two_managers_who_are_dismissed_at_once_one_stays(session: Session, engine: Engine) -> None:
    assert both_at_once(session, engine) == ("last_manager", 1)


def test_without_the_lock_both_would_go(session: Session, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "advisory_lock", lambda *_: None)
    assert both_at_once(session, engine) == ("dismissed", 0)
