"""What has changed: the history, read as it grows, so that what was shown can be kept until it is no longer true.

Every change of state writes one event in its transaction. So whoever has seen no event of a station since,
has missed nothing of it.
"""

from collections import deque
from collections.abc import Sequence
from threading import Lock
from time import monotonic

from sqlalchemy import Engine, func, literal_column, select

from booking import lines
from booking.model import Event
from booking.swift import Row, Statement, given

# No transaction is open for longer: an event with a lower number than one that we have seen may come up to then.
LATE = 10.0
SWEEP = 1.0  # seconds between two looks for such late ones
AT_ONCE = 1000  # events of one statement
REMEMBERED = 20_000  # stations, and as many people; in a city a whole lunch of them would take 20 MB


class LastChanged:
    """When each was last seen to change, by a count that only grows.

    Those who changed longest ago are forgotten, but not when the latest of them did: nobody forgotten changed after that.
    """

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._newest = 0
        self._kept: tuple[dict[int, int], dict[int, int], int, int] = ({}, {}, 0, 0)  # swapped as one: others read

    def note(self, one: int | None, count: int) -> None:
        """`one` has changed, and `count` is more than ever before."""
        if one is None:
            return
        young, _, closed, _ = self._kept
        if len(young) >= self._size:
            self._kept = young, _, _, _ = {}, young, self._newest, closed
        young[one] = self._newest = count

    def forget(self, count: int) -> None:
        """Anybody may have changed."""
        self._newest = count
        self._kept = {}, {}, count, count

    def last(self, one: int | None) -> int:
        """The count when it changed, or a later one; 0 for nobody, and while nothing was ever seen to change."""
        young, old, _, forgotten = self._kept
        return 0 if one is None else young.get(one) or old.get(one) or forgotten


class ChangeFeed:
    """One process's view of the history.

    `noted` counts all that was seen: what is asked of the database after that is true until `changed` is more.
    """

    def __init__(self, engine: Engine, every: float) -> None:
        self._engine, self._every = engine, every
        self.noted = 0
        self._lock = Lock()
        self._looked = self._swept = -LATE
        self._top = self._floor = -1
        self._tops: deque[tuple[float, int]] = deque()
        self._seen: set[int] = set()
        self._stations, self._people = LastChanged(), LastChanged()

    def look(self, *, at_once: bool = False) -> None:
        """Read on, if the last look is long enough ago, or in any case."""
        if at_once or monotonic() - self._looked >= self._every:
            with self._lock:
                self._read(monotonic())

    def changed(self, station_id: int | None = None, person_id: int | None = None) -> int:
        """What `noted` was when something of the station or of the person was last seen to change; never less."""
        return max(self._stations.last(station_id), self._people.last(person_id))

    def _read(self, began: float) -> None:
        sweeps = began - self._swept >= SWEEP
        if sweeps:
            self._begin(lines.ask(self._engine, _TOP)[0][0] or 0)
        self._read_on(self._floor if sweeps else self._top)
        self._looked = began
        if sweeps:
            self._swept = began
            self._forget(began)

    def _read_on(self, floor: int) -> None:
        while rows := lines.ask(self._engine, _SINCE, floor=floor):
            self._note(rows)
            if len(rows) < AT_ONCE:
                return
            floor = rows[-1][0]

    def _begin(self, newest: int) -> None:
        """At the first look, and when the history is shorter than it was: then another database has been put in its place."""
        if self._top < 0 or newest < self._top:
            self.noted += 1
            self._stations.forget(self.noted)
            self._people.forget(self.noted)
            self._top, self._floor = newest, max(0, newest - 1000)
            self._tops.clear()
            self._seen.clear()

    def _note(self, rows: Sequence[Row]) -> None:
        for number, station_id, person_id in rows:
            if number not in self._seen:
                self._seen.add(number)
                self.noted += 1
                self._top = max(self._top, number)
                self._stations.note(station_id, self.noted)
                self._people.note(person_id, self.noted)

    def _forget(self, began: float) -> None:
        """What was the newest so long ago has nothing uncommitted below it any more."""
        self._tops.append((began, self._top))
        while self._tops[0][0] < began - LATE:
            self._floor = self._tops.popleft()[1]
        self._seen = {number for number in self._seen if number > self._floor}


_TOP = Statement(select(func.max(Event.id)))
# In order and no more than so many, or the database, which does not know how few they are, reads the whole history.
_SINCE = Statement(
    select(Event.id, Event.station_id, Event.person_id)
    .where(Event.id > given("floor"))
    .order_by(Event.id)
    .limit(literal_column(str(AT_ONCE)))
)
