"""Back-pressure: jobs that can wait pause while others are short of processor time, or want to write to the same file."""

import os
from collections.abc import Callable
from math import inf
from pathlib import Path
from time import perf_counter, sleep

# Linux counts here the time in which some process had to wait for a processor.
PRESSURE = Path("/proc/pressure/cpu")
# From this share of the time on the machine counts as busy.
NEED = 0.1
# Then a job pauses so many seconds for each second of work.
REST = 12
NAP = 0.1


class Backpressure:
    """One run of a job, between its transactions. `stop` ends a pause early; `crowded` is the last measurement.

    `rest` is for how many seconds it pauses for each second of work where nobody is short.
    """

    def __init__(self, stop: Callable[[], bool], rest: float = 0) -> None:
        self.stop = stop
        self.rest = rest
        self.crowded = False
        self._seen = waited()
        self._at = perf_counter()

    def give_way(self, worked: float, longest: float = inf) -> None:
        """Pause after `worked` seconds of work, for long if a process has waited since the last call: at most `longest` s."""
        self.crowded = self._others_wait()
        until = perf_counter() + min((REST if self.crowded else self.rest) * worked, longest)
        while not self.stop() and (left := until - perf_counter()) > 0:
            sleep(min(left, NAP))

    def _others_wait(self) -> bool:
        seen, at = waited(), perf_counter()
        share = (seen - self._seen) / (at - self._at) if seen is not None and self._seen is not None else crowded()
        self._seen, self._at = seen, at
        return share > NEED


def waited() -> float | None:
    """Seconds since boot in which some process waited for a processor; None where this is not measured."""
    try:
        return int(PRESSURE.read_text().partition("total=")[2].split()[0]) / 1e6
    except (OSError, ValueError, IndexError):
        return None


def crowded() -> float:
    """The load average of the last minute beyond the number of processors, as a share of it."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) - 1
