"""SQLite backup: a copy by SQLite itself, while people go on booking, and its return as the database.

A plain copy of the file lacks what stands in its WAL, and a WAL beside a file that it does not belong to damages it.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from click import ClickException
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from booking import invariants
from booking.backup import archive
from booking.db import sqlite_file


def backup(database: Path, target: Path, now: datetime) -> list[str]:
    """Copy the database into `target`. Returns the breaches of invariants in the copy."""
    if target.exists() and target.samefile(database):
        raise ClickException(f"{target} is the database itself")
    with archive.written(target) as draft:
        copy(database, draft)
        return verify(draft, now)


def copy(source: Path, target: Path) -> None:
    """One consistent state of `source` as a single file: nothing of it is in a WAL."""
    with _problems_as_errors(source), _opened(source) as reading:
        reading.execute("SELECT * FROM sqlite_master").fetchone()
        try:
            with closing(sqlite3.connect(target)) as writing:
                reading.backup(writing)
                writing.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise ClickException(f"{source} cannot be copied: {error}") from error


def verify(path: Path, now: datetime) -> list[str]:
    """Open a copy and check it. Returns the breaches of invariants; raises where the file is damaged."""
    with _problems_as_errors(path), _opened(path) as connection:
        if (said := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise ClickException(f"{path} is damaged: {said}")
    engine = create_engine(f"sqlite:///{_uri(path)}&uri=true", hide_parameters=True)
    try:
        with Session(engine) as session:
            return invariants.breaches(session, now)
    finally:
        engine.dispose()


def revision(path: Path) -> str | None:
    """The schema of a file; None where it is none of ours."""
    with _problems_as_errors(path), _opened(path) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return row[0] if row else None


def holds_anything(database: Path) -> bool:
    """Whether a restore would lose something: people, stations, or what is no database of ours at all."""
    if not database.exists() or not database.stat().st_size:
        return False
    try:
        with _opened(database) as connection:
            if not connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]:
                return False
            asked = "SELECT EXISTS (SELECT 1 FROM person) OR EXISTS (SELECT 1 FROM station)"
            return bool(connection.execute(asked).fetchone()[0])
    except sqlite3.Error:
        return True


def replace(database: Path, source: Path) -> None:
    """Make `source` the database. The old log files go first: the new database must never be seen beside them."""
    with archive.written(database) as draft:
        copy(source, draft)
        if database.exists():
            was = database.stat()
            draft.chmod(was.st_mode & 0o777)
            os.chown(draft, was.st_uid, was.st_gid)
            sqlite_file.checkpoint(database, wait=3)
        sqlite_file.remove_leftovers(database)


def _uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(_uri(path), uri=True, timeout=10)) as connection:
        yield connection


@contextmanager
def _problems_as_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise ClickException(sqlite_file.problem(error, path) or f"{path}: {error}") from error
