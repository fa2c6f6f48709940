"""A race: a station's form saved while the change of a node is applied to it. PostgreSQL only: SQLite has one writer."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from booking import invariants, network, policy, slots
from booking.db import transactions
from booking.invariants.inherited_policy import inherited_policies
from booking.model import Station
from booking.network import NodePolicy, applying
from booking.policy import Policy
from tests.support.lunch_hour import at
from tests.support.tree_cast import CityTree, city_tree

pytestmark = pytest.mark.postgresql
NOW = at("Mon 09:00")
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


class Meeting:
    """The job has decided and not written yet; it goes on once the form is saved, or waits for a lock."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.decided, self.saved = engine, Event(), Event()

    def hold(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def later(*args: Any, **values: Any) -> Any:
            self.decided.set()
            while not self.saved.wait(0.01) and not self._form_waits():
                pass
            return write(*args, **values)

        return later

    def _form_waits(self) -> bool:
        with self.engine.connect() as connection:
            return bool(connection.scalar(WAITING))


@pytest.fixture
def city(session: Session) -> CityTree:
    city = city_tree(session)
    wanted = NodePolicy({"free_minutes": 90}, frozenset())
    shown = network.preview_policy(session, city.node("bj"), wanted, NOW).fingerprint
    network.set_node_policy(session, city.node("bj"), wanted, shown, NOW, None)
    return city


@pytest.fixture
def meeting(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Meeting:
    meeting = Meeting(engine)
    monkeypatch.setattr(applying._APPLIED, "run", meeting.hold(applying._APPLIED.run))
    return meeting


@pytest.fixture
def unlocked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither rows nor names are locked."""

    def without(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> tuple[str, Any]:
        return re.sub(r" FOR NO KEY UPDATE( OF \w+)?", "", statement), values

    monkeypatch.setattr(transactions, "advisory_lock", lambda *_: None)
    event.listen(engine, "before_cursor_execute", without, retval=True)
    yield
    event.remove(engine, "before_cursor_execute", without)


def meet(engine: Engine, city: CityTree, meeting: Meeting) -> None:
    guomao = city.stations["guomao"]
    city.session.rollback()

    def apply() -> None:
        with Session(engine) as session:
            network.apply_policy(session, [guomao], NOW)

    def save() -> None:
        assert meeting.decided.wait(30)
        with Session(engine) as session:
            slots.set_policy(
                session, session.get_one(Station, guomao), Policy(free_minutes=30), NOW, own={"free_minutes"}
            )
        meeting.saved.set()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(apply), pool.submit(save)]:
            done.result(60)


def test_a_form_saved_while_a_change_is_applied_is_not_lost(engine: Engine, city: CityTree, meeting: Meeting) -> None:
    meet(engine, city, meeting)
    station = city.station("guomao")
    assert (policy.read(station.policy).free_minutes, station.own_policy) == (30, {"free_minutes": 30})
    network.apply_policy(city.session, network.stations_due(city.session), NOW)
    assert invariants.breaches(city.session, NOW) == []


@pytest.mark.usefixtures("unlocked")
def test_control_without_locks_the_stations_number_is_lost(engine: Engine, city: CityTree, meeting: Meeting) -> None:
    meet(engine, city, meeting)
    assert list(inherited_policies(city.session, NOW)) == [
        f"I16 station {city.stations['guomao']}: free_minutes as neither it nor a node above sets them"
    ]
