"""Rule 4: capacity between 1 and the zone's; raising promotes the waiting list, lowering moves people only on
request."""

from datetime import time

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.model import Plan, Slot, Zone
from tests.support.lunch_hour import LONG_BEFORE, TUESDAY, LunchHour, at

OPEN = "Mon 10:00"


@pytest.fixture
def full(session: Session) -> LunchHour:
    """Three seats taken, one a minute, and three people on the waiting list."""
    lunch = LunchHour(session, capacity=3)
    for minute, who in enumerate(("周明", "李静", "王磊", "陈晨", "刘洋", "赵敏")):
        lunch.book(who, f"Mon 10:0{minute}")
    return lunch


@pytest.mark.parametrize(("capacity", "answer"), [
    (0, "no: zone_max"), (-1, "no: zone_max"), (1001, "no: zone_max"),
    (1000, "resized"), (3, "resized"), (2, "no: below_booked"), (1, "no: below_booked"),
])  # fmt: skip
def test_which_capacities_are_accepted(full: LunchHour, capacity: int, answer: str) -> None:
    assert full.resize(capacity, "Mon 11:00") == answer
    assert full.now().capacity == (capacity if answer == "resized" else 3)


def test_more_seats_serve_the_line_in_the_same_transaction(full: LunchHour) -> None:
    full.resize(5, "Mon 11:00")
    assert full.states("陈晨", "刘洋", "赵敏") == ["booked", "booked", "waiting"]
    assert full.letters("陈晨") == ["promoted"]


def test_more_seats_in_the_last_half_hour_are_open_to_everyone(full: LunchHour) -> None:
    full.resize(4, "11:40")
    assert full.states("陈晨", "刘洋", "赵敏") == ["waiting"] * 3
    assert full.letters("陈晨") == ["seat_open"]


def test_the_newest_move_to_the_head_of_the_line_in_their_order_and_are_told(full: LunchHour) -> None:
    assert full.resize(1, "Mon 11:00", move_newest=True) == "resized"
    assert full.states("周明", "李静", "王磊") == ["booked", "waiting", "waiting"]
    assert [full.letters(who)[-1] for who in ("李静", "王磊")] == ["moved_down"] * 2
    assert (full.now().taken, full.now().waiting) == (1, 5)
    full.resize(4, "Mon 11:10")
    assert full.states("李静", "王磊", "陈晨", "刘洋") == ["booked", "booked", "booked", "waiting"]


def test_people_demoted_in_two_steps_stay_ahead_of_the_waiting_list(full: LunchHour) -> None:
    full.resize(2, "Mon 11:00", move_newest=True)
    full.resize(1, "Mon 11:01", move_newest=True)
    full.resize(2, "Mon 11:02")
    assert full.states("李静", "王磊") == ["booked", "waiting"]


def test_checked_in_people_are_not_demoted(full: LunchHour) -> None:
    for who in ("周明", "李静", "王磊"):
        full.check_in(who, "12:00")
    assert full.resize(2, "12:01", move_newest=True) == "no: below_booked"
    assert full.now().taken == 3


def test_nobody_is_moved_once_it_has_started(full: LunchHour) -> None:
    assert full.resize(2, "12:10", move_newest=True) == "no: below_booked"


def test_nothing_is_resized_when_it_is_over(full: LunchHour) -> None:
    assert full.resize(9, "13:00") == "no: over"
    full.cancel("12:00")
    assert full.resize(9, "12:01") == "no: over"


def test_a_number_set_by_hand_survives_the_next_planning(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        free = Zone(station_id=lunch.station_id, name="茶室", capacity=20)
        session.add(free)
        session.flush()
        plan = Plan(
            station_id=lunch.station_id, activity_id=session.get_one(Slot, lunch.slot_id).activity_id, zone_id=free.id,
            weekdays="12345", starts=time(15, 0), minutes=50, capacity=15, valid_from=TUESDAY,
        )  # fmt: skip
        slots.save_plan(session, plan, LONG_BEFORE)
        by_hand = session.scalars(select(Slot).where(Slot.plan_id == plan.id, Slot.date == TUESDAY)).one().id
    with transactions.transaction(lunch.session) as session:
        slots.set_capacity(session, by_hand, 10, at("Mon 09:00"), lunch.manager_id)
    with transactions.transaction(lunch.session) as session:
        slots.plan_ahead(session, lunch.station_id, at("Mon 09:01"))
    others = lunch.session.scalars(select(Slot.capacity).where(Slot.plan_id.is_not(None), Slot.id != by_hand))
    assert (lunch.now(by_hand).capacity, set(others)) == (10, {15})
