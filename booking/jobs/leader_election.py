"""Leader election: one process among any number, on any number of hosts, runs the jobs for as long as it lives.

The lock is held by an open connection (PostgreSQL) or an open file (SQLite), never by a row with a time-out: when the
leader dies, however it dies, the lock is free.
"""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from booking.db import pool, sqlite_file
from booking.db.file_lock import FileLock
from booking.db.statements import Row

log = logging.getLogger(__name__)

# Any number that nobody else in this database uses: "lunch" in ASCII.
LOCK = 0x6C756E6368
NAMED = (
    "SELECT set_config('application_name', 'lunch-hour leader', false), set_config('statement_timeout', '3000', false)"
)
# A standby grants the lock too, and so may a server beside it.
WRITES = "NOT current_setting('transaction_read_only')::boolean"
TAKE = f"SELECT {WRITES} AND pg_try_advisory_lock({LOCK})"
HOLDS = f"SELECT {WRITES}"


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
        self.engine = engine
        self.connection: psycopg.Connection[Row] | None = None

    def acquire(self) -> bool:
        try:
            if self.connection is None:
                self.connection = pool.dedicated(self.engine).driver
                self.connection.execute(NAMED)
            return _ask(self.connection, TAKE)
        except (psycopg.Error, SQLAlchemyError) as error:
            log.warning("no leader can be chosen: %s", type(getattr(error, "orig", error)).__name__)
            self.release()
            return False

    def holds(self) -> bool:
        try:
            return self.connection is not None and _ask(self.connection, HOLDS)
        except psycopg.Error:
            return False

    def release(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(psycopg.Error):  # the server may take a moment to notice that it is closed
                connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
            connection.close()


def _ask(connection: psycopg.Connection[Row], question: str) -> bool:
    ((answer,),) = connection.execute(question.encode()).fetchall()
    return answer is True
