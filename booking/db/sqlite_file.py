"""SQLite file: where the database is, its locks, checkpoints, and what is wrong with it in one sentence."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from click import ClickException
from sqlalchemy import Engine

from booking.db.file_lock import FileLock

LEFTOVERS = ("-wal", "-shm", "-journal")
# The beginnings of SQLite's names of errors.
CAUSES = {
    "SQLITE_READONLY": "cannot be written: the file, its folder or the disk is read-only for this user",
    "SQLITE_PERM": "cannot be opened: this user may not",
    "SQLITE_CANTOPEN": "cannot be opened: its folder is missing or not this user's, the disk is full, or there are"
    " too many open files",
    "SQLITE_FULL": "cannot be written: the disk is full",
    "SQLITE_IOERR": "cannot be read or written: the disk is full or failing, or the file was moved",
    "SQLITE_NOTADB": "is no SQLite database: restore a backup with `flask restore`",
    "SQLITE_CORRUPT": "is damaged: restore a backup with `flask restore`",
}


def path_of(engine: Engine) -> Path | None:
    """The file of this database; None where it has none."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def web_lock(path: Path) -> FileLock:
    """Held by the one web process."""
    return FileLock(path.with_name(f"{path.name}.web"))


def scheduler_lock(path: Path) -> FileLock:
    """Held by the scheduler that leads."""
    return FileLock(path.with_name(f"{path.name}.scheduler"))


def upgrade_lock(path: Path) -> FileLock:
    """Held by the one upgrade that runs."""
    return FileLock(path.with_name(f"{path.name}.upgrade"))


def problem(error: BaseException, path: Path) -> str | None:
    """What an error of SQLite says about the file, as a sentence; None when it is about something else."""
    name = getattr(error, "sqlite_errorname", None) or ""
    cause = next((said for start, said in CAUSES.items() if name.startswith(start)), None)
    return cause and f"The database {path} {cause} ({name})"


def check(engine: Engine) -> Path | None:
    """The file of this database, after a look whether it can be used. Raises a sentence for the operator if not."""
    path = path_of(engine)
    if path and (wrong := try_out(path)):
        raise ClickException(wrong)
    return path


def missing(path: Path) -> str | None:
    """That there is no such file, as a sentence; a connection would make an empty one. None where there is."""
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} for the database: was it moved? DATABASE_URL says where it is"
    if not path.exists():
        return f"There is no database {path}: was it moved? DATABASE_URL says where it is; `flask db upgrade` makes one"
    return None


def begin(path: Path) -> None:
    """Make the file, where there is none, so that only its owner may read it: SQLite's log files are made like it."""
    with suppress(OSError):  # SQLite says what is wrong
        path.touch(mode=0o600, exist_ok=False)


def try_out(path: Path) -> str | None:
    """Write to the file as every booking does. Returns what is wrong, as a sentence, or None."""
    if wrong := missing(path):
        return wrong
    try:
        with closing(sqlite3.connect(path, timeout=3, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version}")
    except sqlite3.Error as error:
        return problem(error, path)  # None while another process writes
    return None


def checkpoint(path: Path, wait: float = 0) -> None:
    """Move what stands in the WAL into the file, so that a copy of the file alone is whole. Best effort.

    It waits `wait` seconds for whoever reads, and nobody can write meanwhile.
    """
    with suppress(sqlite3.Error), closing(sqlite3.connect(_existing(path), uri=True, timeout=wait)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def remove_leftovers(path: Path) -> None:
    """Remove the log files beside a database: another database would take them for its own."""
    for suffix in LEFTOVERS:
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _existing(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=rw"
