"""A fresh, migrated database for each test: a copy of a file, or one database emptied after each test."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Engine, create_engine

import config
from booking.db import connections
from booking.model import Base
from tests.support import postgres

TEMPLATE = "lunch_template"
PATIENCE = 60
TIME_LIMITS = ("lock_timeout", "statement_timeout")


def engine_options(url: str) -> dict[str, Any]:
    """The app's, but who waits for a lock waits a minute: a machine that stands still for three seconds is no fault."""
    options = config.engine_options(url)
    if url.startswith("sqlite"):
        options["connect_args"]["timeout"] = PATIENCE
    else:
        options["pool_timeout"] = PATIENCE
        options["execution_options"]["session_settings"] |= dict.fromkeys(TIME_LIMITS, f"{PATIENCE}s")
    return options


def connect_engine(url: str) -> Engine:
    """An engine as the app has it, with `engine_options`."""
    engine = create_engine(url, **engine_options(url))
    connections.configure_engine(engine)
    return engine


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the app's migrations without an app."""
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), revision)


def alembic_config(bind: object) -> Config:
    """Alembic's view of booking/migrations, on an engine or a connection."""
    settings = Config()
    settings.set_main_option("script_location", str(config.ROOT / "booking" / "migrations"))
    settings.attributes["connection"] = bind
    return settings


class SqliteCopies:
    """Copies of one migrated file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.sqlite3"
        self.count = 0
        engine = connect_engine(f"sqlite:///{self.template}")
        upgrade(engine)
        engine.dispose()
        with sqlite3.connect(self.template) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    @contextmanager
    def fresh(self, name: str = "", *, migrated: bool = True) -> Iterator[str]:
        self.count += 1
        path = self.folder / f"{name or self.count}.sqlite3"
        if migrated:
            shutil.copyfile(self.template, path)
        try:
            yield f"sqlite:///{path}"
        finally:
            for leftover in self.folder.glob(f"{path.name}*"):
                leftover.unlink()


# Deleting from the tables that have rows takes a quarter of the time of cloning. Tests that change the schema are
# noticed by an event trigger, and their database is dropped. Numbers begin again: also what was rolled back took some.
TABLES = [table.name for table in reversed(Base.metadata.sorted_tables)]
EMPTY = "".join(f'IF EXISTS (SELECT FROM "{name}") THEN DELETE FROM "{name}"; END IF;' for name in TABLES)
HARNESS = f"""
    CREATE SCHEMA harness;
    CREATE TABLE harness.changed (at timestamptz);
    CREATE FUNCTION harness.note() RETURNS event_trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO harness.changed VALUES (now()); END $$;
    CREATE FUNCTION harness.empty() RETURNS boolean LANGUAGE plpgsql SET session_replication_role = replica AS $$
        BEGIN
            PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid();
            IF EXISTS (SELECT FROM harness.changed) THEN RETURN false; END IF;
            {EMPTY}
            PERFORM setval(seqrelid, 1, false) FROM pg_sequence;
            RETURN true;
        END $$;
    CREATE EVENT TRIGGER note_schema_changes ON ddl_command_end EXECUTE FUNCTION harness.note();
"""


class PostgresClones:
    """Clones of one migrated database on one server; a named one is emptied and used again."""

    def __init__(self, server: URL) -> None:
        self.server = server
        self.count = 0
        self.ready: dict[str, psycopg.Connection[tuple[Any, ...]]] = {}  # the connection that empties it
        self.admin = psycopg.connect(postgres.plain(server), autocommit=True)
        self._sql(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        self._sql(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'")
        engine = connect_engine(self._url(TEMPLATE))
        upgrade(engine)
        engine.dispose()
        with self._connect(TEMPLATE) as connection:
            connection.execute(HARNESS)

    @contextmanager
    def fresh(self, name: str = "", *, migrated: bool = True) -> Iterator[str]:
        self.count += 1
        database = f"lunch_{name or self.count}"
        if database not in self.ready:
            self._sql(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE if migrated else 'template0'} STRATEGY file_copy")
        try:
            yield self._url(database)
        finally:
            if not (name and migrated and self._emptied(database)):
                self._forget(database)
                self._sql(f"DROP DATABASE {database} WITH (FORCE)")

    def _emptied(self, database: str) -> bool:
        """End everybody else's connections and delete all rows; False where the schema is not the template's any more."""
        with suppress(psycopg.OperationalError):  # some tests end all connections
            return self._empty(database)
        self._forget(database)
        return self._empty(database)

    def _empty(self, database: str) -> bool:
        if database not in self.ready:
            self.ready[database] = self._connect(database)
        (emptied,) = self.ready[database].execute("SELECT harness.empty()").fetchone() or (False,)
        return bool(emptied)

    def _forget(self, database: str) -> None:
        if connection := self.ready.pop(database, None):
            connection.close()

    def _connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(postgres.plain(self.server.set(database=database)), autocommit=True)

    def close(self) -> None:
        for connection in (self.admin, *self.ready.values()):
            with suppress(psycopg.OperationalError):
                connection.close()

    def _sql(self, statement: str) -> None:
        self.admin.execute(statement)

    def _url(self, database: str) -> str:
        return self.server.set(database=database).render_as_string(hide_password=False)
