"""The clock on the wall of a browser test."""

import time_machine

from tests.support.lunch_hour import at


class Wall:
    """It runs, and the test puts it forward."""

    def __init__(self) -> None:
        self._travel: time_machine.travel | None = None

    def set(self, clock: str) -> None:
        self.stop()
        self._travel = time_machine.travel(at(clock), tick=True)
        self._travel.start()

    def stop(self) -> None:
        if self._travel:
            self._travel.stop()
            self._travel = None
