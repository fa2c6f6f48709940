"""Connection pool of a few driver connections beside the engine's, for hot statements: checkout costs next to nothing."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event, exc
from sqlalchemy.exc import DBAPIError

from booking.db.statements import CompiledStatement, DriverConnection, Row
from booking.telemetry import context

T = TypeVar("T")
SIZE = 3  # one writes a batch of bookings, while the requests at work read
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

_kept: "WeakKeyDictionary[Engine, ConnectionPool]" = WeakKeyDictionary()
_guard = threading.Lock()


class ConnectionPool:
    """The pool of one engine."""

    def __init__(self) -> None:
        self._free: SimpleQueue[tuple[DriverConnection, float] | None] = SimpleQueue()  # None: not connected yet
        for _ in range(SIZE):
            self._free.put(None)
        self._over = False

    def take(self, engine: Engine) -> DriverConnection:
        """Check out a connection. Raises TimeoutError after WAIT seconds."""
        began = perf_counter()
        try:
            kept = self._free.get(timeout=WAIT)
        except Empty:
            raise exc.TimeoutError(f"no connection came free in {WAIT:.0f} s") from None
        finally:
            context.waited("connection", began)
        try:
            return _replanned(kept[0]) if kept and _is_live(*kept) else dedicated(engine)
        except BaseException:
            self._free.put(None)
            raise

    def give_back(self, connection: DriverConnection, *, cut: bool) -> None:
        if cut:
            _close(connection)
        self._free.put(None if cut else (connection, monotonic()))
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


class connection:  # noqa: N801 - `with pool.connection(engine) as connection`
    """Context manager: a connection in autocommit, so that every statement is a transaction."""

    __slots__ = ("_connection", "_engine", "_pool")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> DriverConnection:
        self._pool = _of(self._engine)
        self._connection = self._pool.take(self._engine)
        return self._connection

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        cut = isinstance(error, DBAPIError) and error.connection_invalidated
        if cut:
            _forget(self._engine)  # the others are probably lost too
        self._pool.give_back(self._connection, cut=cut)


def dedicated(engine: Engine) -> DriverConnection:
    """A dedicated connection outside the pool; the caller closes its driver."""
    return DriverConnection(_connect(engine), engine.dialect)


def read(engine: Engine, ask: Callable[[DriverConnection], T]) -> T:
    """What `ask` reads on a connection, with one retry on a new one if the old one was lost."""
    try:
        with connection(engine) as held:
            return ask(held)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    with connection(engine) as held:
        return ask(held)


def fetch(engine: Engine, statement: CompiledStatement, **values: Any) -> Sequence[Row]:
    """The rows of a read-only statement, read in this way."""
    return read(engine, lambda connection: statement.run(connection, **values))


def _of(engine: Engine) -> ConnectionPool:
    found = _kept.get(engine)
    if found is None:
        with _guard:
            found = _kept.get(engine)
            if found is None:
                found = _kept[engine] = ConnectionPool()
                # A new function each time: SQLAlchemy registers one and the same only once.
                event.listen(engine, "engine_disposed", lambda gone: _forget(gone), once=True)  # noqa: PLW0108
    return found


def _forget(engine: Engine) -> None:
    with _guard:
        if pool := _kept.pop(engine, None):
            pool.close()


def _is_live(connection: DriverConnection, used: float) -> bool:
    """Whether the connection still works; tested only after it has been idle for long."""
    if monotonic() - used < IDLE:
        return True
    try:
        connection.driver.execute("SELECT 1")
    except Exception:  # noqa: BLE001 - of whatever driver
        _close(connection)
        return False
    return True


def _replanned(connection: DriverConnection) -> DriverConnection:
    """The same connection, without plans that are older than REPLANNED."""
    if connection.has_writable_cte and monotonic() - connection.planned_at > REPLANNED:
        connection.send("DISCARD PLANS")
        connection.planned_at = monotonic()
    return connection


def _close(connection: DriverConnection) -> None:
    with suppress(Exception):  # of whatever driver, and it may be broken
        connection.driver.close()


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
