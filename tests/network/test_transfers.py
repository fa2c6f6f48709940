"""Transfers: a manager who moves on a day: planned and withdrawn, carried out, and the last manager of a station."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import permutations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, monitoring, network, people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.mail import context
from booking.mail.recipient import Dropped
from booking.model import Event, Letter, Manages, Person, SetAside, StaffTransfer, Station
from booking.network import RefusedTransfers, TransferWish
from tests.support.lunch_hour import LONG_BEFORE, at, make_manager, make_people
from tests.support.tree_cast import city_tree

NOW, DAY = at("Mon 09:00"), date(2026, 12, 1)
ON_THE_DAY = at("Mon 00:05") + timedelta(days=8)


class Staff:
    """林经理 and 周经理 run 国贸, 吴经理 runs 望京 alone; 韩统筹 organises 朝阳区."""

    def __init__(self, session: Session) -> None:
        self.session, self.tree = session, city_tree(session)
        with transactions.transaction(session):
            at_guomao, at_wangjing = self.tree.stations["guomao"], self.tree.stations["wangjing"]
            self.ids = {name: make_manager(session, at_guomao, name) for name in ("林经理", "周经理")}
            self.ids |= {"吴经理": make_manager(session, at_wangjing, "吴经理")} | make_people(
                session, ("韩统筹", "何主任")
            )
            session.get_one(Person, self.ids["何主任"]).is_admin = True
            for person_id in self.ids.values():
                session.get_one(Person, person_id).email = f"p{person_id}@example.com"
        node = self.tree.node("chaoyang")
        session.rollback()
        network.appoint_overseer(
            session, node, f"p{self.ids['韩统筹']}@example.com", "organiser", LONG_BEFORE, self.ids["何主任"]
        )

    def leave_alone(self) -> None:
        """林经理 runs 国贸 alone from now on, as 吴经理 does 望京 and 郑经理 酒仙桥."""
        with transactions.transaction(self.session) as session:
            session.delete(session.get_one(Manages, (self.ids["周经理"], self.tree.stations["guomao"])))
            self.ids["郑经理"] = make_manager(session, self.tree.stations["jiuxianqiao"], "郑经理")
            session.get_one(Person, self.ids["郑经理"]).email = f"p{self.ids['郑经理']}@example.com"

    def wish(self, who: str, leaves: str, joins: str, day: date = DAY, *, confirmed: bool = False) -> TransferWish:
        both = (self.tree.station(leaves), self.tree.station(joins))
        return TransferWish(f"p{self.ids.get(who, 0)}@example.com", *both, day, confirmed)

    def plan(self, *wishes: TransferWish) -> dict[int, str]:
        """The reasons of the refusals, by the place of the wish."""
        self.session.commit()
        try:
            network.plan_transfers(self.session, wishes, NOW, self.ids["韩统筹"])
        except RefusedTransfers as nothing:
            return {place: no.reason for place, no in nothing.refusals.items()}
        return {}

    def carry_out(self, now: datetime = ON_THE_DAY) -> int:
        self.session.rollback()
        return sum(network.carry_out(self.session, one, now) for one in network.due_transfers(self.session, now))

    def manages(self, who: str) -> list[str]:
        self.session.rollback()
        theirs = select(Station.code).join(Manages).where(Manages.person_id == self.ids[who])
        return sorted(self.session.scalars(theirs))

    def transfers(self) -> list[StaffTransfer]:
        self.session.rollback()
        return list(self.session.scalars(select(StaffTransfer).order_by(StaffTransfer.id)))

    def letters(self, what: str) -> list[str]:
        names = {person_id: name for name, person_id in self.ids.items()}
        found = self.session.scalars(select(Letter).where(Letter.kind == "staff_transfer").order_by(Letter.person_id))
        return [names[letter.person_id or 0] for letter in found if letter.details["what"] == what]

    def sound(self) -> bool:
        assert [told for told in invariants.breaches(self.session, NOW) if told.startswith("I10")] == []
        return True


@pytest.fixture
def staff(session: Session) -> Staff:
    return Staff(session)


def test_on_the_day_the_rights_move_and_both_stations_know(staff: Staff) -> None:
    assert staff.plan(staff.wish("林经理", "guomao", "wangjing")) == {}
    assert staff.letters("planned") == ["林经理", "周经理", "吴经理"]
    assert staff.carry_out(ON_THE_DAY - timedelta(minutes=10)) == 0
    assert staff.manages("林经理") == ["guomao"]
    assert [staff.carry_out() for _ in range(2)] == [1, 0]
    assert staff.manages("林经理") == ["wangjing"]
    assert staff.letters("done") == ["林经理", "周经理", "吴经理"]
    told = select(Event.kind, Event.station_id).where(Event.person_id == staff.ids["林经理"]).order_by(Event.id)
    guomao, wangjing = staff.tree.stations["guomao"], staff.tree.stations["wangjing"]
    assert list(map(tuple, staff.session.execute(told))) == [
        ("transfer_planned", guomao),
        ("transfer_planned", wangjing),
        ("appointed", wangjing),
        ("dismissed", guomao),
        ("transferred", guomao),
        ("transferred", wangjing),
    ]
    assert staff.sound()


def test_a_manager_who_was_dismissed_meanwhile_is_not_told_who_moves(app: Flask, staff: Staff) -> None:
    staff.plan(staff.wish("林经理", "guomao", "wangjing"))
    people.dismiss(staff.session, staff.ids["周经理"], staff.tree.stations["guomao"], NOW)
    told, letters = [], staff.session.scalars(select(Letter).where(Letter.kind == "staff_transfer")).all()
    for letter in letters:
        with app.app_context(), suppress(Dropped):
            context.of(staff.session, letter, None, NOW)
            told.append(letter.person_id)
    assert sorted(told) == sorted([staff.ids["林经理"], staff.ids["吴经理"]])


def test_a_transfer_that_is_withdrawn_before_the_day_changes_nothing(staff: Staff) -> None:
    staff.plan(staff.wish("林经理", "guomao", "wangjing"))
    (transfer,) = staff.transfers()
    network.withdraw_transfer(staff.session, transfer.id, NOW, staff.ids["韩统筹"])
    with pytest.raises(RuleViolation, match="transfer_over"):
        network.withdraw_transfer(staff.session, transfer.id, NOW, staff.ids["韩统筹"])
    assert staff.carry_out() == 0
    assert staff.manages("林经理") == ["guomao"]
    assert staff.letters("withdrawn") == ["林经理", "周经理", "吴经理"]
    assert staff.plan(staff.wish("林经理", "guomao", "wangjing")) == {}  # it may be planned anew


def test_what_cannot_be_planned_is_said_for_each_and_nothing_is_planned(staff: Staff) -> None:
    with transactions.transaction(staff.session) as session:
        staff.ids["郑经理"] = make_manager(session, staff.tree.stations["jiuxianqiao"], "郑经理")
        session.get_one(Person, staff.ids["郑经理"]).email = f"p{staff.ids['郑经理']}@example.com"
        session.get_one(Person, staff.ids["周经理"]).disabled_at = NOW
        session.get_one(Station, staff.tree.stations["guanghua"]).closed_at = NOW
    refused = staff.plan(
        staff.wish("林经理", "guomao", "wangjing", confirmed=True),
        staff.wish("没有人", "guomao", "wangjing"),
        staff.wish("周经理", "guomao", "wangjing"),
        staff.wish("吴经理", "guomao", "wangjing"),
        staff.wish("吴经理", "wangjing", "wangjing"),
        staff.wish("吴经理", "wangjing", "guanghua"),
        staff.wish("吴经理", "wangjing", "guomao", date(2026, 11, 22)),
        staff.wish("吴经理", "wangjing", "guomao", date(2028, 11, 22)),
        staff.wish("林经理", "guomao", "jiuxianqiao"),
        staff.wish("郑经理", "jiuxianqiao", "guomao"),
    )
    assert list(refused.values()) == [
        "no_account",
        "disabled_account",
        "not_manager_there",
        "same_station",
        "transfer_to_closed",
        "transfer_day_over",
        "transfer_too_far",
        "transfer_planned",
        "last_manager",
    ]
    assert list(refused) == list(range(1, 10))
    assert (staff.transfers(), staff.letters("planned")) == ([], [])


def test_a_trial_plans_nothing(staff: Staff) -> None:
    wish = staff.wish("林经理", "guomao", "wangjing")
    staff.session.commit()
    with pytest.raises(RefusedTransfers) as nothing:
        network.plan_transfers(staff.session, [wish], NOW, staff.ids["韩统筹"], only_try=True)
    assert (nothing.value.refusals, staff.transfers()) == ({}, [])


def test_two_who_change_places_leave_nobody_alone(staff: Staff) -> None:
    assert staff.plan(staff.wish("吴经理", "wangjing", "guomao")) == {0: "last_manager"}
    both = (staff.wish("吴经理", "wangjing", "guomao"), staff.wish("林经理", "guomao", "wangjing"))
    assert staff.plan(*both) == {}
    assert staff.carry_out() in (1, 2)
    staff.carry_out()
    assert (staff.manages("吴经理"), staff.manages("林经理")) == (["guomao"], ["wangjing"])


def rounds_of(staff: Staff, *wishes: TransferWish) -> list[int]:
    """How many the job carries out on the day, run twice."""
    assert staff.plan(*wishes) == {}
    return [staff.carry_out() for _ in range(2)]


def test_two_who_manage_alone_change_places(staff: Staff) -> None:
    staff.leave_alone()
    ring = (staff.wish("林经理", "guomao", "wangjing"), staff.wish("吴经理", "wangjing", "guomao"))
    assert rounds_of(staff, *ring) == [2, 0]
    assert (staff.manages("林经理"), staff.manages("吴经理")) == (["wangjing"], ["guomao"])
    assert [one.done_at for one in staff.transfers()] == [ON_THE_DAY] * 2
    assert staff.sound()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_who_manage_alone_move_in_a_ring(staff: Staff, order: tuple[int, ...]) -> None:
    staff.leave_alone()
    ring = [
        staff.wish("林经理", "guomao", "wangjing"),
        staff.wish("吴经理", "wangjing", "jiuxianqiao"),
        staff.wish("郑经理", "jiuxianqiao", "guomao"),
    ]
    assert rounds_of(staff, *(ring[n] for n in order)) == [3, 0]
    assert [staff.manages(who) for who in ("林经理", "吴经理", "郑经理")] == [["wangjing"], ["jiuxianqiao"], ["guomao"]]


STAYS = ("withdrawn", "disabled", "deleted", "dismissed")


@pytest.mark.parametrize("why", STAYS)
def test_who_does_not_come_after_all_is_no_successor(staff: Staff, why: str) -> None:
    staff.leave_alone()
    staff.plan(staff.wish("林经理", "guomao", "wangjing"), staff.wish("吴经理", "wangjing", "guomao"))
    admin, other = staff.ids["何主任"], staff.ids["吴经理"]
    if why == "withdrawn":
        network.withdraw_transfer(staff.session, staff.transfers()[1].id, NOW, admin)
    elif why == "disabled":
        people.disable(staff.session, other, NOW, admin)
    elif why == "deleted":
        people.delete_account(staff.session, other, NOW)
    else:
        people.dismiss(staff.session, other, staff.tree.stations["wangjing"], NOW, admin, confirmed=True)
    assert rounds_of(staff) == [0, 0]
    assert (staff.manages("林经理"), "guomao" in staff.manages("吴经理")) == (["guomao"], False)


def test_who_comes_from_another_zone_is_a_successor_from_the_day_there(staff: Staff) -> None:
    staff.leave_alone()
    with transactions.transaction(staff.session) as session:
        session.get_one(Station, staff.tree.stations["wangjing"]).zone_name = "Asia/Urumqi"
    staff.plan(staff.wish("林经理", "guomao", "wangjing"), staff.wish("吴经理", "wangjing", "guomao"))
    assert [staff.carry_out(ON_THE_DAY + timedelta(hours=n)) for n in range(3)] == [0, 0, 2]


def test_the_last_but_one_may_not_go_when_the_other_goes_as_well(staff: Staff) -> None:
    assert staff.plan(staff.wish("林经理", "guomao", "wangjing")) == {}
    assert staff.plan(staff.wish("周经理", "guomao", "wangjing")) == {0: "last_manager"}
    assert staff.plan(staff.wish("周经理", "guomao", "wangjing", confirmed=True)) == {}
    assert staff.carry_out() == 2


def test_who_has_become_the_last_waits_for_a_successor(staff: Staff) -> None:
    staff.plan(staff.wish("林经理", "guomao", "wangjing"))
    people.dismiss(staff.session, staff.ids["周经理"], staff.tree.stations["guomao"], NOW, staff.ids["何主任"])
    assert (staff.carry_out(), staff.manages("林经理")) == (0, ["guomao"])
    people.appoint(staff.session, staff.ids["韩统筹"], staff.tree.stations["guomao"], NOW, staff.ids["何主任"])
    assert (staff.carry_out(), staff.manages("林经理")) == (1, ["wangjing"])


def test_a_transfer_of_who_was_dismissed_meanwhile_is_withdrawn(staff: Staff) -> None:
    staff.plan(staff.wish("林经理", "guomao", "wangjing"))
    people.dismiss(staff.session, staff.ids["林经理"], staff.tree.stations["guomao"], NOW, staff.ids["何主任"])
    assert staff.carry_out() == 0
    assert [one.withdrawn_at is not None for one in staff.transfers()] == [True]
    assert staff.manages("林经理") == []


def test_a_transfer_ends_with_the_account_and_is_forgotten_later(staff: Staff) -> None:
    staff.plan(staff.wish("林经理", "guomao", "wangjing"))
    told = people.everything_about(staff.session, staff.ids["林经理"])["transfers"]
    assert [(one["from_station"], one["to_station"], one["on_date"]) for one in told] == [
        ("国贸驿站", "望京驿站", "2026-12-01")
    ]
    people.delete_account(staff.session, staff.ids["林经理"], NOW)
    assert (staff.carry_out(), staff.transfers()[0].withdrawn_at) == (0, NOW)
    people.forget(staff.session, NOW + timedelta(days=61))
    assert staff.transfers() == []


def test_the_last_manager_of_a_station_goes_only_with_a_word(staff: Staff) -> None:
    guomao, admin = staff.tree.stations["guomao"], staff.ids["何主任"]
    people.dismiss(staff.session, staff.ids["林经理"], guomao, NOW, admin)
    with pytest.raises(RuleViolation, match="last_manager"):
        people.dismiss(staff.session, staff.ids["周经理"], guomao, NOW, admin)
    assert staff.manages("周经理") == ["guomao"]
    people.dismiss(staff.session, staff.ids["周经理"], guomao, NOW, admin, confirmed=True)
    assert staff.manages("周经理") == []


def test_a_disabled_manager_is_no_successor(staff: Staff) -> None:
    people.disable(staff.session, staff.ids["周经理"], NOW, staff.ids["何主任"])
    with pytest.raises(RuleViolation, match="last_manager"):
        people.dismiss(staff.session, staff.ids["林经理"], staff.tree.stations["guomao"], NOW, staff.ids["何主任"])


def test_a_station_of_no_network_lets_its_last_manager_go(staff: Staff) -> None:
    with transactions.transaction(staff.session) as session:
        session.get_one(Station, staff.tree.stations["wangjing"]).centre_id = None
    people.dismiss(staff.session, staff.ids["吴经理"], staff.tree.stations["wangjing"], NOW, staff.ids["何主任"])
    assert staff.manages("吴经理") == []


def test_what_a_network_job_cannot_do_is_set_aside_at_its_station_and_is_no_slot(
    staff: Staff, session: Session
) -> None:
    staff.plan(staff.wish("林经理", "guomao", "wangjing"))
    transfer_id = session.scalars(select(StaffTransfer.id)).one()
    session.rollback()
    for job, row_id in (("carry_out_transfers", transfer_id), ("apply_policy", staff.tree.stations["guomao"])):
        monitoring.record_failure(session, job, row_id, "broken", NOW)
        assert not monitoring.is_about_slot(job)
    assert set(session.scalars(select(SetAside.station_id))) == {staff.tree.stations["guomao"]}
