"""Semaphore, a fair one: whoever has waited long gets the next permit that comes free.

Before that, who has just come may take a free permit first, as with the standard library's: a thread that is at work goes
on, where a hand-over would have to wake another one. Go's mutexes do the same (https://go.dev/src/internal/sync/mutex.go).
"""

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

PATIENCE = 0.3  # seconds until others can overtake no more
STALLED = 1.0  # seconds without any turn coming free: what works waits for the database
MOST_WAITING, MOST_ASIDE = 8, 25  # requests that may wait then; with the pages' (`cache/store`) fewer than the threads


class _Waiter:
    """One thread that waits: for a permit, or to try again."""

    __slots__ = ("has_permit", "is_woken", "since", "woken")

    def __init__(self) -> None:
        self.since, self.has_permit, self.is_woken = monotonic(), False, False
        self.woken = Lock()
        self.woken.acquire()

    def wake(self) -> None:
        if not self.is_woken:
            self.is_woken = True
            self.woken.release()

    def sleep_again(self) -> None:
        self.is_woken = False
        self.woken.acquire(blocking=False)  # it may have been woken in the moment in which it woke by itself


class FairSemaphore:
    """So many permits. Safe for threads."""

    def __init__(self, free: int) -> None:
        self._free, self._guard = free, Lock()
        self._waiting: deque[_Waiter] = deque()

    def take_at_once(self) -> bool:
        """Take one, if one is free."""
        with self._guard:
            found = self._free > 0
            self._free -= found
        return found

    def take(self, goes_on: Callable[[], bool], every: float = -1) -> bool:
        """Wait for one. `goes_on` is asked before and every so many seconds: False when it said no, and none was free."""
        with self._guard:
            if self._free:
                self._free -= 1
                return True
            mine = _Waiter()
            self._waiting.append(mine)
        while goes_on():
            mine.woken.acquire(timeout=every)
            if self._took(mine):
                return True
        return self._left(mine)

    def give_back(self) -> None:
        with self._guard:
            first = self._waiting[0] if self._waiting else None
            if first and monotonic() - first.since > PATIENCE:
                self._waiting.popleft().has_permit = True
            else:
                self._free += 1
            if first:
                first.wake()

    def _took(self, mine: _Waiter) -> bool:
        """Whether it was given a permit, or has found a free one."""
        with self._guard:
            if not mine.has_permit and self._free and self._waiting[0] is mine:
                self._free -= 1
                self._waiting.popleft()
                mine.has_permit = True
                self._wake_first()
            mine.sleep_again()
        return mine.has_permit

    def _left(self, mine: _Waiter) -> bool:
        """Wait no longer. Whether it was given a permit in this moment."""
        with self._guard:
            if not mine.has_permit:
                self._waiting.remove(mine)
                self._wake_first()
        return mine.has_permit

    def _wake_first(self) -> None:
        if self._free and self._waiting:
            self._waiting[0].wake()


class TurnQueue:
    """Turns, and permits to wait aside for something without a turn.

    While none comes free for long, at most `waiting` wait for one; None is MOST_WAITING.
    """

    def __init__(self, most: int, waiting: int | None = None) -> None:
        self._free, self._aside = FairSemaphore(most), FairSemaphore(MOST_ASIDE)
        self._moved_at = monotonic()
        self._guard, self._stuck = Lock(), 0
        self._most_waiting = waiting

    def take(self) -> bool:
        """Wait for a turn. False when none comes free for long, and others wait for it already."""
        return self._take(self._free)

    def give_back(self) -> None:
        self._moved_at = monotonic()
        self._free.give_back()

    def wait_aside(self) -> bool:
        """Wait for a permit to wait aside. False as for `take`."""
        return self._take(self._aside)

    def leave_aside(self) -> None:
        self._moved_at = monotonic()
        self._aside.give_back()

    def step_aside(self) -> bool:
        """Give the turn to others for a while; False when too many have done so."""
        if not self._aside.take_at_once():
            return False
        self.give_back()
        return True

    def come_back(self) -> None:
        self._free.take(lambda: True)  # who waits here still counts as aside
        self.leave_aside()

    def _take(self, permits: FairSemaphore) -> bool:
        """Only those are counted who wait while nothing has come free for long."""
        is_counted = False

        def goes_on() -> bool:
            nonlocal is_counted
            is_counted = is_counted or (self._is_stalled() and self._may_wait())
            return is_counted or not self._is_stalled()

        try:
            found = permits.take(goes_on, STALLED)
        finally:
            if is_counted:
                with self._guard:
                    self._stuck -= 1
        if found:
            self._moved_at = monotonic()
        return found

    def _is_stalled(self) -> bool:
        return monotonic() - self._moved_at > STALLED

    def _may_wait(self) -> bool:
        with self._guard:
            can = self._stuck < (MOST_WAITING if self._most_waiting is None else self._most_waiting)
            self._stuck += can
        return can
