"""Semaphore, a fair one: a place that comes free goes to who has waited longest.

From one of the standard library who has just come may take it first: in a rush some would wait until it is over.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any


class FairSemaphore:
    """So many places. Safe for threads."""

    def __init__(self, free: int) -> None:
        self._free, self._guard = free, Lock()
        self._waiting: deque[Any] = deque()

    def take_at_once(self) -> bool:
        """Take one, if one is free."""
        with self._guard:
            found = self._free > 0
            self._free -= found
        return found

    def take(self, goes_on: Callable[[], bool], every: float = -1) -> bool:
        """Wait for one. `goes_on` is asked before and every so many seconds: False when it said no, and none was free."""
        mine = Lock()
        with self._guard:
            if self._free:
                self._free -= 1
                return True
            mine.acquire()
            self._waiting.append(mine)
        while goes_on():
            if mine.acquire(timeout=every):
                return True
        with self._guard:
            if mine not in self._waiting:
                return True  # it was given in this moment
            self._waiting.remove(mine)
        return False

    def give_back(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
