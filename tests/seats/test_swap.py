"""Swap: a seat in another slot of the day instead of the one held: both or neither."""

import sys

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import invariants, seats
from booking.errors import RuleViolation
from booking.queries import slot_cards
from booking.seats.transitions import live_booking
from tests.seats.test_strikes import give
from tests.support.lunch_hour import LunchHour, at
from tests.support.together import together

OPEN = "Mon 10:00"


class Day:
    """周明 has one of the two seats at 12:10; at 13:10 there are two more."""

    def __init__(self, session: Session) -> None:
        self.lunch = LunchHour(session)
        self.session, self.held = session, self.lunch.slot_id
        self.other = self.lunch.slot("13:10")
        self.lunch.book("周明", OPEN)

    def swap(self, clock: str = "11:00", key: str | None = None, who: str = "周明") -> str:
        held = self.lunch.latest(who, self.held).id
        try:
            return seats.swap(self.session, self.lunch.people[who], self.other, held, at(clock), key).booking.state
        except RuleViolation as no:
            return f"no: {no.reason}"

    def offered(self, clock: str = "11:00", who: str = "周明") -> tuple[int, bool] | None:
        """The slot to be given up, and whether late, as the other slot's page offers it."""
        self.session.rollback()
        card = slot_cards.card(self.session, self.other, self.lunch.people[who], at(clock))
        return (card.instead.slot_id, card.is_late) if card and card.instead else None

    def taken(self) -> tuple[int, int]:
        self.session.rollback()
        assert list(invariants.breaches(self.session, at("11:59"))) == []
        return self.lunch.now(self.held).taken, self.lunch.now(self.other).taken


@pytest.fixture
def day(session: Session) -> Day:
    return Day(session)


def test_the_other_seat_is_taken_and_the_first_is_free(day: Day) -> None:
    assert day.offered() == (day.held, False)
    assert day.swap() == "booked"
    assert day.lunch.state("周明", day.held) == "cancelled"
    assert day.taken() == (0, 1)
    assert day.offered() is None


@pytest.mark.parametrize("clock", ["Mon 10:01", "11:00"])
def test_the_history_says_swapped_also_within_the_undo_window(day: Day, clock: str) -> None:
    day.swap(clock)
    (left,) = day.lunch.lines("press_undone", "given_up")
    assert left.details == {"swapped_for": day.other}


def test_the_first_seat_goes_to_who_waits_for_it(day: Day) -> None:
    for who in ("李静", "王磊"):
        day.lunch.book(who, OPEN)
    assert day.swap() == "booked"
    assert day.lunch.state("王磊", day.held) == "booked"
    assert day.taken() == (2, 1)


def test_without_a_free_seat_nothing_changes(day: Day) -> None:
    for who in ("李静", "王磊"):
        day.lunch.book(who, OPEN, day.other)
    assert day.offered() is None
    assert day.swap() == "no: full"
    assert day.lunch.state("周明", day.held) == "booked"
    assert day.taken() == (1, 2)
    assert day.lunch.letters("周明").count("booking_cancelled") == 0


@pytest.mark.parametrize("key", ["once", None])
def test_a_second_press_changes_nothing(day: Day, key: str | None) -> None:
    assert [day.swap(key=key), day.swap("11:00:01", key=key)] == ["booked", "booked"]
    assert day.taken() == (0, 1)


@pytest.mark.parametrize(("clock", "late"), [("11:10", False), ("11:10:01", True)])
def test_after_the_free_time_the_first_one_is_a_late_cancel(day: Day, clock: str, late: bool) -> None:
    assert day.offered(clock) == (day.held, late)
    assert day.swap(clock) == "booked"
    assert day.lunch.latest("周明", day.held).late is late


def test_a_slot_that_has_begun_is_not_given_up(day: Day) -> None:
    assert day.offered("12:09:59") == (day.held, True)
    assert day.offered("12:10") is None
    assert day.swap("12:10") == "no: started_yours"
    day.lunch.check_in("周明", "12:11")
    assert day.swap("12:12") == "no: here_already"
    assert day.lunch.state("周明", day.held) == "attended"


def test_who_is_free_that_day_or_early_or_paused_is_offered_no_swap(day: Day) -> None:
    assert day.offered(who="李静") is None
    assert day.offered("Mon 09:59") is None, "the other slot is not open yet"
    give(day.lunch, 20, 10, 5, who="周明")
    assert day.offered() is None, "he is paused"


class Opposite:
    """周明 and 李静 each have a seat where the other has none, and change places at the same instant."""

    def __init__(self, day: Day, engine: Engine) -> None:
        self.lunch, self.engine = day.lunch, engine
        day.lunch.book("李静", OPEN, day.other)
        self.pairs = [("周明", day.held, day.other), ("李静", day.other, day.held)]

    def round(self) -> list[str]:
        done = together(self.engine, 2, self._change)
        self.pairs = [(who, wanted, mine) for who, mine, wanted in self.pairs]
        return done

    def _change(self, session: Session, number: int) -> str:
        who, mine, wanted = self.pairs[number]
        held = live_booking(session, mine, self.lunch.people[who])
        assert held
        return seats.swap.inside(session, self.lunch.people[who], wanted, held.id, at("11:00")).booking.state


def test_two_who_change_places_do_not_lock_each_other_out(day: Day, engine: Engine) -> None:
    opposite = Opposite(day, engine)
    for _ in range(10):
        assert opposite.round() == ["booked", "booked"]
    assert day.taken() == (1, 1)


@pytest.mark.postgresql
def test_control_locked_one_after_the_other_they_do(day: Day, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[seats.swap.__module__], "lock_slots", lambda *_: None)
    opposite = Opposite(day, engine)
    with pytest.raises(OperationalError, match="deadlock"):
        for _ in range(200):
            opposite.round()
