"""Back-pressure of polls: in how many seconds a phone asks again, so that polls leave the processor to bookings.

Every phone that looks at a page has one answer outstanding that tells it when to ask again: their number is known
without counting anybody. Together the web processes use a share of all processors for polls.
"""

import os
import random
from collections import Counter
from threading import Lock
from time import monotonic

SHARE = 0.17  # of all processors, so that a quarter is enough also for what the database does for them
SLOWEST = 600.0  # seconds
SPREAD = 0.25  # of the pace: phones that were told the same do not come at the same instant
WEIGHT = 0.02  # of the newest answer in the average of their cost


class PollPace:
    """The polls of one of so many web processes. `cost` is the processor time of one, in seconds."""

    def __init__(self, workers: int) -> None:
        self.cost = 0.0005
        self._share = SHARE * (os.cpu_count() or 1) / workers
        self._lock = Lock()
        self._due: Counter[int] = Counter()  # answers outstanding, by the second until which they are
        self._phones = 0
        self._second = int(monotonic())

    def count(self, cost: float) -> None:
        """One poll has taken so many seconds of processor time."""
        self.cost += WEIGHT * (cost - self.cost)

    def tell(self, calm: float, now: float | None = None) -> float:
        """Seconds until a phone asks again that would ask in `calm` seconds if nobody else did."""
        now = monotonic() if now is None else now
        with self._lock:
            self._forget(int(now))
            pace = min(max(calm, (self._phones + 1) * self.cost / self._share), SLOWEST)
            pace = round(pace * (1 + SPREAD * random.random()), 1)  # noqa: S311 - no secret
            self._due[int(now + pace + 0.5)] += 1
            self._phones += 1
        return pace

    def _forget(self, second: int) -> None:
        """Those who were to ask again by now have done so, or are gone."""
        if second <= self._second:
            return
        for past in range(self._second, min(second, self._second + int(2 * SLOWEST)) + 1):
            self._phones -= self._due.pop(past, 0)
        self._second = second
