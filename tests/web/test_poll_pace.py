"""Back-pressure of polls: however many phones look at a page, and however they come and go, their load is bounded."""

import heapq
import os
import random

import pytest

from booking.web.cache.poll_pace import SHARE, SLOWEST, SPREAD, PollPace

CALM = 8
COST = 0.004  # seconds of processor time: ten times a real one, so that a tenth of the phones does


def load(phones: int, seconds: int, pace: PollPace, began: float = 0) -> tuple[float, list[float]]:
    """Polls a second in the last quarter of the time, and what phones were told then. All phones come within a minute."""
    due = [(began + random.random() * 60, n) for n in range(phones)]
    heapq.heapify(due)
    late, told = 0, []
    while due[0][0] < began + seconds:
        now, phone = heapq.heappop(due)
        wait = pace.tell(CALM, now)
        if now > began + seconds * 0.75:
            late += 1
            told.append(wait)
        heapq.heappush(due, (now + wait, phone))
    return late / (seconds * 0.25), told


@pytest.fixture
def pace() -> PollPace:
    found = PollPace(workers=os.cpu_count() or 1)
    found.cost, found._second = COST, 0
    return found


def test_few_phones_ask_as_often_as_is_useful(pace: PollPace) -> None:
    _rate, told = load(200, 300, pace)
    assert CALM <= min(told) <= max(told) <= CALM * (1 + SPREAD) + 0.1


@pytest.mark.parametrize("phones", [1_000, 4_000])
def test_many_phones_use_the_share_of_the_processor_and_no_more(pace: PollPace, phones: int) -> None:
    rate, _told = load(phones, 1200, pace)
    assert SHARE * 0.6 <= rate * COST <= SHARE * 1.1


def test_a_whole_city_is_told_the_longest_pace(pace: PollPace) -> None:
    _rate, told = load(30_000, 120, pace)
    assert max(told) <= SLOWEST * (1 + SPREAD)
    assert max(told) > 500


def test_when_the_phones_have_gone_the_rest_ask_often_again(pace: PollPace) -> None:
    load(4_000, 600, pace)
    _rate, told = load(50, 2400, pace, began=600)
    assert max(told) <= CALM * (1 + SPREAD) + 0.1


def test_phones_that_come_together_do_not_come_back_together(pace: PollPace) -> None:
    told = [pace.tell(CALM, 0.0) for _ in range(100)]
    assert max(told) - min(told) > CALM * SPREAD / 2


def test_the_cost_of_a_poll_is_measured(pace: PollPace) -> None:
    for _ in range(300):
        pace.count(2 * COST)
    assert pace.cost == pytest.approx(2 * COST, rel=0.01)
