"""Change feed: polls the history for cache invalidation: says when a station or a person last changed.

Every change of state writes one event in its transaction, so whoever has seen no new event of a station has the current
state.
"""

from collections import deque
from collections.abc import Sequence
from threading import Lock
from time import monotonic

from sqlalchemy import Engine, func, literal_column, select

from booking.db import pool
from booking.db.statements import CompiledStatement, Row, param
from booking.model import Event

# No transaction is open for longer: until then an event with a lower id than the newest may still be committed.
LATE = 10.0
SWEEP = 1.0  # seconds between two polls for such late events
AT_ONCE = 1000  # events of one statement
REMEMBERED = 20_000  # stations, and as many people; a whole city's lunch hour would take 20 MB


class LastChanged:
    """When each id last changed, by a version that only grows.

    The ones unchanged for longest are dropped, and the newest version among them is kept as an upper bound for all of
    them.
    """

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._newest = 0
        self._kept: tuple[dict[int, int], dict[int, int], int, int] = ({}, {}, 0, 0)  # read without a lock

    def note(self, one: int | None, count: int) -> None:
        """`one` has changed at version `count`, the highest so far."""
        if one is None:
            return
        young, _, closed, _ = self._kept
        if len(young) >= self._size:
            self._kept = young, _, _, _ = {}, young, self._newest, closed
        young[one] = self._newest = count

    def forget(self, count: int) -> None:
        """Anything may have changed."""
        self._newest = count
        self._kept = {}, {}, count, count

    def last(self, one: int | None) -> int:
        """The version of its last change, or a later one; 0 for None, and while nothing has changed."""
        young, old, _, forgotten = self._kept
        return 0 if one is None else young.get(one) or old.get(one) or forgotten


class ChangeFeed:
    """One process's view of the history.

    `noted` is the version of all that was read: what is read from the database after that is current until `changed` is
    greater. `apart_changed` is the version of the last event of no station and no person: of a node, whose stations may
    show something else since.
    """

    def __init__(self, engine: Engine, every: float) -> None:
        self._engine, self._every = engine, every
        self.noted = self.apart_changed = 0
        self._lock = Lock()
        self._looked = self._swept = -LATE
        self._top = self._floor = -1
        self._tops: deque[tuple[float, int]] = deque()
        self._seen: set[int] = set()
        self._stations, self._people = LastChanged(), LastChanged()
        self._but_bookings = LastChanged()  # of stations

    def look(self, *, at_once: bool = False) -> None:
        """Poll, if the last poll was long enough ago, or in any case with `at_once`."""
        if at_once or not self.is_current:
            with self._lock:
                if at_once or not self.is_current:  # another thread may have just polled
                    self._read(monotonic())

    @property
    def is_current(self) -> bool:
        """Whether the last poll was a moment ago."""
        return monotonic() - self._looked < self._every

    def changed(self, station_id: int | None = None, person_id: int | None = None) -> int:
        """The version at which something of the station or the person was last seen to change, or a later one."""
        return max(self._stations.last(station_id), self._people.last(person_id))

    def changed_but_bookings(self, station_id: int) -> int:
        """The version at which more of the station than its bookings was last seen to change, or a later one."""
        return self._but_bookings.last(station_id)

    def _read(self, began: float) -> None:
        sweeps = began - self._swept >= SWEEP
        if sweeps:
            self._begin(pool.fetch(self._engine, _TOP)[0][0] or 0)
        self._read_on(self._floor if sweeps else self._top)
        self._looked = began
        if sweeps:
            self._swept = began
            self._forget(began)

    def _read_on(self, floor: int) -> None:
        while rows := pool.fetch(self._engine, _SINCE, floor=floor):
            self._note(rows)
            if len(rows) < AT_ONCE:
                return
            floor = rows[-1][0]

    def _begin(self, newest: int) -> None:
        """Start again on the first poll, and when the history is shorter: then the database was replaced."""
        if self._top < 0 or newest < self._top:
            self.noted += 1
            self.apart_changed = self.noted
            for each in (self._stations, self._but_bookings, self._people):
                each.forget(self.noted)
            self._top, self._floor = newest, max(0, newest - 1000)
            self._tops.clear()
            self._seen.clear()

    def _note(self, rows: Sequence[Row]) -> None:
        for number, station_id, person_id, booking_id in rows:
            if number not in self._seen:
                self._seen.add(number)
                self.noted += 1
                self._top = max(self._top, number)
                self._stations.note(station_id, self.noted)
                if booking_id is None:
                    self._but_bookings.note(station_id, self.noted)
                self._people.note(person_id, self.noted)
                if station_id is None and person_id is None:
                    self.apart_changed = self.noted

    def _forget(self, began: float) -> None:
        """Raise the lowest id to read from: nothing below the newest id of so long ago can still be uncommitted."""
        self._tops.append((began, self._top))
        while self._tops[0][0] < began - LATE:
            self._floor = self._tops.popleft()[1]
        self._seen = {number for number in self._seen if number > self._floor}


_TOP = CompiledStatement(select(func.max(Event.id)))
# Ordered and limited, or the planner, which does not know how few rows these are, reads the whole history.
_SINCE = CompiledStatement(
    select(Event.id, Event.station_id, Event.person_id, Event.booking_id)
    .where(Event.id > param("floor"))
    .order_by(Event.id)
    .limit(literal_column(str(AT_ONCE)))
)
