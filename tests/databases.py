"""A fresh, migrated database for each test: a copy of a file, or a clone of a template."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Engine, create_engine

import config
from booking import store
from tests import postgres

TEMPLATE = "lunch_template"


def connect_engine(url: str) -> Engine:
    """An engine as the app has it."""
    engine = create_engine(url, **config.engine_options(url))
    store.tune(engine)
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


class PostgresClones:
    """Clones of one migrated database on one server."""

    def __init__(self, server: URL) -> None:
        self.server = server
        self.count = 0
        self.admin = psycopg.connect(postgres.plain(server), autocommit=True)
        self._sql(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        self._sql(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'")
        engine = connect_engine(self._url(TEMPLATE))
        upgrade(engine)
        engine.dispose()

    @contextmanager
    def fresh(self, name: str = "", *, migrated: bool = True) -> Iterator[str]:
        self.count += 1
        name = f"lunch_{name or self.count}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template0'} STRATEGY file_copy")
        try:
            yield self._url(name)
        finally:
            self._sql(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        with suppress(psycopg.OperationalError):
            self.admin.close()

    def _sql(self, statement: str) -> None:
        self.admin.execute(statement)  # type: ignore[call-overload]

    def _url(self, database: str) -> str:
        return self.server.set(database=database).render_as_string(hide_password=False)
