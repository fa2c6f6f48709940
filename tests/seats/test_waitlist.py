"""Rule 6: the waiting list and its three phases. It closes at 11:40, the slot starts at 12:10."""

from collections.abc import Callable, Collection

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import seats, slots
from booking.db import transactions
from booking.model import Person, Slot
from tests.seats.test_strikes import give
from tests.support.lunch_hour import LunchHour, at, make_people

Make = Callable[..., LunchHour]
OPEN = "Mon 10:00"


@pytest.fixture
def full(session: Session) -> LunchHour:
    """周明 has the only seat; 李静, 王磊 and 陈晨 wait, in that order."""
    lunch = LunchHour(session, capacity=1)
    for who in ("周明", "李静", "王磊", "陈晨"):
        lunch.book(who, OPEN)
    return lunch


def disable(lunch: LunchHour, *names: str, on: bool = True) -> None:
    ids = [lunch.people[name] for name in names]
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Person).where(Person.id.in_(ids)).values(disabled_at=at(OPEN) if on else None))


@pytest.mark.parametrize(("clock", "answer"), [("11:39:59.999999", "booked"), ("11:40", "waiting")])
def test_a_freed_seat_goes_to_the_first_in_line_until_30_minutes_before(
    full: LunchHour, clock: str, answer: str
) -> None:
    full.give_up("周明", clock)
    assert full.states("李静", "王磊", "陈晨") == [answer, "waiting", "waiting"]


def test_who_is_promoted_is_told_at_once(full: LunchHour) -> None:
    full.give_up("周明", "11:00")
    assert full.letters("李静") == ["promoted"]
    assert full.letters("王磊") == []
    assert full.latest("李静").via == "line"


def test_the_waiting_list_moves_up_when_a_place_is_cancelled(full: LunchHour) -> None:
    assert full.give_up("李静", "11:00") == "cancelled"
    full.give_up("周明", "11:00")
    assert full.states("王磊", "陈晨") == ["booked", "waiting"]
    assert full.now().waiting == 1


def test_an_ineligible_person_is_skipped_with_the_reason_and_keeps_the_place(full: LunchHour) -> None:
    disable(full, "李静")
    full.give_up("周明", "11:00")
    assert full.states("李静", "王磊", "陈晨") == ["waiting", "booked", "waiting"]
    assert full.events("skipped", "promoted") == [("skipped", "李静"), ("promoted", "王磊")]
    assert full.latest("李静").skipped == "gone"
    disable(full, "李静", on=False)
    full.give_up("王磊", "11:05")
    assert full.states("李静", "陈晨") == ["booked", "waiting"]
    assert full.latest("李静").skipped is None


def test_a_reason_is_written_once_however_often_the_scheduler_looks(full: LunchHour) -> None:
    disable(full, "李静", "王磊", "陈晨")
    full.give_up("周明", "11:00")
    for minute in range(1, 4):
        full.tick(f"11:0{minute}")
    assert full.events("skipped") == [("skipped", who) for who in ("李静", "王磊", "陈晨")]


def test_many_ineligible_people_do_not_block_the_waiting_list(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    lunch.book("周明", OPEN)
    with transactions.transaction(session):
        crowd = make_people(session, [f"停用{n:02}" for n in range(25)])
    lunch.people |= crowd
    for who in crowd:
        lunch.book(who, OPEN)
    lunch.book("李静", OPEN)
    disable(lunch, *crowd)
    lunch.give_up("周明", "11:00")
    for second in range(1, 4):
        lunch.tick(f"11:00:0{second}")
    assert lunch.state("李静") == "booked"


def test_nobody_books_past_an_open_waiting_list(full: LunchHour) -> None:
    disable(full, "李静", "王磊", "陈晨")
    full.give_up("周明", "11:00")
    assert full.now().free == 1
    assert full.book("刘洋", "11:01") == "waiting"
    full.tick("11:01:05")
    assert full.state("刘洋") == "booked"


def test_in_the_last_half_hour_the_first_to_book_gets_the_seat(full: LunchHour) -> None:
    full.give_up("周明", "11:40")
    assert full.states("李静", "王磊", "陈晨") == ["waiting"] * 3
    assert full.book("刘洋", "11:41") == "booked"
    assert full.book("王磊", "11:42") == "waiting"  # theirs already: still on the waiting list
    assert full.book("赵敏", "11:42") == "no: line_closed"


def test_a_waiting_person_may_be_the_first_to_book(full: LunchHour) -> None:
    full.give_up("周明", "11:40")
    assert full.book("陈晨", "11:41") == "booked"
    assert full.latest("陈晨").via == "tap"
    assert (full.now().taken, full.now().waiting) == (1, 2)


def test_those_who_wait_are_told_once_that_a_seat_is_open(full: LunchHour) -> None:
    full.give_up("周明", "11:40")
    full.book("陈晨", "11:41")
    full.give_up("陈晨", "11:42")
    full.tick("11:43")
    assert [full.letters(who) for who in ("李静", "王磊")] == [["seat_open"]] * 2


def test_who_is_paused_is_not_told_of_a_seat_that_they_cannot_take(full: LunchHour) -> None:
    give(full, 20, 10, 5, who="王磊")
    full.give_up("周明", "11:40")
    full.tick("11:43")
    assert [full.letters(who).count("seat_open") for who in ("李静", "王磊", "陈晨")] == [1, 0, 1]


def test_a_seat_that_nobody_could_have_is_open_to_everyone_later(full: LunchHour) -> None:
    disable(full, "李静", "王磊", "陈晨")
    full.give_up("周明", "11:00")
    full.tick("11:40")
    assert full.book("刘洋", "11:40") == "booked"


def test_the_waiting_list_ends_at_the_start(full: LunchHour) -> None:
    full.stand_by("王磊", "12:00")
    full.tick("12:09:59.999999")
    assert full.state("李静") == "waiting"
    full.tick("12:10")
    assert full.states("李静", "王磊", "陈晨") == ["expired", "waiting", "expired"]
    assert full.now().waiting == 1


def test_a_promotion_ends_the_conflicting_places(full: LunchHour) -> None:
    later = full.slot("13:10", 1)
    full.book("刘洋", OPEN, later)
    full.book("李静", OPEN, later)
    full.give_up("周明", "11:00")
    assert full.state("李静") == "booked"
    assert full.latest("李静", later).end_reason == "withdrawn"
    assert full.now(later).waiting == 0


def test_the_first_in_line_of_two_slots_gets_one(full: LunchHour) -> None:
    """Both seats become free at once; the second goes to the next person, nobody gets two."""
    later = full.slot("13:10", 1)
    full.book("刘洋", OPEN, later)
    for who in ("李静", "赵敏"):
        full.book(who, OPEN, later)
    full.give_up("周明", "11:00")
    full.give_up("刘洋", "11:00", later)
    assert full.state("李静") == "booked"
    assert full.state("赵敏", later) == "booked"


def test_a_promotion_locks_everything_that_it_may_change(lunch_with: Make) -> None:
    """A seat of theirs may become a waiting-list place meanwhile, so its slot is locked too."""
    lunch = lunch_with(capacity=1, seats_a_day=2)
    other = lunch.slot("13:10")
    lunch.book("周明", OPEN)
    lunch.book("李静", OPEN, other)
    lunch.book("李静", OPEN)
    with transactions.transaction(lunch.session) as session:
        held = seats.lock_slots(session, {lunch.slot_id}, at("11:00"))
    assert set(held.slots) == {lunch.slot_id, other}
    assert held.people == {lunch.people["李静"]}


@pytest.mark.postgresql
def test_a_slot_cancelled_while_a_booking_ends_its_place_counts_once(
    lunch: LunchHour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The booking has read the waiting-list place, and has not locked its slot yet."""
    early = lunch.slot("12:00", 1)
    for who in ("李静", "王磊", "周明"):
        lunch.book(who, OPEN, early)
    kept = lunch.latest("周明", early)  # an object that still holds what was read before
    real = transactions.lock

    def lock(session: Session, people: Collection[int] = (), slot_ids: Collection[int] = ()) -> list[Slot]:
        if early in slot_ids:
            monkeypatch.setattr(transactions, "lock", real)
            with Session(session.get_bind()) as office, transactions.transaction(office):
                slots.cancel(office, early, "停电", at("11:00"))
        return real(session, people, slot_ids)

    monkeypatch.setattr(transactions, "lock", lambda session, people=(), slots=(): lock(session, people, slots))
    assert lunch.book("周明", "11:00") == "booked"
    assert lunch.now(early).waiting == 0
    assert kept.end_reason == "slot_cancelled"
