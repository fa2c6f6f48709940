"""Transactions: the one place that locks and commits: lock order, retry, deadlock, SQLite write queue.

Lock order: names first, then draws by id, then people by id, then slots by id, then the totals of days by date and
station, and nothing after that. Whoever keeps it cannot deadlock.
On SQLite a writing transaction holds the whole file, so row locks are not needed.
"""

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import date
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from sqlalchemy import ARRAY, BigInteger, ColumnElement, func, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, scoped_session

from booking.db import pool, statements, upsert
from booking.db.arrays import in_array
from booking.model import Person, Slot, StationDayTotals

T = TypeVar("T", Person, Slot)
R = TypeVar("R")
P = ParamSpec("P")

# lock_timeout, deadlock_detected, serialization_failure, admin_shutdown; another process that writes to the file
TRANSIENT = ("55P03", "40P01", "40001", "57P01", "SQLITE_BUSY")
NO_SYNC = {"synchronize_session": False}

# Several SQLite writers in one process starve each other in its busy loop; here they wait in a queue instead.
_writers = threading.Lock()


@contextmanager
def transaction(session: Session | scoped_session[Any]) -> Iterator[Session]:
    """A writing transaction: commits at the end, rolls back on any exception.

    What `session` had read before is dropped first, so that a verb decides on current data.
    """
    if session.info.get("writes"):
        raise RuntimeError("a transaction inside a transaction would undo the outer one")
    session.rollback()
    bind = session.get_bind()
    with _writers if bind.dialect.name == "sqlite" else nullcontext():
        session.info["writes"] = True
        try:
            session.connection(execution_options={"write": True})
            yield session() if isinstance(session, scoped_session) else session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info["writes"] = False


def run_with_retry(session: Session | scoped_session[Any], change: Callable[[Session], R]) -> R:
    """Run one change in one transaction, with one silent retry after a transient database error."""
    try:
        with transaction(session) as writing:
            return change(writing)
    except DBAPIError as error:
        if not is_transient(error):
            raise
    with transaction(session) as writing:
        return change(writing)


class Verb(Generic[P, R]):
    """A change of state. Called, it is one transaction: it commits, or raises and has changed nothing.

    Another verb that makes it a part of its own transaction calls `inside`. Called while a transaction is open, as tests
    do that arrange several things at once, it joins that one.
    """

    def __init__(self, inside: Callable[Concatenate[Session, P], R], *, retries: bool) -> None:
        self.inside = inside
        self.retries = retries
        update_wrapper(self, inside)

    def __call__(self, session: Session | scoped_session[Any], *args: P.args, **kwargs: P.kwargs) -> R:
        if session.info.get("writes"):
            return self.inside(session() if isinstance(session, scoped_session) else session, *args, **kwargs)
        if self.retries:
            return run_with_retry(session, lambda writing: self.inside(writing, *args, **kwargs))
        with transaction(session) as writing:
            return self.inside(writing, *args, **kwargs)


def transactional(inside: Callable[Concatenate[Session, P], R]) -> Verb[P, R]:
    """Make a function that takes the session first a verb."""
    return Verb(inside, retries=False)


def retried(inside: Callable[Concatenate[Session, P], R]) -> Verb[P, R]:
    """The same, with one silent retry after a transient database error."""
    return Verb(inside, retries=True)


def is_transient(error: DBAPIError) -> bool:
    """Whether a retry may work: a lock timeout, a deadlock, a lost connection."""
    names = (getattr(error.orig, "sqlstate", None), getattr(error.orig, "sqlite_errorname", None))
    return error.connection_invalidated or any(name in TRANSIENT for name in names)


def plan_by_index(session: Session) -> None:
    """Plan the rest of this transaction as on the connections of `pool`."""
    if session.get_bind().dialect.name == "postgresql":
        statements.wrap(session.connection()).send("; ".join(f"SET LOCAL {setting}" for setting in pool.PLANS))


def read_for_minutes(session: Session) -> None:
    """Let the statements of this transaction, which only reads for a job, take longer than those of a request may."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL statement_timeout = '10min'"))


@contextmanager
def on_connection(connection: statements.DriverConnection) -> Iterator[None]:
    """A writing transaction on a dedicated connection: commits at the end, rolls back on any exception."""
    is_sqlite = connection.dialect.name == "sqlite"
    with _writers if is_sqlite else nullcontext():
        connection.send("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
        try:
            yield
            connection.send("COMMIT")
        except BaseException:
            with suppress(Exception):  # of whatever driver: the connection may be lost, or the transaction ended
                connection.driver.rollback()
            raise


def lock(session: Session, people: Collection[int] = (), slots: Collection[int] = ()) -> list[Slot]:
    """Lock rows until the transaction ends, in the lock order; returns the slots, freshly read, by id."""
    if people:
        _lock(session, Person, people)
        session.execute(
            update(Person).where(Person.id.in_(people)).values(version=Person.version + 1), execution_options=NO_SYNC
        )
    return _lock(session, Slot, slots) if slots else []


def lock_if(session: Session, slots: Collection[int], *still: ColumnElement[bool]) -> Sequence[int]:
    """Lock those of these slots for which the conditions still hold; returns their ids only."""
    wanted = select(Slot.id).where(Slot.id.in_(in_array(slots)), *still).order_by(Slot.id)
    return session.scalars(wanted.with_for_update(key_share=True)).all()


def lock_days(session: Session, day: date, station_ids: Collection[int]) -> None:
    """Lock the totals of this day at these stations, by station; those that are missing are made, of zeros."""
    if session.get_bind().dialect.name != "postgresql":
        return
    zeros = dict.fromkeys(("slots", "seats", "visits", "expected", "no_shows"), 0)
    rows = [{"date": day, "station_id": station_id, **zeros} for station_id in sorted(station_ids)]
    session.execute(upsert.insert(session.connection(), StationDayTotals).on_conflict_do_nothing(), rows)
    mine = (StationDayTotals.date == day, StationDayTotals.station_id.in_(in_array(station_ids)))
    wanted = select(StationDayTotals.station_id).where(*mine).order_by(StationDayTotals.station_id)
    session.execute(wanted.with_for_update()).all()


def advisory_lock(session: Session, *names: str) -> None:
    """Serialise transactions by each name, in this order, for what has no row to lock yet."""
    if session.get_bind().dialect.name == "postgresql":
        numbers = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True) for name in names]
        each = func.unnest(literal(numbers, ARRAY(BigInteger)))
        session.execute(select(func.pg_advisory_xact_lock(each)))


def _lock(session: Session, table: type[T], ids: Collection[int]) -> list[T]:
    # NO KEY UPDATE: another transaction's foreign-key check on the row need not wait for us.
    wanted = select(table).where(table.id.in_(ids)).order_by(table.id).with_for_update(key_share=True)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))
