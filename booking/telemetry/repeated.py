"""Repeated events: of each kind of event a few lines a minute are logged, then their number only.

A database that is away for a minute fails thousands of requests: tens of lines say so, not thousands.
"""

import logging
import threading
from collections.abc import Callable
from time import monotonic

ALLOWED = 3  # lines of a kind in a window
WINDOW = 60.0  # seconds
KINDS = 1_000  # remembered at most
ALL = ("booking.web.security.security_log",)  # every one of these counts


class Repeats:
    """Counts lines by kind; thread-safe."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._seen: dict[str, list[float]] = {}  # kind: end of its window, lines in it
        self._next = 0.0

    def admits(self, kind: str) -> bool:
        """Whether one more line of this kind is logged."""
        with self._guard:
            now = self._clock()
            if kind not in self._seen and len(self._seen) < KINDS:
                self._seen[kind] = [now + WINDOW, 0]
            found = self._seen.get(kind)
            if found is None or found[0] <= now:
                return True  # its window has ended, and is about to be told
            found[1] += 1
            return found[1] <= ALLOWED

    def ended(self, *, all_of_them: bool = False) -> list[tuple[str, int]]:
        """The kinds whose window has ended, and how many of their lines were left out; they are forgotten."""
        now = self._clock()
        if not all_of_them and now < self._next:
            return []
        with self._guard:
            self._next = now + 1
            over = {kind: int(seen) for kind, (until, seen) in self._seen.items() if until <= now or all_of_them}
            for kind in over:
                del self._seen[kind]
        return [(kind, seen - ALLOWED) for kind, seen in over.items() if seen > ALLOWED]


class RepeatFilter(logging.Filter):
    """Filter of a handler: warnings and errors of one place and one kind of error are one kind."""

    def __init__(self, repeats: Repeats) -> None:
        super().__init__()
        self._repeats = repeats

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or record.name in ALL or hasattr(record, "left_out"):
            return True
        raised = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        return self._repeats.admits(f"{record.name}:{record.lineno} {record.msg} {raised}".strip())
