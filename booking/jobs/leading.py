"""Who runs the jobs: one process among any number, on any number of hosts, for as long as it lives.

The lock is held by an open connection (PostgreSQL) or an open file (SQLite), never by a row with a
time-out: when the leader dies, however it dies, the lock goes with it.
"""

import fcntl
import logging
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)

# Any number will do, as long as nobody else in this database takes it: "lunch" in ASCII.
LOCK = 0x6C756E6368
# A host that vanishes without a word is noticed by PostgreSQL within 8 seconds.
LIVELY = "-c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=2 -c statement_timeout=3000"


class Candidate(Protocol):
    """Somebody who would lead."""

    def acquire(self) -> bool: ...

    def holds(self) -> bool: ...

    def release(self) -> None: ...


def candidate(engine: Engine, folder: Path) -> Candidate:
    """A candidate for the database of `engine`; `folder` is for a database that has no file."""
    if engine.dialect.name == "postgresql":
        return ByConnection(engine)
    database = engine.url.database
    return ByFile(Path(f"{database}.scheduler") if database and database != ":memory:" else folder / "scheduler.lock")


class ByConnection:
    """Leads while its own connection holds the advisory lock."""

    def __init__(self, engine: Engine) -> None:
        arguments = {"connect_timeout": 3, "application_name": "lunch-hour leader", "options": LIVELY}
        self.engine = create_engine(
            engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments
        )
        self.connection: Connection | None = None

    def acquire(self) -> bool:
        try:
            if self.connection is None:
                self.connection = self.engine.connect()
            return bool(self.connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}))
        except DBAPIError as error:
            log.warning("no leader can be chosen: %s", type(error).__name__)
            self.release()
            return False

    def holds(self) -> bool:
        try:
            return self.connection is not None and self.connection.scalar(text("SELECT 1")) == 1
        except DBAPIError:
            return False

    def release(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


class ByFile:
    """Leads while it holds the lock of a file; all processes of one SQLite database are on one host."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def acquire(self) -> bool:
        file = self.path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self.file = file
        return True

    def holds(self) -> bool:
        return self.file is not None

    def release(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None
