"""Builds that are measured: this tree, and another commit in a worktree. Each is run by its public surface only."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from select import select
from typing import Any

import psycopg
from sqlalchemy import URL

import config
from bench.load import Cost
from tests.support import city as stock
from tests.support import postgres
from tests.support.city import City
from tests.support.servers import APP, BIN, Ground, Kind, Server, environment, serving

DISK = Path(os.environ.get("BENCH_FOLDER", "/var/tmp"))  # a real disk: /tmp may be in memory
# What an operator would set on a machine of this size. Nothing that gives up durability: fsync and
# synchronous_commit stay on, as they are by default.
POSTGRESQL = (
    "shared_buffers=1GB effective_cache_size=4GB maintenance_work_mem=512MB max_wal_size=8GB max_connections=200"
)


def statements(module: str) -> dict[str, tuple[str, ...]]:
    """The SQL that stands beside a module, under the names of its groups."""
    groups = re.split(r"^-- ([\w ]+):$", Path(module).with_suffix(".sql").read_text(), flags=re.MULTILINE)[1:]
    told = (re.sub(r"^--.*\n", "", text, flags=re.MULTILINE) for text in groups[1::2])
    parts = (tuple(part.strip() for part in re.split(r";$", text, flags=re.MULTILINE) if part.strip()) for text in told)
    return dict(zip(groups[::2], parts, strict=True))


@dataclass(frozen=True)
class Build:
    """The code of one commit."""

    name: str
    tree: Path


HERE = Build("this", config.ROOT)


@contextmanager
def compared(revision: str) -> Iterator[tuple[Build, ...]]:
    """This tree, and the named commit in a temporary worktree. Both use the installed packages of this one."""
    if not revision:
        yield (HERE,)
        return
    with tempfile.TemporaryDirectory(prefix="lunch-hour-bench-", dir=DISK) as folder:
        tree = Path(folder) / "build"
        git = ["git", "-C", str(config.ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            translations = str(tree / "booking" / "translations")
            subprocess.run([str(BIN / "pybabel"), "-q", "compile", "-d", translations], check=True)
            yield HERE, Build(revision, tree)
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


@dataclass(frozen=True)
class Worker:
    """A process that runs jobs of the scheduler when it is told to."""

    process: subprocess.Popen[str]
    backend: int  # the process of its database connection
    postmaster: int

    def run(self, job: str, now: datetime) -> Cost:
        """A job, with the CPU of PostgreSQL."""

        def act() -> int:
            self.start(job, now)
            return self.finish()[0]

        return Cost.of(act, self.process.pid, self.postmaster)

    def start(self, job: str, now: datetime) -> None:
        print(json.dumps({"job": job, "now": now.isoformat()}), file=self.process.stdin, flush=True)

    def answers(self) -> bool:
        """Whether it has finished."""
        return self.process.stdout is not None and bool(select([self.process.stdout], [], [], 0)[0])

    def finish(self) -> tuple[int, float]:
        """How many things it did, in how many seconds."""
        told = _heard(self.process)
        if told["error"]:
            raise RuntimeError(f"a job failed: {told['error']}")
        return told["did"], told["seconds"]


def _heard(process: subprocess.Popen[str]) -> Any:
    line = process.stdout.readline() if process.stdout else ""
    return json.loads(line or '{"error": "its process has ended"}')


# Run by the build's own code, so it may name modules only as they are called there: the second names are older.
RUNS_JOBS = """
import json, sys
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from time import perf_counter
from sqlalchemy import text
from wsgi import app
from booking.extensions import db

def either(*names):
    return import_module(next(name for name in names if find_spec(name)))

backpressure = either("booking.jobs.backpressure", "booking.jobs.manners")
runner = either("booking.jobs.runner", "booking.jobs.running")
batches = either("booking.jobs.batches", "booking.jobs.rows")
timetable = either("booking.jobs.schedule", "booking.jobs.timetable").TIMETABLE
if "never-rests" in sys.argv:
    backpressure.NEED = float("inf")
with app.app_context():
    backend = db.session.scalar(text("SELECT pg_backend_pid()"))
    db.session.remove()
    print(json.dumps({"backend": backend}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        job = next(job for job in timetable if job.name == asked["job"])
        began = perf_counter()
        ran = runner.run(job, batches.Turn(datetime.fromisoformat(asked["now"])))
        print(json.dumps({"did": ran.did, "error": ran.error, "seconds": perf_counter() - began}), flush=True)
"""


@dataclass(frozen=True)
class Database(Ground):
    """A database of a build, migrated by it, and the processes of that build on it."""

    build: Build = HERE

    @property
    def plain(self) -> str:
        """The address as psycopg and pgbench read it."""
        return postgres.plain(self.url)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.plain, autocommit=True)

    @property
    def postmaster(self) -> int:
        """The process id of PostgreSQL itself."""
        return int(self.value("SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)"))

    def value(self, statement: str, values: dict[str, Any] | None = None) -> Any:
        """The first column of the first row."""
        with self.connect() as connection:
            row = stock.execute(connection, statement, values).fetchone()
        return row and row[0]

    def rewrite(self, statements: Iterable[str], values: dict[str, Any] | None = None) -> None:
        """Set a scene, or set it back."""
        with self.connect() as connection:
            connection.execute("SET session_replication_role = replica")  # no foreign-key checks row by row
            for statement in statements:
                stock.execute(connection, statement, values)
            stock.settle(connection)

    @contextmanager
    def filling(self, city: City, past: int) -> Iterator[psycopg.Connection[Any]]:
        """A connection for what is to be there besides the city and so many bookings of before."""
        with self.connect() as connection:
            connection.execute("SET synchronous_commit = off")  # while filling only
            stock.build(connection, city)
            if city.stations > 1:
                stock.add_tree(connection)
            if past:
                stock.add_past(connection, city, past)
            yield connection
            stock.settle(connection)

    def flask(self, *words: str, must: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the build."""
        env = environment(self.settings(**more), self.build.tree)
        command = [str(BIN / "flask"), *words]
        done = subprocess.run(command, check=False, cwd=self.build.tree, env=env, capture_output=True, text=True)
        if must and done.returncode:
            raise RuntimeError(f"flask {' '.join(words)} of {self.build.name} failed:\n{done.stdout}{done.stderr}")
        return done

    @contextmanager
    def serving(self, kind: Kind, log: Path | None = None) -> Iterator[Server]:
        with serving(kind, APP, self.settings(), log, self.build.tree) as server:
            yield server

    @contextmanager
    def scheduler(self, **more: str) -> Iterator[int]:
        """The scheduler as it runs beside the web processes; yields its process id."""
        with self._process([str(BIN / "flask"), "scheduler"], more, stderr=subprocess.DEVNULL) as process:
            yield process.pid

    @contextmanager
    def worker(self, *, rests: bool = False, **more: str) -> Iterator[Worker]:
        """A process that stands ready to run jobs; by default it does not rest while others want the processor."""
        command = [sys.executable, "-c", RUNS_JOBS, *([] if rests else ["never-rests"])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with self._process(command, more, text=True, **pipes) as process:
            yield Worker(process, _heard(process)["backend"], self.postmaster)

    @contextmanager
    def _process(self, command: list[str], more: Mapping[str, str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            cwd=self.build.tree,
            env=environment(self.settings(**more), self.build.tree),
            **options,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@contextmanager
def postgresql() -> Iterator[URL]:
    """PostgreSQL on a disk, not in memory: a commit here waits for the disk as it will for real."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is open is closed
    with postgres.made(DISK, POSTGRESQL.split()) as url:
        yield url


@contextmanager
def prepared(asked: argparse.Namespace, name: str, build: Build = HERE) -> Iterator[Database]:
    """A fresh database on that server, migrated by the build, with the calendar of workdays. Dropped at the end."""
    name = name if build == HERE else f"{name}_other"
    with psycopg.connect(postgres.plain(asked.url), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
        with tempfile.TemporaryDirectory(prefix="lunch-hour-bench-") as folder:
            place = Database(asked.url.set(database=name).render_as_string(hide_password=False), Path(folder), build)
            place.flask("db", "upgrade")
            with place.worker() as worker:
                worker.run("learn_workdays", datetime.now(UTC))
            yield place
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def embedded(build: Build) -> Iterator[Database]:
    """A fresh SQLite database of the build, on the disk."""
    with tempfile.TemporaryDirectory(prefix="lunch-hour-bench-", dir=DISK) as folder:
        place = Database(f"sqlite:///{folder}/lunch.sqlite3", Path(folder), build)
        place.flask("db", "upgrade")
        yield place
