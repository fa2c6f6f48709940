"""The ground of a measurement: a durable PostgreSQL of its own, migrated, and the settings of the app on it."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import URL
from sqlalchemy.orm import Session

import config
from booking import workdays
from booking.app import create_app
from tests.support import databases, postgres

SECRET = "bench-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # signs sessions of made-up people
# What an operator would set on a machine of this size. Nothing that gives up durability: fsync and
# synchronous_commit stay on, as they are by default.
SETTINGS = (
    "shared_buffers=1GB",
    "effective_cache_size=4GB",
    "maintenance_work_mem=512MB",
    "max_wal_size=8GB",
    "max_connections=200",
)


@dataclass(frozen=True)
class Ground:
    """A migrated database, and a folder for what a run leaves behind."""

    url: str
    folder: Path

    @property
    def plain(self) -> str:
        """The address as psycopg and pgbench read it."""
        return postgres.plain(self.url)

    def settings(self, port: int = 80) -> dict[str, str]:
        """The environment of the app in production, on plain http."""
        return {
            "APP_ENV": "production",
            "SECRET_KEY": SECRET,
            "DATABASE_URL": self.url,
            "INSTANCE_PATH": str(self.folder / "instance"),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }

    def app(self, **more: Any) -> Flask:
        return create_app(config.load(self.settings()) | more)

    @property
    def postmaster(self) -> int:
        """The process id of PostgreSQL itself."""
        with self.connect() as connection:
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
            fields = Path(f"/proc/{row and row[0]}/stat").read_text().rpartition(")")[2].split()
        return int(fields[1])

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.plain, autocommit=True)


@contextmanager
def server(settings: tuple[str, ...] = SETTINGS) -> Iterator[URL]:
    """PostgreSQL on a disk, not in memory: a commit here waits for the disk as it will for real."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave by the doors: servers are stopped on the way out
    place = Path(os.environ.get("BENCH_FOLDER", "/var/tmp"))  # /tmp may be in memory
    with postgres.made(place, settings) as url:
        yield url


@contextmanager
def prepared(url: URL, name: str) -> Iterator[Ground]:
    """A fresh, migrated database on that server."""
    with psycopg.connect(postgres.plain(url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    with tempfile.TemporaryDirectory(prefix="lunch-hour-bench-") as folder:
        ground = Ground(url.set(database=name).render_as_string(hide_password=False), Path(folder))
        migrate(ground.url)
        yield ground


def migrate(url: str) -> None:
    engine = databases.connect_engine(url)
    databases.upgrade(engine)
    with Session(engine) as session:
        workdays.seed(session)
        session.commit()
    engine.dispose()
