"""Rule 5: one live booking a station and day, two waiting-list places, no overlapping seats."""

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Person, Slot
from tests.support.lunch_hour import LunchHour

Make = Callable[..., LunchHour]
OPEN = "Mon 10:00"


def test_booking_gives_a_seat_until_none_is_left_and_then_a_waiting_list_place(lunch: LunchHour) -> None:
    answers = [lunch.book(who, OPEN) for who in ("周明", "李静", "王磊", "陈晨")]
    assert answers == ["booked", "booked", "waiting", "waiting"]
    slot = lunch.now()
    assert (slot.taken, slot.waiting) == (2, 2)
    assert [lunch.latest(who).waitlist_position for who in ("王磊", "陈晨")] == [1, 2]
    assert lunch.letters("周明") == ["confirmed"]


def test_a_second_booking_returns_the_first(lunch: LunchHour) -> None:
    for _ in range(3):
        assert lunch.book("周明", OPEN) == "booked"
    lunch.book("李静", OPEN)
    for _ in range(3):
        assert lunch.book("王磊", OPEN) == "waiting"
    assert (lunch.now().taken, lunch.now().waiting) == (2, 1)
    assert lunch.letters("周明") == ["confirmed"]


def test_a_key_identifies_one_booking(lunch: LunchHour) -> None:
    other = lunch.slot("Wed 12:10")
    assert lunch.book("周明", OPEN, key="k1") == "booked"
    assert lunch.book("周明", OPEN, key="k1") == "booked"
    assert lunch.book("周明", "Tue 10:00", other, key="k1") == "no: key_reused"
    assert lunch.give_up("周明", "Mon 11:00") == "cancelled"
    assert lunch.book("周明", "Mon 11:01", key="k1") == "cancelled"  # "Back" in the browser, and the old form again
    assert lunch.book("李静", "Mon 11:01", key="k1") == "booked"  # keys are the person's own
    assert lunch.book("周明", "Mon 11:02", key="k2") == "booked"
    assert lunch.now().taken == 2


def test_one_seat_a_station_and_day(lunch: LunchHour) -> None:
    west = lunch.other_station()
    offers = {
        "the same day": (lunch.slot("13:10"), "no: day_limit"),
        "another day": (lunch.slot("Wed 12:10"), "booked"),
        "another station at the same hour": (lunch.slot("12:10", station_id=west), "no: overlap"),
        "another station, overlapping by a minute": (lunch.slot("12:59", station_id=west), "no: overlap"),
        "another station, right after": (lunch.slot("13:00", station_id=west), "booked"),
    }
    assert lunch.book("周明", "Tue 10:00") == "booked"
    for name, (slot_id, answer) in offers.items():
        assert lunch.book("周明", "Tue 10:00", slot_id) == answer, name


def test_a_seat_excludes_the_waiting_lists_of_the_same_day(lunch: LunchHour) -> None:
    full = lunch.slot("13:10", 1)
    lunch.book("李静", OPEN, full)
    lunch.book("周明", OPEN)
    assert lunch.book("周明", OPEN, full) == "no: day_limit"


def test_a_station_may_allow_two_seats_a_day(lunch_with: Make) -> None:
    lunch = lunch_with(seats_a_day=2)
    second, third = lunch.slot("13:10"), lunch.slot("14:10")
    answers = [lunch.book("周明", OPEN, slot_id) for slot_id in (lunch.slot_id, second, third)]
    assert answers == ["booked", "booked", "no: day_limit"]


def test_attending_uses_the_days_limit_and_being_released_does_not(lunch: LunchHour) -> None:
    later = lunch.slot("13:10", 4)
    for who in ("周明", "李静"):
        lunch.book(who, OPEN)
    lunch.check_in("周明", "12:00")
    lunch.tick("12:15")
    assert lunch.states("周明", "李静") == ["attended", "released"]
    assert lunch.book("周明", "12:20", later) == "no: day_limit"
    assert lunch.book("李静", "12:20", later) == "booked"


def test_at_most_two_waiting_list_places_at_all_stations(lunch: LunchHour) -> None:
    west = lunch.other_station()
    full = [
        lunch.slot("Mon 17:10", 1), lunch.slot("Tue 13:10", 1, station_id=west),
        lunch.slot("Wed 12:10", 1), lunch.slot("Fri 12:10", 1),
    ]  # fmt: skip
    for who, slot_id in zip(("李静", "王磊", "陈晨", "刘洋"), full, strict=True):
        with transactions.transaction(lunch.session) as session:
            session.execute(update(Slot).where(Slot.id == slot_id).values(opens_at=lunch.now(lunch.slot_id).opens_at))
        assert lunch.book(who, OPEN, slot_id) == "booked"
    answers = [lunch.book("周明", OPEN, slot_id) for slot_id in full]
    assert answers == ["waiting", "waiting", "no: waiting_limit", "no: waiting_limit"]
    # A waiting list that has closed does not count any more.
    assert lunch.book("周明", "Mon 17:10", full[2]) == "waiting"


def test_a_person_on_two_waiting_lists_may_still_book_a_seat(lunch: LunchHour) -> None:
    first, second = lunch.slot("Wed 12:10", 1), lunch.slot("Wed 14:10", 1)
    for who, slot_id in (("李静", first), ("王磊", second)):
        lunch.book(who, "Tue 10:00", slot_id)
        lunch.book("周明", "Tue 10:00", slot_id)
    assert lunch.book("周明", "Tue 10:00") == "booked"
    assert [lunch.state("周明", slot_id) for slot_id in (first, second)] == ["waiting", "waiting"]


def test_a_seat_ends_the_waiting_list_places_that_it_excludes(lunch: LunchHour) -> None:
    west = lunch.other_station()
    same_day, same_hour = lunch.slot("13:10", 1), lunch.slot("12:30", 1, station_id=west)
    for who, slot_id in (("李静", same_day), ("王磊", same_hour)):
        lunch.book(who, OPEN, slot_id)
        lunch.book("周明", OPEN, slot_id)
    assert lunch.book("周明", OPEN) == "booked"
    assert [lunch.latest("周明", slot_id).end_reason for slot_id in (same_day, same_hour)] == ["withdrawn"] * 2
    assert [lunch.now(slot_id).waiting for slot_id in (same_day, same_hour)] == [0, 0]


@pytest.mark.parametrize("mark", ["disabled_at", "deleted_at"])
def test_a_disabled_account_cannot_book(lunch: LunchHour, mark: str) -> None:
    with transactions.transaction(lunch.session) as session:
        stopped = update(Person).where(Person.id == lunch.people["周明"])
        session.execute(stopped.values({mark: lunch.now().opens_at}))
    assert lunch.book("周明", OPEN) == "no: gone"
    assert lunch.stand_by("周明", "12:00") == "no: gone"
    assert lunch.walk_in("周明", "12:10") == "no: gone"


def test_a_slot_that_does_not_exist_is_refused(lunch: LunchHour) -> None:
    assert lunch.book("周明", OPEN, 4711) == "no: no_such_slot"


def test_a_refused_booking_writes_nothing(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    lunch.book("李静", OPEN)
    before = lunch.now().waiting, lunch.events("booked", "waiting")
    assert lunch.book("周明", "11:40") == "no: line_closed"
    assert (lunch.now().waiting, lunch.events("booked", "waiting")) == before
    assert lunch.letters("周明") == []
