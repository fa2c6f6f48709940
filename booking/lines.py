"""Connection pool of a few driver connections beside the engine's, for hot statements: checkout costs next to nothing."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event, exc
from sqlalchemy.exc import DBAPIError

from booking.swift import Line, Row, Statement

T = TypeVar("T")
LINES = 3  # one writes a batch of bookings, while the requests at work read
IDLE = 1.0  # seconds idle after which a connection may have been closed unnoticed
# One plan for each statement, by index and in the order of its joins, whatever the statistics say. The plans are made
# anew now and then, by the size that the tables have by then: what is best for an empty table reads all of a full one.
REPLANNED = 10.0  # seconds
PLANS = (
    "plan_cache_mode = force_generic_plan",
    "enable_seqscan = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "enable_bitmapscan = off",
    "join_collapse_limit = 1",
)
WAIT = 5.0  # seconds to wait for a connection

_kept: "WeakKeyDictionary[Engine, Lines]" = WeakKeyDictionary()
_guard = threading.Lock()


class Lines:
    """The pool of one engine."""

    def __init__(self) -> None:
        self._free: SimpleQueue[tuple[Line, float] | None] = SimpleQueue()  # None: not connected yet
        for _ in range(LINES):
            self._free.put(None)
        self._over = False

    def take(self, engine: Engine) -> Line:
        """Check out a connection. Raises TimeoutError after WAIT seconds."""
        try:
            kept = self._free.get(timeout=WAIT)
        except Empty:
            raise exc.TimeoutError(f"no line came free in {WAIT:.0f} s") from None
        try:
            return _replanned(kept[0]) if kept and _is_live(*kept) else own(engine)
        except BaseException:
            self._free.put(None)
            raise

    def give_back(self, line: Line, *, cut: bool) -> None:
        if cut:
            _close(line)
        self._free.put(None if cut else (line, monotonic()))
        if self._over:  # the pool was discarded meanwhile
            self.close()

    def close(self) -> None:
        """Close the idle connections. Those in use are closed on their return."""
        self._over = True
        for _ in range(self._free.qsize()):
            with suppress(Empty):
                if kept := self._free.get_nowait():
                    _close(kept[0])
                self._free.put(None)


class alone:  # noqa: N801 - `with lines.alone(engine) as line`
    """Context manager: a connection in autocommit, so that every statement is a transaction."""

    __slots__ = ("_engine", "_line", "_lines")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Line:
        self._lines = _of(self._engine)
        self._line = self._lines.take(self._engine)
        return self._line

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        cut = isinstance(error, DBAPIError) and error.connection_invalidated
        if cut:
            _forget(self._engine)  # the others are probably lost too
        self._lines.give_back(self._line, cut=cut)


def own(engine: Engine) -> Line:
    """A dedicated connection outside the pool; the caller closes its driver."""
    return Line(_connect(engine), engine.dialect)


def read(engine: Engine, ask: Callable[[Line], T]) -> T:
    """What `ask` reads on a connection, with one retry on a new one if the old one was lost."""
    try:
        with alone(engine) as line:
            return ask(line)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    with alone(engine) as line:
        return ask(line)


def ask(engine: Engine, statement: Statement, **values: Any) -> Sequence[Row]:
    """The rows of a read-only statement, read in this way."""
    return read(engine, lambda line: statement.run(line, **values))


def _of(engine: Engine) -> Lines:
    found = _kept.get(engine)
    if found is None:
        with _guard:
            found = _kept.get(engine)
            if found is None:
                found = _kept[engine] = Lines()
                # A new function each time: SQLAlchemy registers one and the same only once.
                event.listen(engine, "engine_disposed", lambda gone: _forget(gone), once=True)  # noqa: PLW0108
    return found


def _forget(engine: Engine) -> None:
    with _guard:
        if lines := _kept.pop(engine, None):
            lines.close()


def _is_live(line: Line, used: float) -> bool:
    """Whether the connection still works; tested only after it has been idle for long."""
    if monotonic() - used < IDLE:
        return True
    try:
        line.driver.execute("SELECT 1")
    except Exception:  # noqa: BLE001 - of whatever driver
        _close(line)
        return False
    return True


def _replanned(line: Line) -> Line:
    """The same connection, without plans that are older than REPLANNED."""
    if line.fuses and monotonic() - line.planned_at > REPLANNED:
        line.send("DISCARD PLANS")
        line.planned_at = monotonic()
    return line


def _close(line: Line) -> None:
    with suppress(Exception):  # of whatever driver, and it may be broken
        line.driver.close()


def _connect(engine: Engine) -> Any:
    """A new connection; a failure is raised as SQLAlchemy would, as transient."""
    wrong = cast("Any", engine.dialect.loaded_dbapi).Error
    try:
        return _connected(engine)
    except wrong as error:
        raise cast("Exception", DBAPIError.instance("", None, error, wrong, connection_invalidated=True)) from error


def _connected(engine: Engine) -> Any:
    """A connection with all settings of the engine's, detached from the engine."""
    held = engine.raw_connection()
    driver: Any = held.driver_connection
    held.detach()
    if engine.dialect.name == "postgresql":
        driver.autocommit = True
        driver.prepare_threshold = 0
        for setting in PLANS:
            driver.execute(f"SET {setting}")
    return driver
