"""Repeated events: a few lines of each kind, then their number."""

import pytest

from booking.telemetry import repeated
from booking.telemetry.repeated import ALLOWED, KINDS, WINDOW, Repeats

pytestmark = pytest.mark.sqlite


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_of_a_kind_a_few_lines_a_window_are_admitted_and_the_rest_counted() -> None:
    clock = Hand()
    repeats = Repeats(clock)
    assert [repeats.admits("away") for _ in range(10)] == [True] * ALLOWED + [False] * (10 - ALLOWED)
    assert repeats.admits("another")
    assert repeats.ended() == []
    clock.now += WINDOW
    assert repeats.ended() == [("away", 10 - ALLOWED)]
    assert repeats.admits("away")


def test_what_is_left_at_the_end_is_told() -> None:
    repeats = Repeats(Hand())
    for _ in range(5):
        repeats.admits("away")
    assert repeats.ended(all_of_them=True) == [("away", 5 - ALLOWED)]
    assert repeats.ended(all_of_them=True) == []


def test_a_window_that_has_ended_loses_no_count() -> None:
    clock = Hand()
    repeats = Repeats(clock)
    for _ in range(5):
        repeats.admits("away")
    clock.now += WINDOW
    assert repeats.admits("away")
    assert repeats.ended() == [("away", 5 - ALLOWED)]


def test_no_more_than_so_many_kinds_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "KINDS", 10)
    repeats = Repeats(Hand())
    assert all(repeats.admits(f"kind {number}") for number in range(KINDS))
    assert len(repeats._seen) == 10
