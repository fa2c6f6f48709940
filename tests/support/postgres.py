"""A PostgreSQL of one's own, gone with the run: for the tests in memory and without fsync."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

from tests.support import memory

FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "max_wal_size=4GB",
    "wal_level=minimal",
    "max_wal_senders=0",
)


@contextmanager
def server() -> Iterator[URL]:
    """The server that PGHOST names (as under pg_virtualenv), or a new one for this run."""
    if host := os.environ.get("PGHOST"):
        user, password = os.environ.get("PGUSER"), os.environ.get("PGPASSWORD")
        yield URL.create("postgresql+psycopg", user, password, host, int(os.environ.get("PGPORT", "5432")), "postgres")
        return
    with made(memory.MEMORY, FAST) as url:
        yield url


@contextmanager
def made(place: Path, options: Sequence[str]) -> Iterator[URL]:
    """A new server with a folder of its own in `place`, for as long as the block lasts."""
    with own(place, options) as server:
        yield server.url


@contextmanager
def own(place: Path, options: Sequence[str]) -> Iterator["Server"]:
    """The same, to be ended and begun again within the block."""
    with folder_of_its_own(place) as folder:
        words = "-A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions"
        _run_as_postgres([binary("initdb"), "-D", str(folder / "d"), *words.split()])
        with running(folder, options) as server:
            yield server


@contextmanager
def standby(of: "Server", place: Path, options: Sequence[str]) -> Iterator["Server"]:
    """A server that follows another one, from a copy of it made now, until it is promoted."""
    with folder_of_its_own(place) as folder:
        words = "-R -X stream --checkpoint=fast --no-sync"
        _run_as_postgres([binary("pg_basebackup"), "-D", str(folder / "d"), "-d", plain(of.url), *words.split()])
        with running(folder, options) as server:
            yield server


@contextmanager
def running(folder: Path, options: Sequence[str]) -> Iterator["Server"]:
    """The server whose data are in this folder."""
    server = Server(folder, options)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def folder_of_its_own(place: Path) -> Iterator[Path]:
    """A folder for a server that refuses root."""
    with memory.folder(place) as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        yield folder


class Server:
    """PostgreSQL on a folder of its own, at one port."""

    def __init__(self, folder: Path, settings: Sequence[str]) -> None:
        port = free_port()
        self.folder = folder
        self.url = URL.create("postgresql+psycopg", "postgres", None, "127.0.0.1", port, "postgres")
        command = [binary("postgres"), "-D", str(folder / "d"), "-k", str(folder), "-h", "127.0.0.1", "-p", str(port)]
        options = [word for setting in settings for word in ("-c", setting)]
        self._command = [*command, *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers, which after a crash is when it has replayed its log."""
        log = self.folder / "log"
        self._process = as_postgres(self._command, log)
        answering(self.url, self._process, log)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)

    def restart_at_once(self) -> None:
        """What `pg_ctl restart -m immediate` does: nobody is asked, nothing is written out, a crash in all but name."""
        self.stop(signal.SIGQUIT)
        self.start()


def answering(url: URL, process: subprocess.Popen[bytes], log: Path) -> URL:
    """The same URL, as soon as the process answers there."""
    for _ in range(1200):
        with suppress(psycopg.OperationalError):
            psycopg.connect(plain(url)).close()
            return url
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text()}")


def plain(url: URL | str) -> str:
    """The URL as psycopg itself reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def as_postgres(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a server that refuses root; it dies with the tests, even when they are killed."""
    with log.open("ab") as said:
        return subprocess.Popen(["setpriv", *_as_postgres(), "--pdeathsig", "INT", *command], stdout=said, stderr=said)


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    entry = pwd.getpwnam("postgres")
    return ["--reuid", str(entry.pw_uid), "--regid", str(entry.pw_gid), "--clear-groups"]


def _run_as_postgres(command: list[str]) -> None:
    subprocess.run(["setpriv", *_as_postgres(), *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


def binary(name: str) -> str:
    """The newest installed one; Debian keeps them out of the PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if places:
        return str(places[-1])
    if found := shutil.which(name):
        return found
    raise RuntimeError("PostgreSQL is not installed, and half of the tests need it: run `make test` once")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
