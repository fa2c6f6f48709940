"""Web servers of several kinds, started as processes, and what they use of the machine."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import config
from tests.support import log_guard, postgres

BIN = Path(sys.executable).parent
APP = "wsgi:app"
SECRET = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # signs sessions of made-up people
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Ground:
    """A migrated database, and a folder for what a run leaves behind."""

    url: str
    folder: Path

    def settings(self, **more: str) -> dict[str, str]:
        """The environment of the app in production, on plain http."""
        return {
            "APP_ENV": "production",
            "SECRET_KEY": SECRET,
            "DATABASE_URL": self.url,
            "INSTANCE_PATH": str(self.folder / "instance"),
            "PUBLIC_URL": "http://127.0.0.1:80",
            **more,
        }


class Command(Protocol):
    """What starts a server."""

    def command(self, target: str, port: int) -> list[str]: ...


def environment(settings: Mapping[str, str], tree: Path = config.ROOT) -> dict[str, str]:
    """Ours, without what would change the app of that tree behind our back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLASK_", "MAIL_", "DATABASE_"))}
    return kept | {"PYTHONPATH": str(tree), "MALLOC_ARENA_MAX": "1"} | dict(settings)  # the heap as `deploy/` sets it


def used(pid: int) -> float:
    """Seconds of CPU that a process, its living children and its ended ones have used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) * TICK + sum(used(child) for child in children(pid))


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            found += map(int, task.read_text().split())
    return found


def resident(pid: int) -> float:
    """Megabytes of a process in memory, those shared with others included."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def wait_until_idle(pid: int, *, pause: float = 0.2, times: int = 3, patience: float = 60, busy: float = TICK) -> None:
    """Until a process has used no more than `busy` seconds of CPU in each of so many pauses, or `patience` is over."""
    idle, deadline = 0, time.monotonic() + patience
    while idle < times and time.monotonic() < deadline:
        before = used(pid)
        time.sleep(pause)
        idle = idle + 1 if used(pid) - before <= busy else 0


@dataclass(frozen=True)
class Kind:
    """A server, and how many processes and threads it gets: by default as README starts it."""

    name: str = "granian"
    workers: int = 2
    threads: int = 64

    def __str__(self) -> str:
        return f"{self.name} {self.workers}×{self.threads}"

    @classmethod
    def parsed(cls, text: str) -> list["Kind"]:
        """name:workers:threads,…"""
        return [cls(name, int(w), int(t)) for name, w, t in (word.split(":") for word in text.split(","))]

    def command(self, target: str, port: int) -> list[str]:
        if self.name == "granian":
            options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws", "--no-log"]
            options += ["--workers", str(self.workers), "--blocking-threads", str(self.threads)]
            return [str(BIN / "granian"), *options, target]
        options = ["--no-control-socket", "--worker-tmp-dir", "/dev/shm", "--bind", f"127.0.0.1:{port}"]
        options += ["--worker-class", self.name, "--workers", str(self.workers), "--log-level", "error"]
        options += ["--threads", str(self.threads)] if self.name == "gthread" else []
        return [str(BIN / "gunicorn"), *options, target]


@dataclass(frozen=True)
class Server:
    """One that runs."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> list[int]:
        """The resident megabytes of each worker process."""
        return [round(resident(pid)) for pid in children(self.process.pid)]

    def calm_down(self) -> None:
        """Wait until what an ended run has left in the queue is worked off."""
        wait_until_idle(self.process.pid)


@contextmanager
def serving(
    kind: Command, target: str, settings: Mapping[str, str], log: Path | None = None, tree: Path = config.ROOT
) -> Iterator[Server]:
    """`target` behind that server until the block ends; what it says goes to `log`, and tells of nobody."""
    port = postgres.free_port()
    command = ["setpriv", "--pdeathsig", "TERM", *kind.command(target, port)]
    with (log or Path(os.devnull)).open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=tree,
            env=environment(settings, tree),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    server = Server(port, process)
    try:
        _wait_until_it_answers(server)
        yield server
    finally:
        _stop(process)
    if log:
        log_guard.check(log.read_text(errors="replace"))


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):  # granian may wait for ever for a connection that was kept alive
        process.wait(2)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def _wait_until_it_answers(server: Server) -> None:
    for _ in range(1200):
        if server.process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{server.url}/healthz", timeout=5).close()  # our own address
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not start: {server.process.poll()}")
