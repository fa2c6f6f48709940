"""Agenda: an event queue: actions in the order of their time, each of which may add later ones."""

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

Act = Callable[[datetime], None]


class Agenda:
    """Actions up to `until`; later ones are dropped."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        self._acts: list[tuple[datetime, int, Act]] = []
        self._numbers = count()

    def at(self, moment: datetime, act: Act) -> None:
        if moment <= self.until:
            heappush(self._acts, (moment, next(self._numbers), act))

    def live(self) -> None:
        """Run every action, earliest first."""
        while self._acts:
            moment, _, act = heappop(self._acts)
            act(moment)
