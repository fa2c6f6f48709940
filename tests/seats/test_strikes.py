"""Rule 10: a first strike warns, three within 30 days pause for 7, and a manager may forgive."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.model import Booking, Letter, Slot, Strike
from booking.policy import Policy
from booking.seats import strike_ledger
from tests.support.lunch_hour import LunchHour, at

OPEN = "Mon 10:00"
DAY = timedelta(days=1)
FIRST = datetime.fromisoformat("2026-11-01T13:00:00+08:00")
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(("days", "ends"), [
    ([], None),
    ([0], None),
    ([0, 10], None),
    ([0, 10, 20], 27),
    ([0, 10, 30], 37),
    ([0, 10, 31], None),
    ([0, 20, 40], None),
    ([0, 20, 40, 50], 57),  # 20, 40, 50
    ([0, 1, 2, 40], 9),  # the old pause is over; the fourth strike stands alone
    ([0, 1, 2, 3], 10),
])  # fmt: skip
def test_three_within_30_days_pause_for_7(days: Sequence[int], ends: int | None) -> None:
    until = strike_ledger.pause_after([FIRST + DAY * day for day in days], Policy())
    assert until == (None if ends is None else FIRST + DAY * ends)


def test_thirty_days_are_counted_to_the_microsecond() -> None:
    assert strike_ledger.pause_after([FIRST, FIRST, FIRST + 30 * DAY], Policy()) == FIRST + 37 * DAY
    assert strike_ledger.pause_after([FIRST, FIRST, FIRST + 30 * DAY + TICK], Policy()) is None


@pytest.fixture
def struck(lunch: LunchHour) -> LunchHour:
    """周明 has strikes of 20, 10 and 5 days ago, as the slot opens; the pause ends on Wednesday at 10:00."""
    give(lunch, 20, 10, 5)
    return lunch


def give(lunch: LunchHour, *days_ago: int, who: str = "周明", station_id: int | None = None) -> None:
    with transactions.transaction(lunch.session) as session:
        for days in days_ago:
            slot = lunch._slot("Mon 18:10", 9, station_id)
            booking = _released(session, lunch.people[who], slot, at(OPEN) - days * DAY)
            session.add(booking)


def _released(session: Session, person_id: int, slot_id: int, moment: datetime) -> Strike:
    station_id = session.get_one(Slot, slot_id).station_id
    booking = Booking(
        slot_id=slot_id, station_id=station_id, person_id=person_id, state="released",
        created_at=moment, seated_at=moment, ended_at=moment, via="tap",
    )  # fmt: skip
    session.add(booking)
    session.flush()
    return Strike(
        person_id=person_id, station_id=station_id, slot_id=slot_id, booking_id=booking.id, at=moment, reason="no_show"
    )


def test_a_pause_refuses_new_bookings_and_ends_by_itself(struck: LunchHour) -> None:
    wednesday = struck.slot("Wed 12:10")
    assert struck.book("周明", OPEN) == "no: paused"
    assert struck.book("周明", "Tue 10:00", wednesday) == "no: paused"
    assert struck.book("周明", "Wed 09:59:59.999999", wednesday) == "no: paused"
    assert struck.book("周明", "Wed 10:00", wednesday) == "booked"


def test_a_pause_holds_at_one_station_only(struck: LunchHour) -> None:
    there = struck.slot(station_id=struck.other_station())
    assert struck.book("周明", OPEN, there) == "booked"


def test_bookings_already_held_stay(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    give(lunch, 20, 10, 5)
    assert lunch.book("周明", "Mon 11:00") == "booked"  # already theirs
    assert lunch.check_in("周明", "12:00") == "attended"


def test_a_paused_person_is_skipped_on_the_waiting_list_and_may_walk_in(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    for who in ("李静", "周明", "王磊"):
        lunch.book(who, OPEN)
    give(lunch, 20, 10, 5)
    lunch.give_up("李静", "11:00")
    assert lunch.states("周明", "王磊") == ["waiting", "booked"]
    assert lunch.latest("周明").skipped == "paused"
    lunch.tick("12:10")
    lunch.roll_call("12:12")
    lunch.tick("12:15")
    assert lunch.walk_in("周明", "12:20") == "attended"


def test_forgiving_one_ends_the_pause(struck: LunchHour) -> None:
    with transactions.transaction(struck.session) as session:
        strike_id = session.scalars(select(Strike.id).limit(1)).one()
        assert people.forgive(session, strike_id, at(OPEN), struck.manager_id, "电梯坏了") == 1
    with transactions.transaction(struck.session) as session:
        assert people.forgive(session, strike_id, at(OPEN), struck.manager_id, "电梯坏了") == 0
    assert struck.book("周明", OPEN) == "booked"


def test_forgiving_a_slot_forgives_all_of_it(lunch: LunchHour) -> None:
    for who in ("周明", "李静"):
        lunch.book(who, OPEN)
    lunch.tick("12:10")
    lunch.roll_call("12:12")
    lunch.tick("12:15")
    assert [lunch.strikes(who) for who in ("周明", "李静")] == [["no_show"]] * 2
    with transactions.transaction(lunch.session) as session:
        assert people.forgive_slot(session, lunch.slot_id, at("12:30"), lunch.manager_id, "电梯坏了") == 2
    assert [lunch.strikes(who) for who in ("周明", "李静")] == [[]] * 2
    assert lunch.events("forgiven") == [("forgiven", "周明"), ("forgiven", "李静")]


@pytest.mark.parametrize(("days_ago", "warning"), [([], True), ([91], True), ([88], False), ([10], False)])
def test_the_first_strike_in_90_days_is_a_warning(lunch: LunchHour, days_ago: Sequence[int], warning: bool) -> None:
    give(lunch, *days_ago)
    lunch.book("周明", OPEN)
    lunch.tick("12:10")
    lunch.roll_call("12:12")
    lunch.tick("12:15")
    letter = lunch.session.scalars(select(Letter).where(Letter.kind == "strike")).one()
    assert letter.details["warning"] is warning


def test_a_forgiven_strike_warns_again(lunch: LunchHour) -> None:
    give(lunch, 10)
    with transactions.transaction(lunch.session) as session:
        people.forgive(session, session.scalars(select(Strike.id)).one(), at(OPEN), lunch.manager_id, "病假")
    lunch.book("周明", OPEN)
    lunch.tick("12:10")
    lunch.roll_call("12:12")
    lunch.tick("12:15")
    letter = lunch.session.scalars(select(Letter).where(Letter.kind == "strike")).one()
    assert letter.details["warning"] is True


def test_without_strikes_nothing_is_counted(struck: LunchHour) -> None:
    with transactions.transaction(struck.session) as session:
        session.execute(delete(Strike))
    assert struck.book("周明", OPEN) == "booked"
