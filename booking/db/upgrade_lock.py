"""Upgrade lock: a database is upgraded by one process at a time; whoever comes second waits for its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import sleep

from click import ClickException
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from booking.db import sqlite_file
from booking.db.file_lock import FileLock

# Any number that nobody else in this database uses: "steps" in ASCII.
LOCK = 0x7374657073
LOOK_EVERY = 0.2  # seconds
WAITING = "Another upgrade of this database is running: waiting for its end"


@contextmanager
def held(connection: Connection, say: Callable[[str], object]) -> Iterator[None]:
    """Hold the lock, as soon as nobody else does.

    Asked for again and again: a statement that waits for it would be waited for by CREATE INDEX CONCURRENTLY.
    """
    acquire, release = _lock_of(connection)
    if not acquire():
        say(WAITING)
        while not acquire():
            sleep(LOOK_EVERY)
    try:
        yield
    finally:
        release()


def _lock_of(connection: Connection) -> tuple[Callable[[], bool], Callable[[], None]]:
    if connection.dialect.name == "postgresql":
        return lambda: _asked(connection, "pg_try_advisory_lock"), lambda: _release(connection)
    if path := sqlite_file.path_of(connection.engine):
        lock = sqlite_file.upgrade_lock(path)
        return lambda: _acquired(lock), lock.release
    return lambda: True, lambda: None


def _acquired(lock: FileLock) -> bool:
    try:
        return lock.acquire()
    except OSError as error:
        raise ClickException(f"{lock.path} cannot be made or opened: {error.strerror}") from error


def _asked(connection: Connection, function: str) -> bool:
    """The answer, in a transaction of its own: the lock is the session's."""
    answer = connection.scalar(text(f"SELECT {function}({LOCK})"))
    connection.commit()
    return bool(answer)


def _release(connection: Connection) -> None:
    with suppress(DBAPIError):  # of a connection that was lost the lock is free
        connection.rollback()
        _asked(connection, "pg_advisory_unlock")
