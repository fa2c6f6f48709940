"""Reservation: a manager gives a named person a seat before check-in opens."""

import pytest
from sqlalchemy.orm import Session

from booking import invariants, people, seats
from booking.db import transactions
from booking.enqueue import UNDO_WINDOW
from booking.errors import RuleViolation
from booking.model import Booking, Letter, Person
from tests.support.lunch_hour import LunchHour, at


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session, capacity=2)


def reserve(lunch: LunchHour, who: str, clock: str, slot_id: int | None = None) -> str:
    person, slot = lunch.people[who], slot_id or lunch.slot_id
    return lunch.do(lambda s: seats.reserve(s, slot, person, at(clock), lunch.manager_id).state)


def is_sound(lunch: LunchHour, clock: str) -> bool:
    return invariants.breaches(lunch.session, at(clock)) == []


@pytest.mark.parametrize("clock", ["Mon 09:00", "Mon 10:00", "11:54"])
def test_a_seat_is_kept_before_the_slot_opens_and_until_the_door_does(lunch: LunchHour, clock: str) -> None:
    assert reserve(lunch, "周明", clock) == "booked"
    assert (lunch.now().taken, lunch.letters("周明")) == (1, ["confirmed"])
    assert lunch.lines("reserved")[0].actor_id == lunch.manager_id
    assert is_sound(lunch, clock)
    waits = lunch.session.query(Letter).one()
    wait = UNDO_WINDOW if clock != "11:54" else UNDO_WINDOW * 0
    assert waits.next_try_at == at(clock) + wait


def test_what_is_kept_is_not_sold_at_the_opening(lunch: LunchHour) -> None:
    reserve(lunch, "周明", "Mon 09:00")
    lunch.tick("Mon 10:00")
    assert [lunch.book(who, "Mon 10:00:01") for who in ("李静", "王磊")] == ["booked", "waiting"]
    assert is_sound(lunch, "Mon 10:01")


def test_a_guest_without_an_account_has_only_a_name(lunch: LunchHour) -> None:
    booking = people.reserve_for_guest(lunch.session, "王老师的客人", lunch.slot_id, at("Mon 09:00"), lunch.manager_id)
    guest = lunch.session.get_one(Person, booking.person_id)
    assert (guest.name, guest.email, booking.state) == ("王老师的客人", None, "booked")
    assert lunch.do(lambda s: seats.check_in(s, booking.id, at("12:00"), lunch.manager_id).state) == "attended"
    assert lunch.do(lambda s: seats.undo_check_in(s, booking.id, at("12:01")).state) == "booked", "the seat stays"
    assert is_sound(lunch, "12:02")


def full(lunch: LunchHour) -> None:
    for who in ("李静", "王磊"):
        lunch.book(who, "Mon 10:00")


def has_another_that_day(lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00", lunch.slot("18:00"))


@pytest.mark.parametrize(
    ("before", "clock", "reason"),
    [
        (full, "11:00", "no_free_seat"),
        (has_another_that_day, "11:00", "day_limit"),
        (lambda lunch: lunch.book("周明", "Mon 10:00"), "11:00", "yours"),
        (lambda lunch: lunch.cancel("10:00"), "11:00", "cancelled"),
        (lambda _lunch: None, "11:55", "door_is_open"),
        (lambda _lunch: None, "13:00", "over"),
    ],
)
def test_who_cannot_have_a_seat_gets_none(lunch: LunchHour, before: object, clock: str, reason: str) -> None:
    before(lunch)  # type: ignore[operator]
    taken = lunch.now().taken
    assert reserve(lunch, "周明", clock) == f"no: {reason}"
    assert lunch.now().taken == taken


def test_a_refused_guest_leaves_nobody_behind(lunch: LunchHour) -> None:
    full(lunch)
    count = lunch.session.query(Person).count()
    about = ("访客", lunch.slot_id, at("11:00"), lunch.manager_id)
    assert lunch.do(lambda s: people.reserve_for_guest(s, *about).state) == "no: no_free_seat"
    assert lunch.session.query(Person).count() == count


def test_the_waiting_list_comes_first(lunch: LunchHour) -> None:
    full(lunch)
    lunch.book("陈晨", "Mon 10:00")
    with transactions.transaction(lunch.session):
        lunch.now().capacity = 3  # as when a promotion is on its way
        lunch.session.flush()
        outcome = "no seat"
        try:
            seats.reserve.inside(lunch.session, lunch.slot_id, lunch.people["周明"], at("11:00"), lunch.manager_id)
        except RuleViolation as no:
            outcome = no.reason
        assert outcome == "no_free_seat"
        assert lunch.session.query(Booking).filter_by(person_id=lunch.people["陈晨"]).one().state == "booked"


def test_cancelling_what_one_did_not_ask_for_is_never_late(lunch: LunchHour) -> None:
    reserve(lunch, "周明", "11:30")
    lunch.give_up("周明", "12:05")
    assert lunch.latest("周明").late is False


def test_a_mistake_removed_at_once_is_told_to_nobody(lunch: LunchHour) -> None:
    reserve(lunch, "周明", "Mon 09:00")
    removed = lunch.do(lambda s: seats.remove(s, lunch.latest("周明").id, "错了", at("Mon 09:00:30"), None).state)
    states = [(letter.kind, letter.state) for letter in lunch.session.query(Letter)]
    assert (removed, states) == ("cancelled", [("confirmed", "dropped")])
    assert is_sound(lunch, "Mon 09:01")
