"""Archive: a backup as a file: of which database it is, which schema it has, and how it gets its place."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click import ClickException

from booking.db import migrating, sqlite_file

MAGIC = {b"SQLite format 3\0": "sqlite", b"PGDMP": "postgresql"}


def kind_of(path: Path) -> str:
    """The dialect of the database that this file is a backup of."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise ClickException(f"{path} cannot be read: {error.strerror}") from error
    for magic, dialect in MAGIC.items():
        if head.startswith(magic):
            return dialect
    raise ClickException(f"{path} is no backup: neither a SQLite database nor one made by pg_dump in its own format")


def check_revision(path: Path, revision: str | None) -> None:
    """Refuse a schema that this version of the app cannot bring up to date. An older one can be."""
    if revision is None:
        raise ClickException(f"{path} is no backup of this app: it has no migrations")
    if revision not in migrating.KNOWN:
        raise ClickException(
            f"{path} was made by a newer version of the app, or another one: its schema is {revision}, and this"
            f" version knows up to {migrating.NEWEST}. Restore it with the version that made it"
        )


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, which takes its place at the end of the block, and vanishes after an error.

    Nobody but its owner may read it: it holds everybody's data.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        yield draft
        sqlite_file.sync(draft)
        draft.replace(path)
        sqlite_file.sync(path.parent)
    except OSError as error:
        raise ClickException(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
        sqlite_file.remove_leftovers(draft)
