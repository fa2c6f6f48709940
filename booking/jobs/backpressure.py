"""Leaving the machine to those who press: a job that may wait rests while others wait for a processor."""

import os
from collections.abc import Callable
from math import inf
from pathlib import Path
from time import perf_counter, sleep

# Linux counts here the time in which somebody had to wait for a processor.
PRESSURE = Path("/proc/pressure/cpu")
# From this share of the time on, others are in need.
NEED = 0.1
# Then for each second of work so many are left to them.
REST = 12
NAP = 0.1


class Backpressure:
    """One run of a job, between its transactions. `stop` ends a rest early; `crowded` is what it saw last."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        self.stop = stop
        self.crowded = False
        self._seen = waited()
        self._at = perf_counter()

    def give_way(self, worked: float, longest: float = inf) -> None:
        """Rest, after so many seconds of work, if anybody has waited since the last time: no longer than `longest`."""
        self.crowded = self._others_wait()
        if self.crowded:
            until = perf_counter() + min(REST * worked, longest)
            while not self.stop() and (left := until - perf_counter()) > 0:
                sleep(min(left, NAP))

    def _others_wait(self) -> bool:
        seen, at = waited(), perf_counter()
        share = (seen - self._seen) / (at - self._at) if seen is not None and self._seen is not None else crowded()
        self._seen, self._at = seen, at
        return share > NEED


def waited() -> float | None:
    """Seconds, since the machine runs, in which somebody waited for a processor; None where nobody counts them."""
    try:
        return int(PRESSURE.read_text().partition("total=")[2].split()[0]) / 1e6
    except (OSError, ValueError, IndexError):
        return None


def crowded() -> float:
    """The load of the last minute beyond what the processors can do, as a share of them."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) - 1
