"""Who runs a station, and the mercy that its manager may show."""

import pytest
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Manages, Strike
from tests.support.lunch_hour import LunchHour, at
from tests.support.network_cast import MONDAY, Network


def test_appointing_and_dismissing_twice_is_once(network: Network) -> None:
    key = (network.ids["李静"], network.stations["cbd"])
    for verb, there in ((people.appoint, True), (people.dismiss, False)):
        for _twice in range(2):
            with transactions.transaction(network.session) as session:
                verb(session, *key, MONDAY, network.ids["何主任"])
        assert (network.session.get(Manages, key) is not None) is there


def test_nobody_who_left_is_appointed(network: Network) -> None:
    with transactions.transaction(network.session) as session:
        people.delete_account(session, network.ids["李静"], MONDAY)
    with pytest.raises(RuleViolation, match="no_such_person"), transactions.transaction(network.session) as session:
        people.appoint(session, network.ids["李静"], network.stations["cbd"], MONDAY)


@pytest.fixture
def missed(session: Session) -> LunchHour:
    """周明 and 李静 booked and did not come."""
    lunch = LunchHour(session)
    for name in ("周明", "李静"):
        lunch.book(name, "Mon 11:00")
    lunch.roll_call("Tue 12:12")
    lunch.tick("Tue 12:16")
    return lunch


def forgive(lunch: LunchHour, strike_id: int, reason: str = "地铁停运") -> int:
    with transactions.transaction(lunch.session) as session:
        return people.forgive(session, strike_id, at("Tue 14:00"), lunch.manager_id, reason)


def test_one_strike_is_forgiven_once(missed: LunchHour) -> None:
    strike = missed.session.query(Strike).filter_by(person_id=missed.people["周明"]).one()
    strike_id = strike.id
    assert [forgive(missed, strike_id), forgive(missed, strike_id)] == [1, 0]
    assert (missed.strikes("周明"), missed.strikes("李静")) == ([], ["no_show"])
    assert missed.events("forgiven") == [("forgiven", "周明")]


def test_a_whole_slot_is_forgiven_at_once(missed: LunchHour) -> None:
    with transactions.transaction(missed.session) as session:
        assert people.forgive_slot(session, missed.slot_id, at("Tue 14:00"), missed.manager_id, "电梯坏了") == 2
    assert missed.strikes("周明") == missed.strikes("李静") == []
    assert [line.reason for line in missed.lines("forgiven")] == ["电梯坏了", "电梯坏了"]


def test_mercy_needs_a_reason(missed: LunchHour) -> None:
    with pytest.raises(RuleViolation, match="reason_missing"):
        forgive(missed, 1, "  ")


def test_forgiving_what_is_not_there_does_nothing(missed: LunchHour) -> None:
    assert forgive(missed, 999) == 0
