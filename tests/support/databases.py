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
from booking.db import transactions
from booking.model import Base
from tests.support import postgres

TEMPLATE = "lunch_template"


def connect_engine(url: str) -> Engine:
    """An engine as the app has it."""
    engine = create_engine(url, **config.engine_options(url))
    transactions.configure_engine(engine)
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
# noticed by an event trigger, and their database is dropped.
NOTICE_SCHEMA_CHANGES = """
    CREATE SCHEMA harness;
    CREATE TABLE harness.changed (at timestamptz);
    CREATE FUNCTION harness.note() RETURNS event_trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO harness.changed VALUES (now()); END $$;
    CREATE EVENT TRIGGER note_schema_changes ON ddl_command_end EXECUTE FUNCTION harness.note();
"""
TABLES = [table.name for table in reversed(Base.metadata.sorted_tables)]
FILLED = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in TABLES)
RESTART = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"


class PostgresClones:
    """Clones of one migrated database on one server; a named one is emptied and used again."""

    def __init__(self, server: URL) -> None:
        self.server = server
        self.count = 0
        self.ready: set[str] = set()
        self.admin = psycopg.connect(postgres.plain(server), autocommit=True)
        self._sql(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        self._sql(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'")
        engine = connect_engine(self._url(TEMPLATE))
        upgrade(engine)
        engine.dispose()
        with self._connect(TEMPLATE) as connection:
            connection.execute(NOTICE_SCHEMA_CHANGES)

    @contextmanager
    def fresh(self, name: str = "", *, migrated: bool = True) -> Iterator[str]:
        self.count += 1
        database = f"lunch_{name or self.count}"
        if database not in self.ready:
            self._sql(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE if migrated else 'template0'} STRATEGY file_copy")
        try:
            yield self._url(database)
        finally:
            self.ready.discard(database)
            if name and migrated and self._emptied(database):
                self.ready.add(database)
            else:
                self._sql(f"DROP DATABASE {database} WITH (FORCE)")

    def _emptied(self, database: str) -> bool:
        """End everybody else's connections and delete all rows; False where the schema is not the template's any more."""
        self._sql(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'")
        with self._connect(database) as connection:
            if connection.execute("SELECT 1 FROM harness.changed").fetchone():
                return False
            deletes = "; ".join(f'DELETE FROM "{name}"' for (name,) in connection.execute(FILLED))
            # Numbers too: also what was rolled back has taken some.
            connection.execute(f"SET session_replication_role = replica; {deletes}; {RESTART}")
        return True

    def _connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(postgres.plain(self.server.set(database=database)), autocommit=True)

    def close(self) -> None:
        with suppress(psycopg.OperationalError):
            self.admin.close()

    def _sql(self, statement: str) -> None:
        self.admin.execute(statement)

    def _url(self, database: str) -> str:
        return self.server.set(database=database).render_as_string(hide_password=False)
