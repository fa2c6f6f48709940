"""Rules 8 and 9: check-in, no-show release, standby and walk-ins. Check-in opens at 11:55."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from booking import invariants, seats
from booking.db import transactions
from tests.support.lunch_hour import LunchHour, at

Make = Callable[..., LunchHour]
OPEN = "Mon 10:00"


@pytest.fixture
def noon(session: Session) -> LunchHour:
    """周明 and 李静 have the two seats."""
    lunch = LunchHour(session)
    for who in ("周明", "李静"):
        lunch.book(who, OPEN)
    return lunch


@pytest.mark.parametrize(("clock", "answer"), [
    ("11:54:59.999999", "no: too_early"),
    ("11:55", "attended"),
    ("12:59:59.999999", "attended"),
    ("13:00", "no: over"),
])  # fmt: skip
def test_check_in_from_15_minutes_before_to_the_end(noon: LunchHour, clock: str, answer: str) -> None:
    assert noon.check_in("周明", clock) == answer


def test_check_in_is_idempotent(noon: LunchHour) -> None:
    assert [noon.check_in("周明", "12:00"), noon.check_in("周明", "12:01")] == ["attended"] * 2
    assert noon.latest("周明").checked_in_at == at("12:00")
    assert noon.events("checked_in") == [("checked_in", "周明")]


def test_only_a_seat_can_be_checked_in(noon: LunchHour) -> None:
    noon.book("王磊", OPEN)
    noon.give_up("王磊", "11:50")
    noon.book("陈晨", OPEN)
    assert noon.check_in("王磊", "12:00") == "no: not_booked"
    assert noon.check_in("陈晨", "12:00") == "no: not_booked"
    assert noon.check_in("刘洋", "12:00") == "no: no_such_booking"


def test_a_check_in_can_be_undone(noon: LunchHour) -> None:
    noon.check_in("周明", "12:00")
    assert [noon.undo("周明", "12:01"), noon.undo("周明", "12:01")] == ["booked"] * 2
    assert noon.now().taken == 2
    assert noon.check_in("周明", "12:02") == "attended"
    assert noon.undo("周明", "13:00") == "no: over"


def test_an_undo_after_the_release_is_a_no_show_at_the_end(noon: LunchHour) -> None:
    for who in ("周明", "李静"):
        noon.check_in(who, "12:00")
    for clock in ("12:10", "12:15"):
        noon.tick(clock)
    noon.undo("周明", "12:20")
    assert noon.state("周明") == "booked"
    noon.tick("13:00")
    assert noon.states("周明", "李静") == ["released", "attended"]
    assert noon.strikes("周明") == ["no_show"]


def test_an_undone_walk_in_frees_the_seat_for_standby(noon: LunchHour) -> None:
    noon.tick("12:10")
    noon.roll_call("12:12")
    noon.tick("12:15")
    for who in ("王磊", "陈晨", "刘洋"):
        noon.stand_by(who, "12:16")
    assert noon.states("王磊", "陈晨", "刘洋") == ["attended", "attended", "waiting"]
    assert noon.undo("王磊", "12:17") == "cancelled"
    assert noon.state("刘洋") == "attended"


@pytest.mark.parametrize(("clock", "state"), [("12:14:59.999999", "booked"), ("12:15", "released")])
def test_no_shows_are_released_five_minutes_after_the_start(noon: LunchHour, clock: str, state: str) -> None:
    noon.check_in("李静", "12:00")
    noon.tick("12:10")
    with transactions.transaction(noon.session) as session:
        seats.release(session, [noon.slot_id], at(clock))
    assert noon.states("周明", "李静") == [state, "attended"]
    assert noon.strikes("周明") == (["no_show"] if state == "released" else [])


def test_a_release_happens_once(noon: LunchHour) -> None:
    noon.tick("12:10")
    noon.roll_call("12:12")
    for clock in ("12:15", "12:16", "12:17"):
        noon.tick(clock)
    assert noon.events("released") == [("released", "周明"), ("released", "李静")]
    assert noon.now().taken == 0


def test_check_in_wins_when_it_commits_first(noon: LunchHour) -> None:
    noon.check_in("周明", "12:15")
    noon.tick("12:15")
    assert noon.states("周明", "李静") == ["attended", "released"]
    assert noon.check_in("李静", "12:15:01") == "attended"  # late, since the seat is still free


def test_nobody_is_struck_when_our_own_scheduler_was_down(noon: LunchHour) -> None:
    noon.roll_call("12:00")
    noon.tick("15:00")  # the scheduler was down over the whole slot
    assert noon.now().state == "done"
    assert noon.states("周明", "李静") == ["released", "released"]
    assert [noon.strikes(who) for who in ("周明", "李静")] == [[], []]


def test_released_seats_go_to_standby_in_the_order_of_coming(noon: LunchHour) -> None:
    noon.book("陈晨", OPEN)  # first on the waiting list, second on standby
    for who, clock in (("王磊", "12:01"), ("陈晨", "12:02"), ("刘洋", "12:03")):
        assert noon.stand_by(who, clock) == "waiting"
    noon.tick("12:10")
    noon.tick("12:15")
    assert noon.states("王磊", "陈晨", "刘洋") == ["attended", "attended", "waiting"]
    assert noon.latest("王磊").via == "door"


def test_a_mistaken_arrival_is_taken_back_and_the_place_in_line_stays(noon: LunchHour) -> None:
    for who in ("王磊", "陈晨"):
        noon.book(who, OPEN)
    noon.stand_by("陈晨", "12:01")
    assert [noon.not_here("陈晨", "12:02"), noon.not_here("陈晨", "12:03")] == ["waiting"] * 2
    assert (noon.latest("陈晨").standby_at, noon.latest("陈晨").waitlist_position) == (None, 2)
    assert noon.events("standby_undone") == [("standby_undone", "陈晨")]
    noon.stand_by("王磊", "12:04")
    noon.stand_by("陈晨", "12:05")
    noon.check_in("周明", "12:05")
    for clock in ("12:10", "12:15"):
        noon.tick(clock)
    assert noon.states("王磊", "陈晨") == ["attended", "waiting"]
    assert noon.not_here("王磊", "12:16") == "attended"
    assert noon.not_here("陈晨", "13:00") == "no: over"
    assert invariants.breaches(noon.session, at("12:16")) == []


def test_who_did_not_wait_before_leaves_the_line_with_a_mistaken_arrival(noon: LunchHour) -> None:
    noon.stand_by("王磊", "12:01")
    assert noon.not_here("王磊", "12:02") == "cancelled"
    assert noon.now().waiting == 0
    assert noon.stand_by("王磊", "12:03") == "waiting"


def test_a_seat_that_is_free_at_the_start_goes_to_standby(session: Session) -> None:
    lunch = LunchHour(session, capacity=2)
    lunch.book("周明", OPEN)
    lunch.tick("12:10")
    assert lunch.stand_by("王磊", "12:10") == "attended"
    assert lunch.stand_by("陈晨", "12:11") == "waiting"


def test_standby_starts_with_check_in_and_not_before(noon: LunchHour) -> None:
    assert noon.stand_by("王磊", "11:54:59") == "no: too_early"
    assert noon.stand_by("王磊", "11:55") == "waiting"
    assert noon.stand_by("王磊", "11:56") == "waiting"
    assert noon.events("standby") == [("standby", "王磊")]
    assert noon.now().waiting == 1
    assert noon.stand_by("周明", "12:00") == "no: yours"


def test_a_seat_that_is_free_before_the_start_can_be_booked(session: Session) -> None:
    lunch = LunchHour(session)
    assert lunch.stand_by("王磊", "12:00") == "no: seat_free"
    assert lunch.book("王磊", "12:00") == "booked"


def test_people_on_standby_may_book_too(noon: LunchHour) -> None:
    noon.stand_by("王磊", "12:00")
    noon.give_up("周明", "12:01")
    assert noon.book("王磊", "12:02") == "booked"
    assert noon.check_in("王磊", "12:03") == "attended"


def test_the_manager_adds_people_after_those_on_standby(noon: LunchHour) -> None:
    noon.stand_by("王磊", "12:01")
    noon.check_in("李静", "12:01")
    noon.tick("12:10")
    noon.tick("12:15")
    assert noon.state("王磊") == "attended"
    assert noon.walk_in("陈晨", "12:16") == "no: full"


def test_a_late_arrival_is_added_if_a_seat_is_left(noon: LunchHour) -> None:
    noon.tick("12:10")
    noon.roll_call("12:12")
    noon.tick("12:15")
    assert noon.walk_in("周明", "12:20") == "attended"
    assert noon.walk_in("王磊", "12:21") == "attended"
    assert noon.walk_in("李静", "12:22") == "no: full"
    assert noon.strikes("周明") == []


def test_a_walk_in_needs_no_eligibility_but_cannot_be_in_two_places(noon: LunchHour) -> None:
    west = noon.other_station()
    there = noon.slot("12:20", 5, station_id=west)
    noon.book("王磊", OPEN, there)
    noon.roll_call("12:12")
    noon.tick("12:15")
    noon.tick("12:15")
    assert noon.walk_in("王磊", "12:16") == "no: overlap"
    assert noon.walk_in("陈晨", "12:16") == "attended"
    assert noon.walk_in("陈晨", "12:17") == "no: yours"


def test_a_walk_in_promoted_at_that_moment_takes_one_seat(lunch_with: Make) -> None:
    """Check-in opens at 11:10, while the waiting list is open until 11:40."""
    lunch = lunch_with(capacity=3, checkin_minutes=60)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, OPEN)
    lunch.book("陈晨", OPEN)
    with transactions.transaction(lunch.session) as session:  # a larger capacity, and nobody was promoted yet
        seats.find_slot(session, lunch.slot_id).capacity = 5
    assert lunch.walk_in("陈晨", "11:20") == "attended"
    assert (lunch.now().taken, lunch.now().waiting) == (4, 0)
    assert lunch.events("promoted", "checked_in") == [("promoted", "陈晨"), ("checked_in", "陈晨")]


def test_the_history_names_who_seated_a_walk_in(noon: LunchHour) -> None:
    noon.tick("12:10")
    noon.roll_call("12:12")
    noon.tick("12:15")
    noon.walk_in("王磊", "12:16")
    noon.stand_by("陈晨", "12:17")
    actors = {line.person_id: line.actor_id for line in noon.lines("walked_in")}
    assert actors == {noon.people["王磊"]: noon.manager_id, noon.people["陈晨"]: None}


def test_the_end_closes_the_slot(noon: LunchHour) -> None:
    noon.check_in("周明", "12:00")
    noon.check_in("李静", "12:00")
    noon.stand_by("王磊", "12:05")
    for clock in ("12:10", "12:15", "12:59:59.999999"):
        noon.tick(clock)
    assert (noon.now().state, noon.state("王磊")) == ("running", "waiting")
    noon.tick("13:00")
    assert (noon.now().state, noon.state("王磊"), noon.now().waiting) == ("done", "expired", 0)
    assert noon.walk_in("陈晨", "13:00") == "no: over"
    assert noon.stand_by("陈晨", "13:00") == "no: over"
