"""The order in which a change of policy locks slots: that of those who book. PostgreSQL only: SQLite locks the whole file."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, time

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import invariants, network, slots
from booking.db import transactions
from booking.model import Slot, Station
from booking.network import NodePolicy
from booking.policy import Policy
from tests.support.lunch_hour import TUESDAY, at, make_slot
from tests.support.tree_cast import CityTree, city_with_activities

pytestmark = pytest.mark.postgresql
NOON = at("Mon 12:00")  # the slots of Tuesday open by time: their stations open at 10:00
EARLY = at("Mon 09:00")
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture
def city(session: Session) -> CityTree:
    """Guomao has a number of its own; the city changes another."""
    city = city_with_activities(session)
    slots.set_policy(session, city.station("guomao"), Policy(free_minutes=30), NOON)
    wanted = NodePolicy({"grace_minutes": 10}, frozenset())
    shown = network.preview_policy(session, city.node("bj"), wanted, NOON).fingerprint
    network.set_node_policy(session, city.node("bj"), wanted, shown, NOON, None)
    return city


def slot(city: CityTree, code: str) -> int:
    with transactions.transaction(city.session):
        return make_slot(city.session, city.station(code), TUESDAY, time(12, 10), 2)


@contextmanager
def applied_beside(engine: Engine, locked: int, now: datetime) -> Iterator[Session]:
    """Who has locked this slot, while the change waits for it; the change goes on once they are done."""

    def apply() -> None:
        with Session(engine) as session:
            network.apply_policy(session, network.stations_due(session), now)

    with ThreadPoolExecutor(1) as pool, Session(engine) as booker:
        lock(booker, locked)
        change = pool.submit(apply)
        with engine.connect() as watching:
            while not (watching.scalar(WAITING) or change.done()):
                watching.rollback()
        try:
            yield booker
        finally:
            booker.rollback()
            change.result(60)


def lock(session: Session, slot_id: int) -> None:
    """Raises where somebody else has it."""
    session.execute(select(Slot.id).where(Slot.id == slot_id).with_for_update(key_share=True, nowait=True))


def finished(city: CityTree) -> bool:
    city.session.rollback()
    grace = {one.release_at - one.starts_at for one in city.session.scalars(select(Slot))}
    due = city.session.scalars(select(Station.id).where(Station.policy_due)).all()
    return len(grace) == 1 and not due and invariants.breaches(city.session, NOON) == []


@pytest.mark.parametrize(
    ("code", "opened"), [("guomao", 2), ("wangjing", 1)], ids=["with numbers of its own", "open by the clock only"]
)
def test_what_can_be_booked_is_locked_by_id(city: CityTree, engine: Engine, code: str, opened: int) -> None:
    first, second = slot(city, "guanghua"), slot(city, code)
    slots.open_these(city.session, [first, second][:opened], NOON)
    with applied_beside(engine, first, NOON) as booker:
        lock(booker, second)
    assert finished(city)


def test_slots_that_open_later_are_written_before_the_open_ones(city: CityTree, engine: Engine) -> None:
    first, second = slot(city, "guanghua"), slot(city, "wangjing")
    slots.open_these(city.session, [first], NOON)
    with applied_beside(engine, first, EARLY) as booker, pytest.raises(OperationalError, match="could not obtain lock"):
        lock(booker, second)
    assert finished(city)
