"""What has changed: the history, read as it grows, so that what was shown can be kept until it is no longer true.

Every change of state writes one event in its transaction. So whoever has seen no event of a station since,
has missed nothing of it.
"""

from collections import defaultdict, deque
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


class News:
    """One process's view of the history. `of` names what was seen; it differs once something has changed.

    `noted` counts all that was seen: who asks while it grows cannot say what the answer is from.
    """

    def __init__(self, engine: Engine, every: float) -> None:
        self._engine, self._every = engine, every
        self.noted = 0
        self._lock = Lock()
        self._looked = self._swept = -LATE
        self._era = 0
        self._top = self._floor = -1
        self._tops: deque[tuple[float, int]] = deque()
        self._seen: set[int] = set()
        self._stations: defaultdict[int, int] = defaultdict(int)
        self._people: defaultdict[int, int] = defaultdict(int)

    def look(self, *, at_once: bool = False) -> None:
        """Read on, if the last look is long enough ago, or in any case."""
        if at_once or monotonic() - self._looked >= self._every:
            with self._lock:
                self._read(monotonic())

    def of(self, station_id: int, person_id: int | None) -> tuple[int, ...]:
        """How often something of the station, and of the person, was seen to change since this process began."""
        return self._era, self._stations[station_id], self._people[person_id] if person_id else 0

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
            self._era += 1
            self.noted += 1
            self._top, self._floor = newest, max(0, newest - 1000)
            self._tops.clear()
            self._seen.clear()

    def _note(self, rows: Sequence[Row]) -> None:
        for number, station_id, person_id in rows:
            if number not in self._seen:
                self._seen.add(number)
                self.noted += 1
                self._top = max(self._top, number)
                self._stations[station_id] += 1
                self._people[person_id] += 1

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
