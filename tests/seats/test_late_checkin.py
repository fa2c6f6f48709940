"""Rule 9: a no-show who comes after all is checked in where a seat is free, with one booking and no strike."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import invariants, people, seats
from booking.db import transactions
from booking.model import Booking, Letter, Strike
from tests.seats.test_strikes import give
from tests.support.lunch_hour import LunchHour, at

OPEN = "Mon 10:00"


@pytest.fixture
def noon(session: Session) -> LunchHour:
    """周明's seat was released at 12:15; 李静 has the other one of two."""
    lunch = LunchHour(session)
    for who in ("周明", "李静"):
        lunch.book(who, OPEN)
    lunch.check_in("李静", "12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    assert (lunch.state("周明"), lunch.strikes("周明")) == ("released", ["no_show"])
    return lunch


def admit(lunch: LunchHour, who: str, clock: str) -> str:
    return lunch.do(lambda s: seats.admit(s, lunch.latest(who).id, at(clock), lunch.manager_id).state)


WAYS: dict[str, Callable[[LunchHour, str, str], str]] = {
    "a tap on the roster": lambda lunch, who, clock: lunch.check_in(who, clock),
    "the ticket": admit,
    "the search for a walk-in": lambda lunch, who, clock: lunch.walk_in(who, clock),
    "standby": lambda lunch, who, clock: lunch.stand_by(who, clock),
}


def rows(lunch: LunchHour, who: str) -> list[tuple[str, bool, str]]:
    """(state, late, how) of the person's bookings."""
    lunch.session.rollback()
    mine = select(Booking.state, Booking.late, Booking.via).where(Booking.person_id == lunch.people[who])
    return [(row.state, row.late, row.via) for row in lunch.session.execute(mine.order_by(Booking.id))]


def letters(lunch: LunchHour, kind: str = "strike") -> list[str]:
    lunch.session.rollback()
    return list(lunch.session.scalars(select(Letter.state).where(Letter.kind == kind).order_by(Letter.id)))


def whole(lunch: LunchHour, clock: str) -> bool:
    return list(invariants.breaches(lunch.session, at(clock))) == []


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whoever_comes_late_has_one_booking_and_no_strike(
    noon: LunchHour, way: Callable[[LunchHour, str, str], str]
) -> None:
    assert way(noon, "周明", "12:16") == "attended"
    assert rows(noon, "周明") == [("attended", True, "door")]
    assert noon.latest("周明").checked_in_at == at("12:16")
    assert (noon.strikes("周明"), letters(noon)) == ([], ["dropped"])
    assert noon.now().taken == 2
    assert [(line.kind, line.before, line.reason) for line in noon.lines("checked_in", "strike_dropped")][-2:] == [
        ("checked_in", "released", None), ("strike_dropped", None, "came_late")]  # fmt: skip
    assert whole(noon, "12:16")
    noon.tick("13:00")
    assert (noon.state("周明"), noon.strikes("周明")) == ("attended", [])
    assert whole(noon, "13:00")


@pytest.mark.parametrize("free", [True, False])
def test_a_no_show_cannot_take_the_strike_back_by_saying_that_they_are_here(noon: LunchHour, free: bool) -> None:
    if not free:
        noon.walk_in("王磊", "12:16")
    said = noon.do(lambda s: seats.stand_by(s, noon.people["周明"], noon.slot_id, at("12:17"), seen=False).state)
    assert (said, noon.state("周明"), noon.strikes("周明")) == ("no: not_seen", "released", ["no_show"])
    assert noon.check_in("周明", "12:18") == ("attended" if free else "no: full")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_undoing_a_late_check_in_restores_everything(
    noon: LunchHour, way: Callable[[LunchHour, str, str], str]
) -> None:
    struck = noon.session.execute(select(Strike.at, Strike.reason, Strike.booking_id)).one()
    way(noon, "周明", "12:16")
    assert [noon.undo("周明", "12:17"), noon.undo("周明", "12:17")] == ["released"] * 2
    booking = noon.latest("周明")
    assert (booking.ended_at, booking.end_reason) == (at("12:15"), "released")
    assert rows(noon, "周明") == [("released", False, "tap")]
    assert noon.session.execute(select(Strike.at, Strike.reason, Strike.booking_id)).one() == struck
    assert letters(noon) == ["dropped", "queued"]
    assert noon.now().taken == 1
    assert whole(noon, "12:17")
    assert noon.check_in("周明", "12:18") == "attended"
    assert noon.undo("周明", "12:19") == "released"
    assert (noon.strikes("周明"), noon.latest("周明").ended_at) == (["no_show"], at("12:15"))
    assert whole(noon, "12:19")


def test_a_late_check_in_is_idempotent(noon: LunchHour) -> None:
    assert [noon.check_in("周明", "12:16"), noon.check_in("周明", "12:17")] == ["attended"] * 2
    assert noon.latest("周明").checked_in_at == at("12:16")
    assert noon.walk_in("周明", "12:18") == "no: yours"


def test_where_no_seat_is_free_they_may_stand_by(noon: LunchHour) -> None:
    assert noon.walk_in("王磊", "12:16") == "attended"
    assert [WAYS[way](noon, "周明", "12:17") for way in list(WAYS)[:3:2]] == ["no: full"] * 2
    assert noon.strikes("周明") == ["no_show"]
    assert admit(noon, "周明", "12:17") == "waiting"
    assert noon.undo("王磊", "12:18") == "cancelled"
    assert rows(noon, "周明") == [("attended", True, "door"), ("cancelled", False, "door")]
    assert (noon.strikes("周明"), noon.now().taken, noon.now().waiting) == ([], 2, 0)
    assert whole(noon, "12:18")
    assert noon.do(
        lambda s: seats.undo_check_in(s, s.scalar(select(func.min(Booking.id))) or 0, at("12:19")).state
    ) == ("released")
    assert whole(noon, "12:19")


def test_those_on_standby_come_first(noon: LunchHour) -> None:
    noon.walk_in("王磊", "12:16")
    for who in ("陈晨", "周明"):
        noon.stand_by(who, "12:17")
    noon.undo("王磊", "12:18")
    assert noon.states("陈晨", "周明") == ["attended", "waiting"]
    assert whole(noon, "12:18")
    noon.tick("13:00")
    assert sorted(state for state, _, _ in rows(noon, "周明")) == ["expired", "released"]
    assert noon.strikes("周明") == ["no_show"]


def test_the_pause_that_the_strike_brought_ends(session: Session) -> None:
    lunch = LunchHour(session)
    give(lunch, 20, 10)
    tomorrow = lunch.slot("Wed 12:10")
    lunch.book("周明", OPEN)
    lunch.walk_in("李静", "12:00")
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert lunch.book("周明", "12:16", tomorrow) == "no: paused"
    lunch.check_in("周明", "12:17")
    assert lunch.book("周明", "12:18", tomorrow) == "booked"


def test_a_strike_that_was_forgiven_stays_forgiven(noon: LunchHour) -> None:
    with transactions.transaction(noon.session) as session:
        people.forgive_slot(session, noon.slot_id, at("12:16"), noon.manager_id, "电梯坏了")
    for verb in (noon.check_in, noon.undo):
        verb("周明", "12:17")
        assert noon.strikes("周明") == []
        assert noon.session.scalar(select(func.count(Strike.id))) == 1
        assert whole(noon, "12:17")


def test_a_letter_that_has_left_is_not_written_again(noon: LunchHour) -> None:
    with transactions.transaction(noon.session) as session:
        session.scalars(select(Letter).where(Letter.kind == "strike")).one().state = "sent"
    noon.check_in("周明", "12:16")
    noon.undo("周明", "12:17")
    assert letters(noon) == ["sent"]


def test_another_seat_of_the_day_does_not_keep_them_out(noon: LunchHour) -> None:
    later = noon.slot("13:10")
    assert noon.book("周明", "12:16", later) == "booked"
    assert noon.check_in("周明", "12:17") == "attended"
    assert whole(noon, "12:17")


def test_another_seat_at_that_hour_keeps_them_out(noon: LunchHour) -> None:
    there = noon.slot("12:30", station_id=noon.other_station())
    assert noon.book("周明", "12:16", there) == "booked"
    assert noon.check_in("周明", "12:17") == "no: overlap"


def test_there_is_no_late_check_in_after_the_end(noon: LunchHour) -> None:
    assert noon.check_in("周明", "13:00") == "no: over"


# Other late arrivals


def test_a_late_cancel_is_not_struck_when_the_person_comes_after_all(lunch: LunchHour) -> None:
    """周明 cancelled first, and the seat stayed empty."""
    for who, clock in (("周明", "11:20"), ("李静", "11:30")):
        lunch.book(who, OPEN)
        lunch.give_up(who, clock)
    assert lunch.walk_in("李静", "12:12") == "attended"
    for clock in ("12:12", "12:15", "13:00"):
        lunch.tick(clock)
    assert (lunch.strikes("周明"), lunch.strikes("李静")) == (["late_cancel"], [])


def test_the_ticket_of_a_cancelled_booking_is_accepted_for_the_new_one(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    old = lunch.latest("周明").id
    lunch.give_up("周明", "Mon 11:00")
    lunch.book("周明", "Mon 11:01")
    assert lunch.do(lambda s: seats.admit(s, old, at("12:00"), lunch.manager_id).state) == "attended"
    assert lunch.state("周明") == "attended"


def test_a_booked_person_entered_as_a_walk_in_is_checked_in(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    assert lunch.walk_in("周明", "12:00") == "attended"
    assert rows(lunch, "周明") == [("attended", False, "tap")]
