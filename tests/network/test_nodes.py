"""Nodes: added, changed, moved, closed and opened again; stations that move with them."""

from collections.abc import Callable
from datetime import date, time

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, network, seats, tree
from booking.db import transactions
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Activity, Event, Manages, Node, Oversees, Person, Slot, Station
from booking.queries import network_places
from tests.support.lunch_hour import LONG_BEFORE, at, make_manager, make_people, make_slot
from tests.support.tree_cast import CityTree, city_tree

NOW = at("Mon 09:00")


@pytest.fixture
def city(session: Session) -> CityTree:
    return city_tree(session)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(RuleViolation) as no:
        act()
    return no.value.reason


def add(city: CityTree, parent: str | None, level: str, code: str) -> Node:
    above = city.node(parent) if parent else None
    return network.add_node(city.session, above, level, code, network.NodeDetails("某某"), NOW, None)


def kinds(session: Session) -> list[str]:
    return list(session.scalars(select(Event.kind).where(Event.at == NOW).order_by(Event.id)))


def organiser(session: Session) -> int:
    with transactions.transaction(session):
        person = Person(name="高统筹", email="gao@example.com", created_at=LONG_BEFORE)
        session.add(person)
        session.flush()
        return person.id


def seated_slot(session: Session, station: Station) -> int:
    with transactions.transaction(session):
        session.add(Activity(station_id=station.id, kind="yoga", title="白领瑜伽课堂"))
        session.flush()
        return make_slot(session, station, date(2026, 11, 24), time(12, 10), 2)


def test_a_node_of_the_wrong_level_is_refused(city: CityTree) -> None:
    assert refused(lambda: add(city, "bj", "centre", "far-down")) == "wrong_level"
    assert refused(lambda: add(city, "cbd-centre", "district", "upside-down")) == "wrong_level"
    assert refused(lambda: add(city, "cbd-centre", "centre", "below-a-centre")) == "wrong_level"
    assert refused(lambda: add(city, None, "district", "rootless")) == "wrong_level"
    assert kinds(city.session) == []


def test_two_nodes_cannot_have_one_code(city: CityTree) -> None:
    assert refused(lambda: add(city, "bj", "district", "chaoyang")) == "node_code_taken"


def test_a_centre_moves_with_its_stations(city: CityTree, session: Session) -> None:
    network.move_node(session, city.node("wangjing-centre"), city.node("xicheng"), NOW, None)
    codes = [one.code for one in tree.ancestors(session, city.node("wangjing-centre"))]
    assert codes == ["bj", "xicheng", "wangjing-centre"]
    below = select(Station.code).where(tree.stations_below(city.node("xicheng"))).order_by(Station.code)
    assert session.scalars(below).all() == ["fuxingmen", "jiuxianqiao", "wangjing", "yuetan"]
    due = select(Station.code).where(Station.policy_due).order_by(Station.code)
    assert session.scalars(due).all() == ["jiuxianqiao", "wangjing"]
    assert kinds(session) == ["node_moved"]


def test_a_district_moves_with_all_that_is_below(city: CityTree, session: Session) -> None:
    tianjin = add(city, None, "city", "tj").id
    network.move_node(session, city.node("chaoyang"), session.get_one(Node, tianjin), NOW, None)
    for code in ("chaoyang", "cbd-centre", "wangjing-centre"):
        node = city.node(code)
        assert tree.path_of(node)[0] == tianjin
        assert tree.path_of(node)[-1] == node.id
    assert tree.path_of(city.node("xicheng"))[0] == city.nodes["bj"]


def test_a_node_cannot_move_below_itself_or_to_another_level(city: CityTree, session: Session) -> None:
    def move(code: str, to: str) -> str:
        return refused(lambda: network.move_node(session, city.node(code), city.node(to), NOW, None))

    assert move("chaoyang", "cbd-centre") == "node_cycle"
    assert move("chaoyang", "chaoyang") == "node_cycle"
    assert move("bj", "chaoyang") == "node_cycle"
    assert move("cbd-centre", "bj") == "wrong_level"
    assert move("cbd-centre", "wangjing-centre") == "wrong_level"
    assert kinds(session) == []


def test_a_district_with_open_centres_stays_open(city: CityTree, session: Session) -> None:
    actor = organiser(session)
    assert (
        refused(lambda: network.close_node(session, city.node("chaoyang"), {}, "合并", NOW, actor)) == "node_not_empty"
    )


def test_closing_a_centre_decides_about_each_station(city: CityTree, session: Session) -> None:
    actor = organiser(session)
    slot_id = seated_slot(session, city.station("guomao"))
    decided = {city.stations["guomao"]: None, city.stations["guanghua"]: city.node("wangjing-centre")}
    network.close_node(session, city.node("cbd-centre"), decided, "并到望京", NOW, actor)
    assert city.node("cbd-centre").closed_at == NOW
    assert city.station("guomao").closed_at == NOW
    assert session.get_one(Slot, slot_id).state == "cancelled"
    assert city.station("guanghua").closed_at is None
    assert city.station("guanghua").centre_id == city.nodes["wangjing-centre"]
    assert {"station_closed", "station_joined", "node_closed"} <= set(kinds(session))


def test_a_centre_closes_with_all_its_stations_or_not_at_all(city: CityTree, session: Session) -> None:
    actor, guomao, guanghua = organiser(session), city.stations["guomao"], city.stations["guanghua"]

    def close(**to: Node | None) -> str:
        decided = {city.stations[code]: centre for code, centre in to.items()}
        return refused(lambda: network.close_node(session, city.node("cbd-centre"), decided, "合并", NOW, actor))

    assert close(guomao=None) == "stations_undecided"
    assert close(guanghua=None, guomao=city.node("cbd-centre")) == "moved_into_closed"
    assert close(guanghua=None, guomao=city.node("chaoyang")) == "not_a_centre"
    assert city.node("cbd-centre").closed_at is None
    assert [session.get_one(Station, one).closed_at for one in (guomao, guanghua)] == [None, None]
    assert kinds(session) == []


def test_a_node_opens_again_once_the_one_above_is_open(city: CityTree, session: Session) -> None:
    actor = organiser(session)
    for code, theirs in (("financial-centre", ("fuxingmen", "yuetan")), ("xicheng", ())):
        decided = dict.fromkeys(city.stations[one] for one in theirs)
        network.close_node(session, city.node(code), decided, "调整", NOW, actor)
    assert refused(lambda: add(city, "xicheng", "centre", "new-centre")) == "node_closed"
    assert refused(lambda: network.reopen_node(session, city.node("financial-centre"), NOW, actor)) == "node_closed"
    network.reopen_node(session, city.node("xicheng"), NOW, actor)
    network.reopen_node(session, city.node("financial-centre"), NOW, actor)
    assert city.node("financial-centre").closed_at is None
    assert city.station("yuetan").closed_at == NOW


def test_the_history_of_a_node_goes_by_the_time_of_what_happened(city: CityTree, session: Session) -> None:
    clocks = [at(f"Mon {clock}") for clock in ("10:00", "12:00", "11:00")]
    with transactions.transaction(session):
        for clock in clocks:
            record(session, "node_changed", clock, node=city.nodes["bj"])
    told = network_places.node_history(session, city.node("bj"), limit=3)
    assert [event.at for event in told] == sorted(clocks, reverse=True)


def test_a_station_that_moves_keeps_its_history_and_managers(city: CityTree, session: Session) -> None:
    with transactions.transaction(session):
        make_manager(session, city.stations["guomao"], "林经理")
    network.join_centre(session, city.station("guomao"), city.node("wangjing-centre"), NOW, None)
    moved = session.scalars(select(Event).where(Event.kind == "station_joined", Event.at == NOW)).one()
    assert (moved.station_id, moved.details["was"]) == (city.stations["guomao"], city.nodes["cbd-centre"])
    assert moved.details["node"] == city.nodes["wangjing-centre"]
    assert city.station("guomao").policy_due
    assert session.scalars(select(Manages.station_id)).all() == [city.stations["guomao"]]
    network.join_centre(session, city.station("guomao"), city.node("wangjing-centre"), NOW, None)
    assert len(session.scalars(select(Event).where(Event.kind == "station_joined", Event.at == NOW)).all()) == 1


def test_what_an_organiser_closes_and_moves_was_theirs(city: CityTree, session: Session) -> None:
    actor = organiser(session)
    with transactions.transaction(session):
        session.add(Oversees(person_id=actor, node_id=city.nodes["chaoyang"], role="organiser", since=LONG_BEFORE))
        people = make_people(session, ["周明"])
    slot_id = seated_slot(session, city.station("guomao"))
    seats.book(session, people["周明"], slot_id, at("Mon 10:00"))
    now = at("Mon 10:05")
    decided = {city.stations["guomao"]: None, city.stations["guanghua"]: city.node("wangjing-centre")}
    network.close_node(session, city.node("cbd-centre"), decided, "并到望京", now, actor)
    network.join_centre(session, city.station("guanghua"), city.node("financial-centre"), now, None)
    network.apply_policy(session, network.stations_due(session), now)
    assert invariants.breaches(session, now) == []
