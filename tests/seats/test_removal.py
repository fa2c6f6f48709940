"""Removal: a manager takes one booking off a slot, without a strike, and puts it back until the person knows."""

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import invariants, seats
from booking.db import transactions
from booking.model import Letter
from tests.support.lunch_hour import LunchHour, at


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 and 李静 sit, 王磊 and 陈晨 wait."""
    lunch = LunchHour(session, capacity=2)
    for who in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(who, "Mon 10:00")
    return lunch


def remove(lunch: LunchHour, who: str, clock: str, reason: str = "只面向本楼") -> str:
    return lunch.do(lambda s: seats.remove(s, lunch.latest(who).id, reason, at(clock), lunch.manager_id).state)


def put_back(lunch: LunchHour, who: str, clock: str) -> str:
    return lunch.do(lambda s: seats.put_back(s, lunch.latest(who).id, at(clock), lunch.manager_id).state)


def is_sound(lunch: LunchHour, clock: str) -> bool:
    return invariants.breaches(lunch.session, at(clock)) == []


def test_a_removed_seat_goes_to_the_next_in_line_and_its_person_is_told_why(lunch: LunchHour) -> None:
    assert remove(lunch, "周明", "10:00") == "cancelled"
    assert lunch.states("周明", "李静", "王磊", "陈晨") == ["cancelled", "booked", "booked", "waiting"]
    assert lunch.letters("周明") == ["confirmed", "booking_removed"]
    (event,) = lunch.lines("removed")
    assert (event.reason, event.actor_id, event.before) == ("只面向本楼", lunch.manager_id, "booked")
    assert is_sound(lunch, "10:01")


@pytest.mark.parametrize("clock", ["Mon 10:30", "11:30", "12:05"])
def test_nobody_is_struck_however_late_it_is(lunch: LunchHour, clock: str) -> None:
    remove(lunch, "周明", clock)
    lunch.check_in("李静", "12:06")
    for moment in ("12:10", "12:15", "13:00"):
        lunch.tick(moment)
    assert (lunch.strikes("周明"), lunch.latest("周明").late) == ([], False)


def test_a_place_in_line_is_removed_too(lunch: LunchHour) -> None:
    remove(lunch, "王磊", "10:00")
    assert lunch.now().waiting == 1
    lunch.give_up("周明", "10:05")
    assert lunch.states("王磊", "陈晨") == ["cancelled", "booked"]
    assert is_sound(lunch, "10:06")


def test_removing_twice_tells_once(lunch: LunchHour) -> None:
    for clock in ("10:00", "10:01"):
        assert remove(lunch, "周明", clock) == "cancelled"
    assert lunch.letters("周明").count("booking_removed") == 1
    assert len(lunch.lines("removed")) == 1


@pytest.mark.parametrize(
    ("before", "clock", "reason"),
    [
        (lambda lunch: lunch.check_in("周明", "12:00"), "12:01", "here_already"),
        (lambda lunch: lunch.give_up("周明", "10:00"), "10:01", "not_live"),
        (lambda lunch: lunch.cancel("10:00"), "10:01", "not_live"),
        (lambda _lunch: None, "13:00", "over"),
    ],
)
def test_what_has_ended_or_begun_is_not_removed(lunch: LunchHour, before: object, clock: str, reason: str) -> None:
    before(lunch)  # type: ignore[operator]
    assert remove(lunch, "周明", clock) == f"no: {reason}"
    assert lunch.letters("周明").count("booking_removed") == 0


def test_a_seat_comes_back_while_nobody_has_it(lunch: LunchHour) -> None:
    for who in ("王磊", "陈晨"):
        lunch.give_up(who, "Mon 11:00")
    remove(lunch, "周明", "10:00")
    assert put_back(lunch, "周明", "10:00:30") == "booked"
    assert lunch.now().taken == 2
    kept = lunch.session.query(Letter).filter_by(kind="booking_removed").one()
    assert kept.state == "dropped"
    assert is_sound(lunch, "10:01")


def test_a_place_in_line_comes_back_at_its_number(lunch: LunchHour) -> None:
    remove(lunch, "王磊", "10:00")
    assert put_back(lunch, "王磊", "10:00:30") == "waiting"
    lunch.give_up("周明", "10:05")
    assert lunch.states("王磊", "陈晨") == ["booked", "waiting"], "still before the one behind"
    assert is_sound(lunch, "10:06")


def test_a_seat_that_was_passed_on_does_not_come_back(lunch: LunchHour) -> None:
    remove(lunch, "周明", "10:00")
    assert put_back(lunch, "周明", "10:00:30") == "no: seat_passed_on"
    assert lunch.states("周明", "王磊") == ["cancelled", "booked"]


def test_what_the_person_was_told_stays_true(lunch: LunchHour) -> None:
    remove(lunch, "王磊", "10:00")
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Letter).where(Letter.kind == "booking_removed").values(state="sent"))
    assert put_back(lunch, "王磊", "10:02") == "no: person_knows"
    assert seats.may_put_back(lunch.session, lunch.now(), at("10:02")) == []


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (lambda lunch: lunch.book("王磊", "10:00:10"), "yours"),
        (lambda lunch: lunch.cancel("10:00:10"), "over"),
        (lambda lunch: put_back(lunch, "王磊", "10:00:10"), "yours"),
    ],
)
def test_it_does_not_come_back_beside_something_else(lunch: LunchHour, meanwhile: object, reason: str) -> None:
    remove(lunch, "王磊", "10:00")
    meanwhile(lunch)  # type: ignore[operator]
    assert put_back(lunch, "王磊", "10:00:20") == f"no: {reason}"


@pytest.mark.sqlite
def test_what_was_given_up_by_its_person_is_not_put_back(lunch: LunchHour) -> None:
    lunch.give_up("王磊", "10:00")
    assert put_back(lunch, "王磊", "10:00:10") == "no: not_live"
