"""Kills in the middle of applying a policy: the next run goes on where the last one was killed, and does nothing twice."""

import subprocess
import sys
from datetime import time

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import config
from booking import invariants, network, policy
from booking.db import transactions
from booking.model import Activity, Event, Slot, Station
from booking.network import NodePolicy
from tests.support import log_guard
from tests.support.lunch_hour import TUESDAY, at, make_slot
from tests.support.tree_cast import CityTree, city_tree

NOW = at("Mon 09:00")


@pytest.fixture
def city(session: Session) -> CityTree:
    """A slot at each station, and a change of the city's policy that no station has heard of."""
    city = city_tree(session)
    with transactions.transaction(session):
        for station_id in city.stations.values():
            session.add(Activity(station_id=station_id, kind="yoga", title="白领瑜伽课堂"))
            session.flush()
            make_slot(session, session.get_one(Station, station_id), TUESDAY, time(12, 10), 2)
    wanted = NodePolicy({"free_minutes": 90}, frozenset())
    shown = network.preview_policy(session, city.node("bj"), wanted, NOW).fingerprint
    network.set_node_policy(session, city.node("bj"), wanted, shown, NOW, None)
    return city


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_killed_run_is_taken_up_by_the_next(city: CityTree, session: Session, database_url: str, side: str) -> None:
    session.rollback()
    command = [sys.executable, "-m", "tests.support.crash_policy", database_url, NOW.isoformat(), side]
    ran = subprocess.run(command, cwd=config.ROOT, check=True, capture_output=True, text=True)
    log_guard.check(ran.stderr)
    assert int(ran.stdout) >= 2
    session.rollback()
    assert network.stations_due(session) == []
    assert {policy.read(city.station(code).policy).free_minutes for code in city.stations} == {90}
    assert set(session.scalars(select(Slot.free_until))) == {at("10:40")}
    applied = select(func.count(Event.id)).where(Event.kind == "policy_applied").group_by(Event.station_id)
    assert session.scalars(applied).all() == [1] * 6
    assert invariants.breaches(session, NOW) == []
