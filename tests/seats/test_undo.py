"""Rule 7: within two minutes a person's own booking can be undone completely, and what it had replaced comes back."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, seats, slots
from booking.db import transactions
from booking.model import Letter, Slot
from tests.seats.test_strikes import give
from tests.support.lunch_hour import LunchHour, at

OPEN = "Mon 10:00"


@pytest.mark.parametrize(("booked", "undone", "free"), [
    ("12:05", "12:05:30", True),
    ("12:05", "12:07", True),
    ("12:05", "12:07:00.000001", False),
    ("11:09", "11:11", True),  # free cancellation has ended since
    ("11:09", "11:11:00.000001", False),
    ("12:08:30", "12:09:59.999999", True),
])  # fmt: skip
def test_undo_is_free_for_two_minutes(lunch: LunchHour, booked: str, undone: str, free: bool) -> None:
    assert lunch.book("周明", booked) == "booked"
    assert lunch.give_up("周明", undone) == "cancelled"
    assert (lunch.latest("周明").late, lunch.latest("周明").end_reason) == (
        not free,
        "press_undone" if free else "given_up",
    )
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    assert lunch.strikes("周明") == ([] if free else ["late_cancel"])
    assert list(invariants.breaches(lunch.session, at("13:00"))) == []


def test_undo_ends_with_the_start(lunch: LunchHour) -> None:
    lunch.book("周明", "12:09")
    assert lunch.give_up("周明", "12:10") == "no: started_yours"


def test_an_unsent_letter_is_withdrawn(lunch: LunchHour) -> None:
    lunch.book("周明", "12:05")
    lunch.give_up("周明", "12:06")
    lunch.book("周明", "12:06")
    told = lunch.session.execute(select(Letter.kind, Letter.state).order_by(Letter.id)).all()
    assert [tuple(row) for row in told] == [("confirmed", "dropped"), ("confirmed", "queued")]


@pytest.mark.parametrize("how", ["from the line", "by the manager", "moved back"])
def test_a_seat_not_booked_by_the_person_is_cancelled_and_not_undone(session: Session, how: str) -> None:
    lunch = LunchHour(session, capacity=1, checkin_minutes=75)
    if how == "by the manager":
        lunch.walk_in("周明", "11:20")
        assert lunch.give_up("周明", "11:21") == "no: here_already"
        return
    lunch.book("李静", OPEN)
    lunch.book("周明", OPEN)
    lunch.give_up("李静", "11:00")
    if how == "moved back":
        lunch.resize(2, "11:00:10")
        lunch.resize(1, "11:00:20")
    assert lunch.give_up("周明", "11:01") == "cancelled"
    assert lunch.latest("周明").end_reason == "given_up"


# What the seat had replaced


class TwoLines:
    """周明 and 王磊 wait for the one seat at 12:40 (李静's), and 周明 then takes a seat at 12:10."""

    def __init__(self, session: Session, **numbers: int) -> None:
        self.lunch = lunch = LunchHour(session, **numbers)
        self.slot_id = lunch.slot("12:40", 1)
        for who in ("李静", "周明", "王磊"):
            lunch.book(who, OPEN, self.slot_id)

    def press(self, clock: str = "11:20") -> None:
        assert self.lunch.book("周明", clock) == "booked"
        assert self.place("周明") == ("cancelled", 1)

    def place(self, who: str) -> tuple[str, int | None]:
        self.lunch.session.rollback()
        entry = self.lunch.latest(who, self.slot_id)
        return entry.state, entry.waitlist_position

    def undo(self, clock: str = "11:21") -> None:
        assert self.lunch.give_up("周明", clock) == "cancelled"
        assert list(invariants.breaches(self.lunch.session, at(clock))) == []

    def act(self, verb: Callable[[Session], object]) -> None:
        with transactions.transaction(self.lunch.session) as session:
            verb(session)


@pytest.fixture
def two(session: Session) -> TwoLines:
    return TwoLines(session)


def test_a_waiting_list_place_returns_to_its_old_position(two: TwoLines) -> None:
    two.press()
    two.undo()
    assert two.place("周明") == ("waiting", 1)
    two.lunch.give_up("李静", "11:30", two.slot_id)
    assert [two.place(who)[0] for who in ("周明", "王磊")] == ["booked", "waiting"]
    assert list(invariants.breaches(two.lunch.session, at("11:30"))) == []


def test_after_two_minutes_the_place_does_not_return(two: TwoLines) -> None:
    two.press()
    two.undo("11:22:00.000001")
    assert two.place("周明") == ("cancelled", 1)


def test_a_seat_freed_meanwhile_is_given_to_the_returning_place(two: TwoLines) -> None:
    two.lunch.give_up("王磊", "11:19", two.slot_id)
    two.press()
    two.lunch.give_up("李静", "11:20:30", two.slot_id)
    two.undo()
    assert two.place("周明") == ("booked", 1)
    assert two.lunch.letters("周明")[-1] == "promoted"


def test_people_promoted_meanwhile_keep_their_seats(two: TwoLines) -> None:
    two.press()
    two.lunch.give_up("李静", "11:20:30", two.slot_id)
    two.undo()
    assert [two.place(who)[0] for who in ("周明", "王磊")] == ["waiting", "booked"]


def test_people_demoted_meanwhile_are_ahead_of_a_returning_place(two: TwoLines) -> None:
    two.act(lambda s: slots.set_capacity(s, two.slot_id, 2, at("11:19"), two.lunch.manager_id))
    assert two.place("周明") == ("booked", 1)
    two.lunch.book("陈晨", "11:19", two.slot_id)  # 王磊 is 3rd, 陈晨 4th
    two.lunch.book("刘洋", "11:19", two.slot_id)
    two.lunch.give_up("王磊", "11:19", two.slot_id)
    seat = two.lunch.slot("12:45", 3)
    assert two.lunch.book("陈晨", "11:20", seat) == "booked"
    two.act(lambda s: slots.set_capacity(s, two.slot_id, 1, at("11:20:30"), two.lunch.manager_id, move_newest=True))
    assert two.lunch.give_up("陈晨", "11:21", seat) == "cancelled"
    order = sorted(("周明", "陈晨", "刘洋"), key=lambda who: two.place(who)[1] or 0)
    assert order == ["周明", "陈晨", "刘洋"]
    assert len({two.place(who)[1] for who in order}) == 3
    assert list(invariants.breaches(two.lunch.session, at("11:21"))) == []


def called_off(two: TwoLines) -> None:
    two.act(lambda s: slots.cancel(s, two.slot_id, "停电", at("11:20:30"), two.lunch.manager_id))


def two_other_lines(two: TwoLines) -> None:
    for clock in ("15:10", "16:10"):
        other = two.lunch.slot(clock, 1, station_id=two.lunch.other_station(f"s{clock[:2]}"))
        two.lunch.book("吴桐", "11:20:10", other)
        assert two.lunch.book("周明", "11:20:20", other) == "waiting"


def a_seat_across(two: TwoLines) -> None:
    there = two.lunch.slot("13:00", 3, station_id=two.lunch.other_station())  # ends after 12:40's begin, not 12:10's
    assert two.lunch.book("周明", "11:20:20", there) == "booked"


@pytest.mark.parametrize("meanwhile", [called_off, two_other_lines, a_seat_across])
def test_a_place_that_the_rules_exclude_by_now_does_not_return(
    two: TwoLines, meanwhile: Callable[[TwoLines], None]
) -> None:
    two.press()
    meanwhile(two)
    two.undo()
    assert two.place("周明") == ("cancelled", 1)
    assert two.lunch.state("周明") == "cancelled"


def test_a_pause_does_not_prevent_the_return_of_a_place(two: TwoLines) -> None:
    two.press()
    give(two.lunch, 20, 10, 5)
    two.lunch.give_up("周明", "11:21")
    assert two.place("周明") == ("waiting", 1)


def test_a_place_does_not_return_after_its_waiting_list_has_closed(session: Session) -> None:
    """Its slot begins first: 12:40 and 13:10."""
    lunch = LunchHour(session, checkin_minutes=0)
    early, late = lunch.slot("12:40", 1), lunch.slot("13:10", 1)
    lunch.book("李静", OPEN, early)
    lunch.book("周明", OPEN, early)
    assert lunch.book("周明", "12:39", late) == "booked"
    lunch.tick("12:40")
    assert lunch.give_up("周明", "12:40:30", late) == "cancelled"
    assert lunch.state("周明", early) == "cancelled"
    assert list(invariants.breaches(session, at("12:40:30"))) == []


def test_a_standby_place_returns_too(session: Session) -> None:
    """周明 is on standby first, 王磊 after: then 周明 books a seat elsewhere, and undoes it."""
    lunch = LunchHour(session, capacity=1)
    beside = lunch.slot("12:30", 1, station_id=lunch.other_station())
    lunch.book("李静", OPEN)
    for who, clock in (("周明", "12:00"), ("王磊", "12:01")):
        lunch.stand_by(who, clock)
    assert lunch.book("周明", "12:10:10", beside) == "booked"
    assert lunch.give_up("周明", "12:11", beside) == "cancelled"
    lunch.tick("12:15")
    assert lunch.states("周明", "王磊") == ["attended", "waiting"]
    assert list(invariants.breaches(session, at("12:15"))) == []


def test_two_places_return_each_to_its_waiting_list(session: Session) -> None:
    lunch = LunchHour(session, capacity=2)
    others = [lunch.slot("12:20", 1), lunch.slot("12:30", 1)]
    for slot_id in others:
        for who in ("李静", "周明") if slot_id == others[0] else ("王磊", "周明"):
            lunch.book(who, OPEN, slot_id)
    lunch.book("周明", "11:20")
    lunch.give_up("周明", "11:21")
    assert [lunch.state("周明", slot_id) for slot_id in others] == ["waiting", "waiting"]


def test_a_booking_from_the_waiting_list_is_undone_to_the_waiting_list(session: Session) -> None:
    """In the last half hour the first to book gets a free seat: for a waiting person it is the same booking."""
    lunch = LunchHour(session, capacity=1)
    for who in ("李静", "周明", "王磊"):
        lunch.book(who, OPEN)
    lunch.give_up("李静", "11:45")
    assert lunch.book("周明", "11:46") == "booked"
    assert lunch.give_up("周明", "11:47") == "waiting"
    entry = lunch.latest("周明")
    assert (entry.waitlist_position, entry.seated_at, entry.late) == (1, None, False)
    assert (lunch.now().taken, lunch.now().waiting) == (0, 2)
    assert list(invariants.breaches(session, at("11:47"))) == []
    assert lunch.book("周明", "11:47:30") == "booked"


def test_the_undone_seat_is_offered_on(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    lunch.book("周明", "11:00")
    lunch.book("李静", "11:00:10")
    lunch.give_up("周明", "11:00:30")
    assert lunch.states("周明", "李静") == ["cancelled", "booked"]


def test_undo_is_idempotent(two: TwoLines) -> None:
    two.press()
    for clock in ("11:21", "11:21:10"):
        two.undo(clock)
    assert two.place("周明") == ("waiting", 1)
    assert two.lunch.session.get_one(Slot, two.slot_id).waiting == 2


def test_booking_and_undoing_repeatedly(two: TwoLines) -> None:
    for minute in range(20, 26, 2):
        two.press(f"11:{minute}")
        two.undo(f"11:{minute + 1}")
        assert two.place("周明") == ("waiting", 1)


def test_an_undone_booking_does_not_make_up_for_a_late_cancel(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    lunch.give_up("周明", "11:45")
    lunch.book("李静", "11:50")
    lunch.give_up("李静", "11:51")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    assert (lunch.strikes("周明"), lunch.strikes("李静")) == (["late_cancel"], [])


def test_the_eligibility_lists_the_places_that_a_booking_would_end(two: TwoLines) -> None:
    lunch = two.lunch
    who = seats.eligibility(lunch.session, lunch.people["周明"], lunch.now().station, lunch.now().date, at("11:20"))
    elsewhere = lunch.slot("15:10", 3, station_id=lunch.other_station())
    assert [entry.slot_id for entry in seats.clashing(lunch.now(), who)] == [two.slot_id]
    assert seats.clashing(lunch.session.get_one(Slot, elsewhere), who) == ()
