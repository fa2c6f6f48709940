"""Leader election: one process among any number, on any number of hosts, runs the jobs for as long as it lives.

The lock is held by an open connection (PostgreSQL) or an open file (SQLite), never by a row with a time-out: when the
leader dies, however it dies, the lock is free.
"""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any, LiteralString, Protocol

import psycopg
from sqlalchemy import Engine

from booking.db import sqlite_file
from booking.db.file_lock import FileLock

log = logging.getLogger(__name__)

# Any number that nobody else in this database uses: "lunch" in ASCII.
LOCK = 0x6C756E6368
# A host that disappears is noticed within 8 seconds, by PostgreSQL and by us.
KEEPALIVE = {"idle": 4, "interval": 2, "count": 2}
LIVELY: dict[str, Any] = {
    "connect_timeout": 3,
    "application_name": "lunch-hour leader",
    "options": " ".join(f"-c tcp_keepalives_{k}={v}" for k, v in KEEPALIVE.items()) + " -c statement_timeout=3000",
    "tcp_user_timeout": 8000,
    **{f"keepalives_{k}": v for k, v in KEEPALIVE.items()},
}


class Candidate(Protocol):
    """A process that may become leader."""

    def acquire(self) -> bool: ...

    def holds(self) -> bool: ...

    def release(self) -> None: ...


def candidate(engine: Engine, folder: Path) -> Candidate:
    """A candidate for the database of `engine`; `folder` is for an in-memory database."""
    if engine.dialect.name == "postgresql":
        return ByConnection(engine)
    path = sqlite_file.path_of(engine)
    return sqlite_file.scheduler_lock(path) if path else FileLock(folder / "scheduler.lock")


class ByConnection:
    """Leads while its own connection holds the advisory lock.

    A driver connection, not SQLAlchemy's: that one would reconnect by itself, without the lock.
    """

    def __init__(self, engine: Engine) -> None:
        self.url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def acquire(self) -> bool:
        try:
            if self.connection is None:
                self.connection = psycopg.connect(self.url, autocommit=True, **LIVELY)
            return _ask(self.connection, "SELECT pg_try_advisory_lock(%s)", LOCK) is True
        except psycopg.Error as error:
            log.warning("no leader can be chosen: %s", type(error).__name__)
            self.release()
            return False

    def holds(self) -> bool:
        try:
            return self.connection is not None and _ask(self.connection, "SELECT %s", LOCK) == LOCK
        except psycopg.Error:
            return False

    def release(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(psycopg.Error):  # the server may take a moment to notice that it is closed
                _ask(connection, "SELECT pg_advisory_unlock(%s)", LOCK)
            connection.close()


def _ask(connection: psycopg.Connection[tuple[Any, ...]], question: LiteralString, number: int) -> Any:
    row = connection.execute(question, (number,)).fetchone()
    return row and row[0]
