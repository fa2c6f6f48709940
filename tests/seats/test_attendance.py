"""Rule 9 without attendance: nothing is released until the manager says what happened.

The slot runs from 12:10 to 13:00, its release is due at 12:15, and it stays open until 15:00.
"""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import invariants, seats, slots
from booking.db import transactions
from booking.model import Letter
from tests.support.lunch_hour import LunchHour, at

OPEN = "Mon 10:00"
DAY = ("12:10", "12:15", "13:00")


@pytest.fixture
def noon(session: Session) -> LunchHour:
    """周明 and 李静 have the two seats."""
    lunch = LunchHour(session)
    for who in ("周明", "李静"):
        lunch.book(who, OPEN)
    return lunch


def ticks(lunch: LunchHour, *clocks: str) -> None:
    for clock in clocks:
        lunch.tick(clock)


def say(lunch: LunchHour, verb: Callable[..., object], clock: str) -> str:
    """The manager's decision, and the number of people it affected."""

    def said(session: Session) -> str:
        found = verb(session, lunch.slot_id, at(clock), lunch.manager_id)
        return str(found if isinstance(found, int) else len(found))  # type: ignore[arg-type]

    return lunch.do(said)


def sound(lunch: LunchHour, clock: str) -> bool:
    return invariants.breaches(lunch.session, at(clock)) == []


def test_with_nobody_checked_in_nobody_is_released_or_struck(session: Session) -> None:
    lunch = LunchHour(session, capacity=8)
    for who in lunch.people:
        lunch.book(who, OPEN)
    ticks(lunch, "12:10", "12:15", "12:15:02", "12:30", "12:59:59")
    assert set(lunch.states(*lunch.people)) == {"booked"}
    assert lunch.now().taken == 8
    assert [lunch.strikes(who) for who in lunch.people] == [[]] * 8
    assert lunch.events("released", "strike", "attendance_missing") == [("attendance_missing", "")]
    assert sound(lunch, "12:59:59")


def test_the_managers_are_told_once_and_nobody_else_is(noon: LunchHour) -> None:
    ticks(noon, "12:10", "12:14:59")
    missing = select(Letter.person_id).where(Letter.kind == "attendance_missing")
    assert noon.session.scalars(missing).all() == []
    ticks(noon, "12:15", "12:15:02", "12:40", "13:00", "15:00")
    assert noon.session.scalars(missing).all() == [noon.manager_id]
    assert [noon.letters(who) for who in ("周明", "李静")] == [["confirmed"]] * 2


def test_two_hours_after_the_end_they_are_unrecorded(noon: LunchHour) -> None:
    ticks(noon, *DAY, "14:59:59.999999")
    assert (noon.now().state, *noon.states("周明", "李静")) == ("running", "booked", "booked")
    noon.tick("15:00")
    assert (noon.now().state, *noon.states("周明", "李静")) == ("done", "unrecorded", "unrecorded")
    assert (noon.now().taken, noon.latest("周明").ended_at) == (0, at("15:00"))
    assert noon.events("unrecorded", "strike") == [("unrecorded", "周明"), ("unrecorded", "李静")]
    assert sound(noon, "15:01")
    for verb in (slots.everybody_came, slots.did_not_happen):
        assert say(noon, verb, "15:01") == "no: attendance_known"
    assert say(noon, slots.release_held, "15:01") == "0"


def test_a_late_cancel_of_an_unrecorded_slot_is_no_strike(noon: LunchHour) -> None:
    noon.give_up("李静", "11:30")
    assert noon.latest("李静").late
    ticks(noon, *DAY, "15:00")
    assert (noon.states("周明", "李静"), noon.strikes("李静")) == (["unrecorded", "cancelled"], [])


def test_a_slot_without_bookings_has_no_attendance_to_take(noon: LunchHour) -> None:
    for who in ("周明", "李静"):
        noon.give_up(who, "12:00")
    ticks(noon, *DAY)
    assert (noon.now().state, noon.now().unattended) == ("done", False)
    assert [noon.strikes(who) for who in ("周明", "李静")] == [["late_cancel"]] * 2


ATTENDED: dict[str, Callable[[LunchHour], object]] = {
    "a check-in": lambda lunch: lunch.check_in("王磊", "12:14"),
    "a check-in that was undone": lambda lunch: lunch.roll_call("12:14"),
    "a walk-in": lambda lunch: lunch.walk_in("陈晨", "12:14"),
    "a walk-in that was undone": lambda lunch: (lunch.walk_in("陈晨", "12:13"), lunch.undo("陈晨", "12:14")),
}


@pytest.mark.parametrize("what", ATTENDED)
def test_any_sign_of_attendance_makes_the_release_as_usual(session: Session, what: str) -> None:
    lunch = LunchHour(session, capacity=4)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, OPEN)
    lunch.tick("12:10")
    ATTENDED[what](lunch)
    lunch.tick("12:15")
    assert lunch.states("周明", "李静") == ["released", "released"]
    assert lunch.strikes("周明") == ["no_show"]


@pytest.mark.parametrize("clock", ["11:55", "12:14:59"])
def test_somebody_on_standby_is_a_sign_of_attendance(noon: LunchHour, clock: str) -> None:
    noon.tick(clock)
    noon.stand_by("王磊", clock)
    ticks(noon, "12:10", "12:15")
    assert noon.states("周明", "王磊") == ["released", "attended"]


# Attendance that begins late


def test_attendance_begun_late_leaves_time_to_go_through_the_list(noon: LunchHour) -> None:
    ticks(noon, "12:10", "12:15")
    noon.check_in("周明", "12:20")
    ticks(noon, "12:20:02", "12:25:01")
    assert noon.states("周明", "李静") == ["attended", "booked"]
    assert (noon.now().release_at, noon.now().release_held_at, noon.now().unattended) == (at("12:25:02"), None, False)
    noon.tick("12:25:02")
    assert noon.states("周明", "李静") == ["attended", "released"]
    assert noon.strikes("李静") == ["no_show"]
    assert sound(noon, "12:26")
    ticks(noon, "13:00")
    assert noon.now().state == "done"


def test_a_check_in_wins_over_the_release_that_comes_later(noon: LunchHour) -> None:
    ticks(noon, "12:10", "12:15")
    noon.check_in("周明", "12:20")
    noon.tick("12:20:02")
    noon.check_in("李静", "12:24")
    ticks(noon, "12:26", "13:00")
    assert noon.states("周明", "李静") == ["attended", "attended"]


@pytest.mark.parametrize("clock", ["12:56", "12:59:59"])
def test_nobody_is_struck_where_attendance_began_too_late_to_go_through_the_list(noon: LunchHour, clock: str) -> None:
    ticks(noon, "12:10", "12:15")
    noon.check_in("周明", clock)
    ticks(noon, "13:00", "13:00:02")
    assert (noon.now().state, *noon.states("周明", "李静")) == ("done", "attended", "released")
    assert noon.strikes("李静") == []
    assert noon.latest("李静").end_reason == "release_missed"


def test_standby_at_a_held_slot_is_served_when_the_release_comes(noon: LunchHour) -> None:
    ticks(noon, "12:10", "12:15")
    noon.stand_by("王磊", "12:20")
    ticks(noon, "12:20:02", "12:25:02")
    assert noon.states("王磊", "周明", "李静") == ["attended", "released", "released"]


def test_a_release_that_is_due_only_at_the_end_waits_too(lunch_with: Callable[..., LunchHour]) -> None:
    lunch = lunch_with(grace_minutes=60)
    lunch.book("周明", OPEN)
    assert lunch.now().release_at == lunch.now().ends_at
    ticks(lunch, "12:10", "13:00")
    assert (lunch.now().state, lunch.state("周明")) == ("running", "booked")
    lunch.tick("15:00")
    assert lunch.state("周明") == "unrecorded"


# The manager's decision


@pytest.mark.parametrize("clock", ["12:16", "12:59", "14:59"])
def test_everybody_came(noon: LunchHour, clock: str) -> None:
    ticks(noon, "12:10", "12:15")
    assert [say(noon, slots.everybody_came, clock) for _ in range(2)] == ["2", "0"]
    assert noon.states("周明", "李静") == ["attended", "attended"]
    assert noon.events("all_came", "vouched") == [("vouched", "周明"), ("vouched", "李静"), ("all_came", "")]
    assert sound(noon, clock)
    ticks(noon, clock, "15:00", "15:01")
    assert (noon.now().state, noon.strikes("周明")) == ("done", [])
    assert noon.states("周明", "李静") == ["attended", "attended"]
    assert sound(noon, "15:01")


def test_everybody_but_one_came(noon: LunchHour) -> None:
    ticks(noon, "12:10", "12:15")
    say(noon, slots.everybody_came, "12:20")
    noon.undo("李静", "12:21")
    ticks(noon, "12:30", "15:00")
    assert noon.states("周明", "李静") == ["attended", "released"]
    assert noon.strikes("李静") == ["no_show"]


def test_that_everybody_came_can_be_undone(noon: LunchHour) -> None:
    ticks(noon, "12:10", "12:15")
    say(noon, slots.everybody_came, "12:20")
    assert [say(noon, slots.take_back_word, "14:00") for _ in range(2)] == ["2", "0"]
    assert noon.states("周明", "李静") == ["booked", "booked"]
    noon.tick("14:00:02")
    assert noon.states("周明", "李静") == ["booked", "booked"]
    noon.tick("15:00")
    assert noon.states("周明", "李静") == ["unrecorded", "unrecorded"]
    assert say(noon, slots.take_back_word, "15:01") == "0"
    assert sound(noon, "15:01")


@pytest.mark.parametrize("clock", ["12:16", "14:59"])
def test_the_slot_did_not_take_place(noon: LunchHour, clock: str) -> None:
    ticks(noon, "12:10", "12:15")
    assert [say(noon, slots.did_not_happen, clock) for _ in range(2)] == ["2", "0"]
    ticks(noon, clock, "15:00")
    assert (noon.now().state, *noon.states("周明", "李静")) == ("cancelled", "cancelled", "cancelled")
    assert noon.letters("周明") == ["confirmed", "slot_cancelled"]
    assert [noon.strikes(who) for who in ("周明", "李静")] == [[], []]
    assert sound(noon, "15:01")


@pytest.mark.parametrize("clock", ["12:16", "14:59"])
def test_the_manager_releases_by_the_list(noon: LunchHour, clock: str) -> None:
    ticks(noon, "12:10", "12:15")
    assert [say(noon, slots.release_held, clock) for _ in range(2)] == ["2", "0"]
    assert noon.states("周明", "李静") == ["released", "released"]
    assert noon.strikes("周明") == ["no_show"]
    for verb in (slots.everybody_came, slots.did_not_happen):
        assert say(noon, verb, clock) == "no: attendance_known"
    ticks(noon, "15:00")
    assert noon.now().state == "done"
    assert sound(noon, "15:01")


@pytest.mark.parametrize("verb", [slots.everybody_came, slots.did_not_happen])
def test_there_is_no_decision_where_attendance_was_taken(noon: LunchHour, verb: Callable[..., object]) -> None:
    noon.check_in("周明", "12:00")
    ticks(noon, "12:10", "12:15")
    assert say(noon, verb, "12:20") == "no: attendance_known"
    assert noon.states("周明", "李静") == ["attended", "released"]


def test_there_is_no_decision_before_the_release_is_due(noon: LunchHour) -> None:
    ticks(noon, "12:10")
    assert say(noon, slots.everybody_came, "12:14") == "no: attendance_known"
    assert noon.state("周明") == "booked"


# With an outage of our own in addition


def test_after_an_outage_without_attendance_the_manager_decides(noon: LunchHour) -> None:
    noon.tick("12:10")
    for clock in ("12:40", "12:40:02"):
        with transactions.transaction(noon.session) as session:
            assert slots.hold_release(session, slots.to_release(session, at(clock)), at(clock)) == 0
    assert (noon.now().unattended, noon.now().release_held_at) == (True, at("12:40"))
    assert noon.session.scalar(select(func.count()).where(Letter.kind == "attendance_missing")) == 1


def test_an_outage_until_the_slot_is_closed_tells_and_strikes_nobody(noon: LunchHour) -> None:
    noon.tick("16:00")
    assert noon.states("周明", "李静") == ["unrecorded", "unrecorded"]
    assert noon.session.scalar(select(func.count()).where(Letter.kind == "attendance_missing")) == 0
    assert sound(noon, "16:00")


def test_a_finish_that_comes_first_asks_for_attendance_too(noon: LunchHour) -> None:
    noon.tick("12:10")
    with transactions.transaction(noon.session) as session:
        assert seats.finish(session, [noon.slot_id], at("13:00")) == 0
    assert (noon.now().state, noon.now().unattended, noon.state("周明")) == ("running", True, "booked")
