"""Batches: who leads, in which order, what becomes of an error; no database."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.db.batch import DEFERRED, MOST, BatchQueue, Deferred

PATIENCE = 60


class Carrier:
    """Answers each number with itself; the first batch waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began, self.go = Event(), Event()
        self.wrong: set[int] = set()
        self.put_off: set[int] = set()
        self.queue: BatchQueue[int, int] = BatchQueue(self.carry)

    def carry(self, batch: Sequence[int]) -> list[int | Deferred]:
        self.batches.append(list(batch))
        self.began.set()
        assert self.go.wait(PATIENCE)
        if self.wrong & set(batch):
            raise ValueError(f"{batch}")
        later = [n for n in batch if n in self.put_off]
        self.put_off -= set(later)
        return [DEFERRED if n in later else n for n in batch]

    def behind_the_first(self, numbers: Sequence[int]) -> list[Future[int]]:
        """Ask for 0, and while it is carried for these, one after the other."""
        self.pool = ThreadPoolExecutor(len(numbers) + 1)
        asked = [self.pool.submit(self.queue.ask, 0)]
        assert self.began.wait(PATIENCE)
        for n in numbers:
            waits = len(self.queue._queue)
            asked.append(self.pool.submit(self.queue.ask, n))
            while len(self.queue._queue) == waits:
                pass
        self.go.set()
        return asked


def test_somebody_alone_is_carried_at_once_in_their_own_thread() -> None:
    carrier = Carrier()
    carrier.go.set()
    assert [carrier.queue.ask(n) for n in (1, 2, 3)] == [1, 2, 3]
    assert carrier.batches == [[1], [2], [3]]


@pytest.mark.parametrize("many", [1, 2, 17, MOST, MOST + 3])
def test_those_who_come_meanwhile_form_the_next_batch_in_their_order(many: int) -> None:
    carrier, numbers = Carrier(), list(range(1, many + 1))
    asked = carrier.behind_the_first(numbers)
    assert [one.result(PATIENCE) for one in asked] == [0, *numbers]
    expected = [[0], numbers[:MOST], numbers[MOST:]]
    assert carrier.batches == [batch for batch in expected if batch]


def test_an_error_is_told_to_its_batch_and_to_nobody_else() -> None:
    carrier = Carrier()
    carrier.wrong = {2}
    asked = carrier.behind_the_first([1, 2, 3])
    assert asked[0].result(PATIENCE) == 0
    assert [type(one.exception(PATIENCE)) for one in asked[1:]] == [ValueError] * 3
    assert carrier.queue.ask(5) == 5


@given(st.sets(st.integers(1, 12)))
def test_who_is_put_off_comes_first_in_the_next_batch(later: set[int]) -> None:
    carrier, numbers = Carrier(), list(range(1, 13))
    carrier.put_off = set(later)
    asked = carrier.behind_the_first(numbers)
    assert [one.result(PATIENCE) for one in asked] == [0, *numbers]
    assert carrier.batches == [batch for batch in ([0], numbers, sorted(later)) if batch]
    carrier.pool.shutdown()


def test_a_thousand_at_once_are_each_answered() -> None:
    lock, most = Lock(), []

    def carry(batch: Sequence[int]) -> list[int | Deferred]:
        assert lock.acquire(blocking=False)  # one batch at a time
        most.append(len(batch))
        lock.release()
        return list(batch)

    queue: BatchQueue[int, int] = BatchQueue(carry)
    with ThreadPoolExecutor(64) as pool:
        assert list(pool.map(queue.ask, range(1000))) == list(range(1000))
    assert (sum(most), max(most) <= MOST) == (1000, True)
