"""The numbers of a station's day: written when a slot ends, and right again after whatever is corrected later."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import checkin_sync, invariants, people, seats, statistics
from booking.checkin_sync import Tap
from booking.db import transactions
from booking.model import StationDayTotals, Strike
from booking.statistics import Span
from tests.support.lunch_hour import TUESDAY, LunchHour, at
from tests.support.statements import heard


def row_of(lunch: LunchHour) -> StationDayTotals | None:
    lunch.session.rollback()
    return lunch.session.get(StationDayTotals, (TUESDAY, lunch.station_id))


def counts(lunch: LunchHour) -> dict[str, int]:
    row = row_of(lunch)
    assert row
    names = ("slots", "seats", "visits", "expected", "no_shows", "walk_ins", "late_cancels", "turned_away")
    return {name: getattr(row, name) for name in names if getattr(row, name)}


def agrees(lunch: LunchHour, now: str) -> bool:
    """Whether the row says what a report of the day and a recount from the bookings say."""
    told = statistics.of_station(lunch.session, lunch.station_id, Span(TUESDAY, TUESDAY)).total
    row = row_of(lunch)
    assert row
    assert (row.slots, row.visits, row.no_shows, row.walk_ins, row.late_cancels, row.turned_away) == (
        told.slots,
        told.visits,
        told.no_shows,
        told.walk_ins,
        told.late,
        told.unmet,
    )
    assert (row.seats, row.expected) == (told.seats - told.unseen, told.visits - told.walk_ins + told.no_shows)
    return invariants.breaches(lunch.session, at(now)) == []


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Three seats: 周明 comes, 李静 does not, 王磊 gives up late; 陈晨 walks in, 刘洋 waits in vain. It ended at 13:00."""
    lunch = LunchHour(session, capacity=3)
    for who in ("周明", "李静", "王磊", "刘洋"):
        lunch.book(who, "Mon 10:00:30")
    lunch.give_up("王磊", "11:50")
    lunch.check_in("周明", "12:05")
    lunch.tick("12:10")
    lunch.tick("12:15")
    lunch.walk_in("陈晨", "12:20")
    assert row_of(lunch) is None  # nothing has ended
    lunch.tick("13:00")
    return lunch


def tap(lunch: LunchHour, who: str, tapped: str, arrives: str, *, here: bool = True) -> str:
    """A tap on a roster that was offline."""
    made = Tap(f"{who}-{tapped}-{here}", lunch.latest(who).id, here, at(tapped), "")
    return lunch.do(lambda s: checkin_sync.apply(s, made, at(arrives), lunch.manager_id, "断网"))


def test_a_slot_that_ends_counts_its_day_in_the_same_transaction(lunch: LunchHour) -> None:
    told = {"slots": 1, "seats": 3, "visits": 2, "expected": 2, "no_shows": 1, "walk_ins": 1, "late_cancels": 1}
    assert counts(lunch) == told | {"turned_away": 1}
    assert agrees(lunch, "13:01")


def test_what_fails_while_it_ends_counts_nothing(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.tick("12:10")
    with pytest.raises(RuntimeError, match="killed"), transactions.transaction(session) as writing:
        seats.finish(writing, [lunch.slot_id], at("13:00"))
        raise RuntimeError("killed")
    assert (row_of(lunch), lunch.now().state) == (None, "running")


def late_check_in(lunch: LunchHour) -> str:
    return tap(lunch, "李静", "12:40", "13:20")


def undone(lunch: LunchHour) -> str:
    return tap(lunch, "周明", "12:50", "13:20", here=False)


def undone_walk_in(lunch: LunchHour) -> str:
    """It was tapped in time, but the seat is freed now: the slot is over."""
    return tap(lunch, "陈晨", "12:50", "13:20", here=False)


def came_after_all_and_not(lunch: LunchHour) -> str:
    tap(lunch, "李静", "12:40", "13:20")
    return lunch.undo("李静", "12:45")


def forgiven(lunch: LunchHour) -> str:
    def forgive(session: Session) -> str:
        strike = session.scalars(select(Strike.id).limit(1)).one()
        return f"{people.forgive(session, strike, at('14:00'), lunch.manager_id, '电梯坏了')} forgiven"

    return lunch.do(forgive)


def account_deleted(lunch: LunchHour) -> str:
    tap(lunch, "周明", "12:50", "13:20", here=False)
    return lunch.do(lambda s: str(people.delete_account(s, lunch.people["周明"], at("14:00"))))


def another_slot(lunch: LunchHour) -> str:
    """Who waited in vain at 12:10 has a seat at 15:00: not turned away."""
    later = lunch.slot("15:00", 3)
    lunch.book("刘洋", "13:30", later)
    lunch.check_in("刘洋", "14:55", later)
    for clock in ("15:00", "15:05"):
        lunch.tick(clock)
    assert counts(lunch)["turned_away"] == 1
    lunch.tick("15:50")
    return lunch.state("刘洋", later)


LATER: list[tuple[Callable[[LunchHour], str], str, dict[str, int]]] = [
    (late_check_in, "seated", {"visits": 3, "no_shows": 0}),
    (undone, "out", {"visits": 1, "no_shows": 2}),
    (undone_walk_in, "no: over", {}),
    (came_after_all_and_not, "released", {}),
    (forgiven, "1 forgiven", {}),
    (account_deleted, "None", {"visits": 1, "no_shows": 2}),
    (another_slot, "attended", {"slots": 2, "seats": 6, "visits": 3, "expected": 3, "turned_away": 0}),
]


@pytest.mark.parametrize(("correct", "answer", "changed"), LATER, ids=[case[0].__name__ for case in LATER])
def test_a_later_correction_is_counted_at_once(
    lunch: LunchHour, correct: Callable[[LunchHour], str], answer: str, changed: dict[str, Any]
) -> None:
    before = counts(lunch)
    assert correct(lunch) == answer
    assert counts(lunch) == {name: n for name, n in (before | changed).items() if n}
    assert agrees(lunch, "16:00")


def test_without_attendance_the_day_counts_when_the_manager_may_say_no_more(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    assert row_of(lunch) is None
    lunch.tick("15:00")
    assert counts(lunch) == {"slots": 1}
    assert agrees(lunch, "15:01")


def test_stations_whose_slots_end_together_are_counted_together(session: Session) -> None:
    lunch, sent = LunchHour(session), []
    others = [lunch.slot("12:10", station_id=lunch.other_station(code)) for code in ("east", "west", "north")]
    lunch.tick("12:10")
    for ids in ([lunch.slot_id], others):
        with heard(session.get_bind()) as statements, transactions.transaction(session) as writing:
            assert seats.finish(writing, ids, at("13:00")) == len(ids)
        sent.append(len(statements))
    assert sent[1] <= sent[0]
    assert session.scalars(select(StationDayTotals.slots)).all() == [1, 1, 1, 1]
