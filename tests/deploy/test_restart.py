"""Restarts: behind the proxy a reload loses no request, and nothing outlives the server that started it."""

import http.client
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Self

import pytest

import config
from booking.web import single_process
from tests.support import nginx, postgres
from tests.support.servers import BIN, Ground, Server, children, environment, serving

HOST = {"Host": "lunch.example.com"}
PATIENCE = 240  # seconds: two workers, each after a pause
ASKED = (("GET", "/healthz"), ("POST", "/account/sign-in"), ("GET", "/account/sign-in"))


class AsReadme:
    """granian as README starts it, but with fewer threads, and as long a pause for a new worker as this machine needs."""

    def __init__(self, workers: int, pause: float = 15) -> None:
        self.workers, self.pause = workers, pause

    def command(self, target: str, port: int) -> list[str]:
        options = "--interface wsgi --no-ws --blocking-threads 16 --respawn-failed-workers --workers-kill-timeout 10"
        more = f"--respawn-interval {self.pause} --log-level info --workers {self.workers} --port {port}"
        return [str(BIN / "granian"), *options.split(), *more.split(), target]


def _answer(connection: http.client.HTTPConnection, method: str, path: str) -> object:
    """The status, or what went wrong instead."""
    try:
        connection.request(method, path, b"email=a" if method == "POST" else None, HOST)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return type(error).__name__
    return answer.status


class Visitors:
    """Clients that ask without a pause, pages and forms in turn, and count the answers."""

    def __init__(self, port: int, count: int) -> None:
        self.answers: Counter[str] = Counter()
        self._port, self._over, self._guard = port, threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        with closing(connection):
            for method, path in cycle(ASKED):
                if self._over.wait(0.03):
                    return
                said = _answer(connection, method, path)
                with self._guard:
                    self.answers[f"{method} {said}"] += 1

    def wait_for_seconds(self, seconds: float) -> None:
        """While the clients go on."""
        self._over.wait(seconds)

    def wait_for(self, more: int) -> None:
        wanted = sum(self.answers.values()) + more
        deadline = time.monotonic() + PATIENCE
        while sum(self.answers.values()) < wanted:
            assert time.monotonic() < deadline, self.answers
            time.sleep(0.02)


def pause(settings: dict[str, str]) -> float:
    """Four times as long as the app takes to start here and now."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import wsgi"], check=True, env=environment(settings), cwd=config.ROOT)
    return max(4, 4 * (time.monotonic() - began))


@contextmanager
def behind_nginx(url: str, folder: Path, workers: int) -> Iterator[tuple[Server, int]]:
    settings = Ground(url, folder).settings(
        PUBLIC_URL="https://lunch.example.com", TRUSTED_PROXIES="1", WEB_WORKERS=str(workers), ACCESS_LOG="problems"
    )
    port = postgres.free_port()
    with (
        serving(AsReadme(workers, pause(settings)), "wsgi:app", settings, folder / "granian.log") as server,
        nginx.proxying(folder, port, server.port),
    ):
        yield server, port


def reload(server: Server) -> None:
    """HUP, and wait until every worker has been replaced and the old ones have ended."""
    old = set(workers(server))
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE
    while (now := set(workers(server))) & old or len(now) != len(old):
        assert time.monotonic() < deadline, (old, now)
        time.sleep(0.05)


def workers(server: Server) -> list[int]:
    return children(server.process.pid)


@pytest.mark.whole
@pytest.mark.one_database
def test_a_reload_under_load_loses_no_request(
    database_url: str, backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """On SQLite the new process serves beside the old one, until that has ended."""
    count = 1 if backend == "sqlite" else 2
    times = 2 if request.config.getoption("--whole") else 1
    with behind_nginx(database_url, tmp_path, count) as (server, port), Visitors(port, 4) as visitors:
        visitors.wait_for(50)
        for _time in range(times):
            visitors.wait_for_seconds(single_process.RELOADED + 1)
            reload(server)
            visitors.wait_for(50)
    assert set(visitors.answers) == {"GET 200", "POST 400"}, (visitors.answers, (tmp_path / "error.log").read_text())


@pytest.mark.whole
@pytest.mark.postgresql
def test_workers_of_a_server_that_was_killed_end_by_themselves(database_url: str, tmp_path: Path) -> None:
    """Also while a browser keeps its connection."""
    settings = Ground(database_url, tmp_path).settings(WEB_WORKERS="2")
    with serving(AsReadme(2), "wsgi:app", settings) as server:
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        with closing(kept):
            assert _answer(kept, "GET", "/healthz") == 200
            left = workers(server)
            server.process.kill()
            server.process.wait(PATIENCE)
            wait_until_ended(left)


def wait_until_ended(pids: list[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while alive := [pid for pid in pids if runs(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)


def runs(pid: int) -> bool:
    """Where nobody waits for it, an ended process stays as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
