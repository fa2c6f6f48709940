"""PostgreSQL backup: by pg_dump in its own format, and its return by pg_restore.

How to connect goes to the programs by their environment: what they are called with, everybody on the machine can read.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from click import ClickException
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.orm import Session

from booking import invariants
from booking.backup import archive

NAME = "lunch-hour backup"
# Where the tables of before stand until those of the backup are complete.
ASIDE = "before_restore"
Admin = psycopg.Connection[tuple[Any, ...]]


def backup(engine: Engine, target: Path, now: datetime) -> tuple[list[str], bool]:
    """Dump the database into `target`. Returns the breaches of invariants, and whether it could be restored to look."""
    with archive.written(target) as draft:
        with _connected(engine.url) as admin:
            schema = _schema(admin)
        _run("pg_dump", "--format=custom", "--no-password", f"--schema={schema}", f"--file={draft}", url=engine.url)
        _listed(draft)
        found = verify(engine, draft, now)
    return found or [], found is not None


def verify(engine: Engine, path: Path, now: datetime) -> list[str] | None:
    """Restore into a database made for it, and check that. None where this role may not create one."""
    with _connected(engine.url) as admin:
        may = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        if not _one(admin, may):
            return None
        name = f"backup_check_{os.getpid()}"
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
        url = engine.url.set(database=name)
        try:
            _pg_restore(path, url, _schema(admin))
            return _breaches(url, now)
        finally:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def revision(path: Path) -> str | None:
    """The schema of a dump; None where it is none of ours. Asks no server."""
    said = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(path)).splitlines()
    begins = next((n for n, line in enumerate(said) if line.startswith("COPY ")), len(said))
    return next((line for line in said[begins + 1 : begins + 2] if line != "\\."), None)


def holds_anything(engine: Engine) -> bool:
    """Whether a restore would lose something: people, stations, or tables that are not ours."""
    with _connected(engine.url) as admin:
        _undo_half_a_restore(admin)
        tables = _tables(admin)
        if not {"person", "station"} <= tables:
            return bool(tables - {"alembic_version"})
        return bool(_one(admin, "SELECT EXISTS (SELECT FROM person) OR EXISTS (SELECT FROM station)"))


def others(engine: Engine) -> int:
    """How many connections web processes and schedulers have to the database."""
    engine.dispose()
    with _connected(engine.url) as admin:
        found = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return int(_one(admin, f"{found} AND application_name LIKE 'lunch-hour%'"))


def replace(engine: Engine, source: Path) -> None:
    """Make the dump the database. The old tables stand aside until it is complete, and come back if it cannot be."""
    _listed(source)
    with _connected(engine.url) as admin:
        schema = _schema(admin)
        with admin.transaction():
            admin.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(ASIDE)))
            _move(admin, schema, ASIDE)
        try:
            _pg_restore(source, engine.url, schema, "--single-transaction")
            _check_tables(admin, source)
        except BaseException:
            _undo_half_a_restore(admin)
            raise
        _drop_aside(admin)
        admin.execute("ANALYZE")


def _undo_half_a_restore(admin: Admin) -> None:
    """Bring the tables of before back, if a restore ended before those of the backup were there."""
    if not _one(admin, f"SELECT to_regnamespace('{ASIDE}') IS NOT NULL"):
        return
    if _tables(admin):
        raise ClickException(
            f"The schema {ASIDE} has tables that an earlier restore left: drop it if nobody needs them"
        )
    with admin.transaction():
        _move(admin, ASIDE, _schema(admin))
        _drop_aside(admin)


def _drop_aside(admin: Admin) -> None:
    admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(ASIDE)))


def _move(admin: Admin, schema: str, target: str) -> None:
    """Move all tables, with their indexes and sequences. A lock that does not come soon is an error."""
    admin.execute("SET LOCAL lock_timeout = '10s'")
    for (name,) in admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)).fetchall():
        table, into = sql.Identifier(schema, name), sql.Identifier(target)
        admin.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(table, into))


def _check_tables(admin: Admin, source: Path) -> None:
    """Raise where the dump had its tables in a schema that this database does not use."""
    if "alembic_version" not in _tables(admin):
        raise ClickException(f"{source} has no tables in the schema {_schema(admin)}")


def _schema(admin: Admin) -> str:
    return str(_one(admin, "SELECT current_schema()"))


def _tables(admin: Admin) -> set[str]:
    return {name for (name,) in admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")}


def _breaches(url: URL, now: datetime) -> list[str]:
    checked = create_engine(url, hide_parameters=True)
    try:
        with Session(checked) as session:
            return invariants.breaches(session, now)
    finally:
        checked.dispose()


def _listed(path: Path) -> None:
    """Raise where the dump has no table of contents that can be read."""
    _run("pg_restore", "--list", str(path))


def _pg_restore(path: Path, url: URL, schema: str, *options: str) -> None:
    """Restore the tables. The dump of a schema has no extensions."""
    with _connected(url) as admin:
        admin.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        admin.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    plain = ("--no-owner", "--no-privileges", "--no-comments", "--exit-on-error", "--no-password")
    _run("pg_restore", *plain, *options, f"--schema={schema}", f"--dbname={url.database}", str(path), url=url)


def _run(program: str, *arguments: str, url: URL | None = None) -> str:
    """Run one of PostgreSQL's programs, and return what it writes."""
    if (found := shutil.which(program)) is None:
        raise ClickException(f"{program} is not installed (Debian: postgresql-client)")
    env = {**os.environ, **(environment(url) if url else {})}
    done = subprocess.run(  # noqa: S603 - our own words, and files that the operator names
        [found, *arguments], env=env, check=False, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if line.strip()), f"exit {done.returncode}")
        raise ClickException(first if first.startswith(program) else f"{program}: {first}")
    return done.stdout


def environment(url: URL) -> dict[str, str]:
    """libpq's variables for this address."""
    options = Conninfo.parse(_conninfo(url).encode())
    found = {one.envvar.decode(): one.val.decode() for one in options if one.envvar and one.val}
    return found | {"PGAPPNAME": NAME}


def _conninfo(url: URL) -> str:
    _arguments, words = url.get_dialect()().create_connect_args(url)
    return make_conninfo(**words)


@contextmanager
def _connected(url: URL) -> Iterator[Admin]:
    try:
        with psycopg.connect(_conninfo(url), autocommit=True, application_name=NAME, connect_timeout=10) as connection:
            yield connection
    except psycopg.Error as error:
        raise ClickException(f"PostgreSQL: {str(error).partition(chr(10))[0]}") from error


def _one(admin: Admin, question: LiteralString) -> Any:
    row = admin.execute(question).fetchone()
    return row and row[0]
