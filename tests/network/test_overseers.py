"""Overseers: organisers and readers of a node: appointed by address, ended, and gone with their account."""

import json

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from booking import invariants, network, people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Activity, Event, Oversees, Person, SecondFactorPolicy, SignIn, Station
from booking.people.sign_ins import STAFF_IDLE
from tests.support.lunch_hour import at, make_people, make_slot
from tests.support.tree_cast import CityTree, city_tree

NOW = at("Mon 09:00")


class Oversight:
    """何主任 is the admin, 韩统筹 organises 朝阳区; 许工 has an account and no role."""

    def __init__(self, session: Session) -> None:
        self.session, self.tree = session, city_tree(session)
        with transactions.transaction(session):
            self.ids = make_people(session, ("何主任", "韩统筹", "许工"))
            session.get_one(Person, self.ids["何主任"]).is_admin = True
            for person_id in self.ids.values():
                session.get_one(Person, person_id).email = f"p{person_id}@example.com"
        self.appoint("chaoyang", "韩统筹", "organiser")

    def appoint(self, node: str, who: str, role: str, by: str = "何主任") -> Person:
        there = self.tree.node(node)
        self.session.rollback()
        return network.appoint_overseer(self.session, there, f"p{self.ids[who]}@example.com", role, NOW, self.ids[by])

    def roles(self, who: str) -> dict[str, str]:
        self.session.rollback()
        held = select(Oversees).where(Oversees.person_id == self.ids[who])
        return {role.node.code: role.role for role in self.session.scalars(held)}

    def breaches(self) -> list[str]:
        return [told for told in invariants.breaches(self.session, NOW) if told.startswith("I10")]


@pytest.fixture
def oversight(session: Session) -> Oversight:
    return Oversight(session)


def test_an_organiser_is_appointed_by_address_and_the_history_says_so(oversight: Oversight) -> None:
    assert oversight.roles("韩统筹") == {"chaoyang": "organiser"}
    event = oversight.session.scalars(select(Event).where(Event.kind == "overseer_appointed")).one()
    assert (event.actor_id, event.person_id) == (oversight.ids["何主任"], oversight.ids["韩统筹"])
    assert event.details == {"node": oversight.tree.nodes["chaoyang"], "name": "朝阳区", "role": "organiser"}


def test_the_same_again_changes_nothing_and_another_role_replaces_the_first(oversight: Oversight) -> None:
    oversight.appoint("chaoyang", "韩统筹", "organiser")
    assert oversight.session.scalar(select(func.count(Event.id)).where(Event.kind == "overseer_appointed")) == 1
    oversight.appoint("chaoyang", "韩统筹", "reader")
    assert oversight.roles("韩统筹") == {"chaoyang": "reader"}


@pytest.mark.parametrize(
    ("email", "role", "reason"),
    [
        ("nobody@example.com", "reader", "no_account"),
        ("许工", "owner", "no_such_role"),
        ("许 工", "reader", "bad_email"),
    ],
)
def test_who_cannot_be_appointed(oversight: Oversight, email: str, role: str, reason: str) -> None:
    address = f"p{oversight.ids[email]}@example.com" if email in oversight.ids else email
    node = oversight.tree.node("chaoyang")
    oversight.session.rollback()
    with pytest.raises(RuleViolation) as no:
        network.appoint_overseer(oversight.session, node, address, role, NOW, oversight.ids["何主任"])
    assert (no.value.reason, oversight.roles("许工")) == (reason, {})


def test_a_role_ends_from_the_next_request_on(oversight: Oversight) -> None:
    node = oversight.tree.node("chaoyang")
    oversight.session.rollback()
    for _ in range(2):
        network.end_overseer(oversight.session, node, oversight.ids["韩统筹"], NOW, oversight.ids["何主任"])
    assert oversight.roles("韩统筹") == {}
    assert oversight.session.scalar(select(func.count(Event.id)).where(Event.kind == "overseer_ended")) == 1
    assert oversight.breaches() == []


def test_a_sign_in_of_an_overseer_lasts_as_long_as_that_of_staff(oversight: Oversight) -> None:
    with transactions.transaction(oversight.session) as session:
        people.begin(session, session.get_one(Person, oversight.ids["许工"]), "phone", NOW)
    assert not people.is_staff(oversight.session, oversight.ids["许工"])
    oversight.appoint("bj", "许工", "reader")
    oversight.session.rollback()
    assert people.is_staff(oversight.session, oversight.ids["许工"])
    row = oversight.session.scalars(select(SignIn).where(SignIn.person_id == oversight.ids["许工"])).one()
    assert row.expires_at == NOW + STAFF_IDLE


def test_a_second_factor_that_staff_must_have_is_asked_of_overseers(oversight: Oversight) -> None:
    with transactions.transaction(oversight.session) as session:
        session.add(SecondFactorPolicy(id=1, required_of="staff", since=NOW))
    assert people.second_factor_due(oversight.session, oversight.ids["韩统筹"]) == NOW
    assert people.second_factor_due(oversight.session, oversight.ids["许工"]) is None
    assert people.second_factor_coverage(oversight.session).total == 2  # with the admin


def test_the_role_goes_with_the_account_and_stands_in_the_export(oversight: Oversight) -> None:
    told = people.everything_about(oversight.session, oversight.ids["韩统筹"])
    assert [(one["node"], one["role"]) for one in told["oversees"]] == [("朝阳区", "organiser")]
    json.dumps(told)
    people.delete_account(oversight.session, oversight.ids["韩统筹"], NOW)
    assert oversight.roles("韩统筹") == {}
    assert oversight.breaches() == []


def test_the_check_finds_who_changed_a_node_or_a_station_of_another_branch(oversight: Oversight) -> None:
    tree, actor = oversight.tree, oversight.ids["韩统筹"]
    with transactions.transaction(oversight.session) as session:
        for node in ("chaoyang", "cbd-centre", "xicheng"):
            record(session, "node_changed", NOW, actor_id=actor, node=tree.nodes[node])
        for station in ("wangjing", "yuetan"):
            record(session, "manager_invited", NOW, actor_id=actor, station_id=tree.stations[station])
    found = oversight.breaches()
    assert [f"of node {tree.nodes['xicheng']} " in one for one in found] == [False, True]
    assert [f"at station {tree.stations['yuetan']} " in one for one in found] == [True, False]


def test_the_check_finds_an_organiser_who_touched_a_seat(oversight: Oversight) -> None:
    tree_slot = slot_of(oversight.tree)
    station, actor = oversight.tree.stations["guomao"], oversight.ids["韩统筹"]
    with transactions.transaction(oversight.session) as session:
        session.add(Event(kind="capacity", at=NOW, actor_id=actor, station_id=station, slot_id=tree_slot, details={}))
    assert len(oversight.breaches()) == 1


def slot_of(tree: CityTree) -> int:
    """A slot of 国贸驿站."""
    with transactions.transaction(tree.session) as session:
        station = session.get_one(Station, tree.stations["guomao"])
        session.add(Activity(station_id=station.id, kind="yoga", title="白领瑜伽课堂"))
        session.flush()
        return make_slot(session, station, at("12:10").date(), at("12:10").time(), 2)


def test_what_an_organiser_older_than_the_history_did_is_no_breach_once_the_role_has_ended(
    oversight: Oversight,
) -> None:
    with transactions.transaction(oversight.session) as session:
        session.execute(delete(Event).where(Event.kind == "overseer_appointed"))
    node, han = oversight.tree.node("chaoyang"), oversight.ids["韩统筹"]
    details = network.NodeDetails("朝阳", "Chaoyang")
    network.change_node(oversight.session, node, details, NOW, han)
    assert oversight.breaches() == []
    network.end_overseer(oversight.session, oversight.tree.node("chaoyang"), han, NOW, oversight.ids["何主任"])
    assert oversight.breaches() == []
    network.change_node(oversight.session, oversight.tree.node("chaoyang"), network.NodeDetails("朝阳区"), NOW, han)
    assert len(oversight.breaches()) == 1


def test_what_an_organiser_older_than_the_history_did_is_no_breach_once_they_only_read(oversight: Oversight) -> None:
    with transactions.transaction(oversight.session) as session:
        session.execute(delete(Event).where(Event.kind == "overseer_appointed"))
    node, han = oversight.tree.node("chaoyang"), oversight.ids["韩统筹"]
    network.change_node(oversight.session, node, network.NodeDetails("朝阳", "Chaoyang"), NOW, han)
    oversight.appoint("chaoyang", "韩统筹", "reader")
    assert oversight.breaches() == []
    network.change_node(oversight.session, oversight.tree.node("chaoyang"), network.NodeDetails("朝阳区"), NOW, han)
    assert len(oversight.breaches()) == 1


def test_who_was_nobody_before_reading_is_found(oversight: Oversight) -> None:
    node, xu = oversight.tree.node("chaoyang"), oversight.ids["许工"]
    network.change_node(oversight.session, node, network.NodeDetails("朝阳", "Chaoyang"), NOW, xu)
    oversight.appoint("chaoyang", "许工", "reader")
    assert len(oversight.breaches()) == 1
