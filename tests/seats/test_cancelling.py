"""Rule 7: cancelling is free until 60 minutes before; later it is a strike unless another person uses the seat."""

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy.orm import Session

from tests.support.lunch_hour import LunchHour

Make = Callable[..., LunchHour]
OPEN = "Mon 10:00"
Step = tuple[str, str, str]

# What people do in a slot with two seats, and who has a strike for a late cancel when it is over.
STORIES: dict[str, tuple[Sequence[Step], Sequence[str]]] = {
    "free to the last instant of the free time": ([("周明", "book", OPEN), ("周明", "give_up", "11:10")], []),
    "a microsecond later it is late": ([("周明", "book", OPEN), ("周明", "give_up", "11:10:00.000001")], ["周明"]),
    "late to the last instant before the start": ([("周明", "book", OPEN), ("周明", "give_up", "12:09:59")], ["周明"]),
    "a place in line costs nothing": (
        [("周明", "book", OPEN), ("李静", "book", OPEN), ("王磊", "book", OPEN), ("王磊", "give_up", "12:09"),
         ("周明", "check_in", "12:00"), ("李静", "check_in", "12:00")], []),
    "the line makes it good": (
        [("周明", "book", OPEN), ("李静", "book", OPEN), ("王磊", "book", OPEN), ("周明", "give_up", "11:20"),
         ("王磊", "check_in", "12:00"), ("李静", "check_in", "12:00")], []),
    "a tap in the last half hour makes it good": (
        [("周明", "book", OPEN), ("周明", "give_up", "11:45"), ("王磊", "book", "11:50"),
         ("王磊", "check_in", "12:00")], []),
    "a walk-in makes it good": (
        [("周明", "book", OPEN), ("周明", "give_up", "11:45"), ("王磊", "walk_in", "12:20")], []),
    "who took the seat before does not": (
        [("周明", "book", OPEN), ("王磊", "book", "11:00"), ("周明", "give_up", "11:45"),
         ("王磊", "check_in", "12:00")], ["周明"]),
    "one newcomer makes one of two good, the earlier": (
        [("周明", "book", OPEN), ("李静", "book", OPEN), ("李静", "give_up", "11:20"), ("周明", "give_up", "11:30"),
         ("王磊", "book", "11:35"), ("王磊", "check_in", "12:00")], ["周明"]),
    "who takes it and gives it up late answers for it alone": (
        [("周明", "book", OPEN), ("周明", "give_up", "11:20"), ("王磊", "book", "11:30"),
         ("王磊", "give_up", "11:50")], ["王磊"]),
    "and nobody does when a third one comes": (
        [("周明", "book", OPEN), ("周明", "give_up", "11:20"), ("王磊", "book", "11:30"),
         ("王磊", "give_up", "11:50"), ("陈晨", "walk_in", "12:10")], []),
    "who changes their mind twice is back": (
        [("周明", "book", OPEN), ("周明", "give_up", "11:20"), ("周明", "book", "11:21"),
         ("周明", "check_in", "12:00")], []),
    "promoted too late for a free choice, free to go": (
        [("周明", "book", OPEN), ("李静", "book", OPEN), ("王磊", "book", OPEN), ("周明", "give_up", "11:20"),
         ("王磊", "give_up", "11:30"), ("李静", "check_in", "12:00")], ["周明"]),
    "promoted in time, as bound as everybody": (
        [("周明", "book", OPEN), ("李静", "book", OPEN), ("王磊", "book", OPEN), ("周明", "give_up", "11:00"),
         ("王磊", "give_up", "11:30"), ("李静", "check_in", "12:00")], ["王磊"]),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_a_late_cancel_is_struck_only_for_a_seat_left_empty(lunch: LunchHour, story: str) -> None:
    steps, struck = STORIES[story]
    for who, verb, clock in steps:
        answer = getattr(lunch, verb)(who, clock)
        assert not answer.startswith("no:"), (who, verb, answer)
    for clock in ("12:10", "12:15", "13:00"):
        lunch.tick(clock)
    assert [who for who in lunch.people if lunch.strikes(who) == ["late_cancel"]] == struck
    assert [who for who in lunch.people if lunch.strikes(who) == ["no_show"]] == []


def test_a_strike_for_a_late_cancel_waits_until_the_slot_is_over(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    lunch.give_up("周明", "11:30")
    for clock in ("12:10", "12:15", "12:59:59"):
        lunch.tick(clock)
    assert lunch.strikes("周明") == []
    lunch.tick("13:00")
    assert lunch.strikes("周明") == ["late_cancel"]


def test_cancelling_ends_with_the_start(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    assert lunch.give_up("周明", "12:10") == "no: started_yours"
    assert lunch.state("周明") == "booked"


def test_a_waiting_list_place_can_be_cancelled_even_on_standby(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    lunch.book("周明", OPEN)
    lunch.check_in("周明", "12:00")
    lunch.stand_by("李静", "12:05")
    lunch.tick("12:10")
    assert lunch.give_up("李静", "12:12") == "cancelled"
    assert lunch.now().waiting == 0


def test_cancelling_is_idempotent(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)
    assert [lunch.give_up("周明", "11:00"), lunch.give_up("周明", "11:01")] == ["cancelled"] * 2
    assert lunch.now().taken == 0
    assert lunch.events("given_up") == [("given_up", "周明")]


@pytest.mark.parametrize(("verb", "clock"), [("check_in", "12:00"), ("tick", "12:15")])
def test_a_used_or_released_seat_cannot_be_cancelled(lunch: LunchHour, verb: str, clock: str) -> None:
    lunch.book("周明", OPEN)
    if verb == "tick":
        lunch.roll_call("12:12")
        lunch.tick(clock)
    else:
        lunch.check_in("周明", clock)
    assert lunch.give_up("周明", clock) in ("no: here_already", "no: lost_already")
