"""Starts an app on the kinds of server that are compared, and measures their memory."""

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

import config
from bench import cpu
from tests.support.postgres import free_port

BIN = Path(sys.executable).parent
APP, CEILINGS = "wsgi:app", "bench.ceilings:app"


@dataclass(frozen=True)
class Kind:
    """A server, and how many processes and threads it gets."""

    name: str = "granian"
    workers: int = 2
    threads: int = 1

    def __str__(self) -> str:
        return f"{self.name} {self.workers}×{self.threads}"

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

    def memory(self) -> list[float]:
        """The resident megabytes of each worker process."""
        return [cpu.resident(pid) for pid in cpu.children(self.process.pid)]

    def calm_down(self) -> None:
        """Wait until what an ended run has left in the queue is worked off."""
        idle, deadline = 0, time.monotonic() + 60
        while idle < 3 and time.monotonic() < deadline:
            before = cpu.used(self.process.pid)
            time.sleep(0.2)
            idle = idle + 1 if cpu.used(self.process.pid) - before <= cpu.TICK else 0


def environment() -> dict[str, str]:
    """Ours, without what would change the app behind our back."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("FLASK_", "MAIL_", "DATABASE_"))}


@contextmanager
def serving(kind: Kind, target: str, settings: Mapping[str, str], log: Path | None = None) -> Iterator[Server]:
    """`target` behind that server until the block ends; what it says goes to `log`."""
    port = free_port()
    command = ["setpriv", "--pdeathsig", "TERM", *kind.command(target, port)]
    with (log or Path(os.devnull)).open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=config.ROOT,
            env=environment() | dict(settings),
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
