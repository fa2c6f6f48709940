"""Connection pool of a few connections beside the engine's, for hot statements: psycopg_pool; on SQLite the engine's own."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Lock, Thread
from time import monotonic, perf_counter
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, proxy

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout
from sqlalchemy import Engine, PoolProxiedConnection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from booking.db.statements import CompiledStatement, DriverConnection, Row
from booking.telemetry import request_context

T = TypeVar("T")
SIZE = 3  # one writes a batch of bookings, while the requests at work read
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

_pools: "WeakKeyDictionary[Engine, ConnectionPool[Any]]" = WeakKeyDictionary()
_planned_at: "WeakKeyDictionary[Any, float]" = WeakKeyDictionary()
_guard = Lock()


@contextmanager
def connection(engine: Engine) -> Iterator[DriverConnection]:
    """A connection in autocommit, so that every statement is a transaction."""
    if engine.dialect.name == "sqlite":
        with closing(_raw(engine)) as held:
            yield DriverConnection(held.driver_connection, engine.dialect)
        return
    pool = _of(engine)
    driver = _checked_out(pool)
    try:
        yield _replanned(DriverConnection(driver, engine.dialect))
    except DBAPIError as error:
        if error.connection_invalidated:
            pool.drain()  # the others are probably lost too
        raise
    finally:
        pool.putconn(driver)


def dedicated(engine: Engine) -> DriverConnection:
    """A dedicated connection to PostgreSQL outside the pool; the caller closes its driver."""
    try:
        return DriverConnection(_AsTheEngine.connect(engine=engine), engine.dialect)
    except psycopg.Error as error:
        raise _lost(error) from error


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


class _AsTheEngine(psycopg.Connection[Any]):
    @classmethod
    def connect(cls, _conninfo: str = "", *, engine: Engine, **_: Any) -> Any:  # type: ignore[override]
        """A connection with all settings of the engine's, detached from it, with a plan for each statement."""
        held = engine.raw_connection()
        driver: Any = held.driver_connection
        held.detach()
        driver.autocommit = True
        driver.execute("; ".join(f"SET {setting}" for setting in PLANS))
        driver.prepare_threshold = 0
        _planned_at[driver] = monotonic()
        return driver


def _of(engine: Engine) -> ConnectionPool[Any]:
    """The engine's pool, opened by the process that uses it. One that could not connect was closed: a new one."""
    with _guard:
        pool = _pools.get(engine)
        if pool is None:
            event.listen(engine, "engine_disposed", _forget)
        if pool is None or pool.closed:
            # A database that is away fails at once those who wait; the next one who asks tries again.
            pool = _pools[engine] = ConnectionPool(
                connection_class=_AsTheEngine,
                kwargs={"engine": proxy(engine)},
                min_size=0,
                max_size=SIZE,
                timeout=WAIT,
                num_workers=1,
                reconnect_timeout=0,
                reconnect_failed=_give_up,
                open=True,
            )
    return pool


def _checked_out(pool: ConnectionPool[Any]) -> Any:
    began = perf_counter()
    try:
        return pool.getconn()
    except PoolTimeout as error:
        raise NoneFree(f"no connection came free in {WAIT:.0f} s") from error
    except PoolClosed as error:
        raise _lost(error) from error
    finally:
        request_context.waited("connection", began)


def _give_up(pool: ConnectionPool[Any]) -> None:
    if not pool.get_stats()["pool_size"]:
        Thread(target=pool.close, name="close-pool").start()  # it waits for the pool's threads, and this is one


def _forget(engine: Engine) -> None:
    if pool := _pools.pop(engine, None):
        pool.close()


def _lost(error: psycopg.Error | sqlite3.Error) -> Exception:
    """The error as SQLAlchemy would raise it, as transient."""
    return DBAPIError.instance("", None, error, type(error), connection_invalidated=True)


def _raw(engine: Engine) -> PoolProxiedConnection:
    """A connection of the engine's pool. SQLAlchemy leaves the driver's error as it is here."""
    try:
        return engine.raw_connection()
    except sqlite3.Error as error:
        raise _lost(error) from error


def _replanned(connection: DriverConnection) -> DriverConnection:
    """The same connection, without plans that are older than REPLANNED."""
    if monotonic() - _planned_at[connection.driver] > REPLANNED:
        connection.send("DISCARD PLANS")
        _planned_at[connection.driver] = monotonic()
    return connection
