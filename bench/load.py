"""Load: prepared requests in files, and wrk, which sends them. And what comes of it: a row of the table."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from statistics import mean, median
from threading import Event
from time import monotonic, perf_counter, sleep
from typing import Any

from tests.support.servers import TICK, Server, used

SCRIPT = Path(__file__).with_name("feed.lua")
THREADS = 2
POLLING = 128  # connections for polls
PACE = re.compile(rb'data-fresh="([\d.]+)')  # how the server tells a phone when to ask again


@dataclass
class Row:
    """A row of the table, with a figure of each round.

    `ratio` is to the ceiling (or what `asked` says); `against` is to the other build: above 1 this tree does better.
    """

    name: str
    asked: str
    ratio: list[float] = field(default_factory=list)
    by_cpu: list[float] = field(default_factory=list)
    against: list[float] = field(default_factory=list)
    against_cpu: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def ask(server: Server, request: bytes) -> tuple[int, Message, bytes]:
    """Status, headers and body of the answer to one prepared request."""
    with socket.create_connection(("127.0.0.1", server.port), 60) as line:
        line.sendall(request)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status, answer.headers, answer.read()


def write(path: Path, requests: Iterable[bytes]) -> Path:
    """Deal the requests out to wrk's threads, in files as `feed.lua` reads them."""
    files = [path.with_name(f"{path.name}.{n}").open("wb") for n in range(THREADS)]
    for n, request in enumerate(requests):
        files[n % THREADS].write(b"%06d%b" % (len(request), request))
    for file in files:
        file.close()
    return path


@dataclass(frozen=True)
class Run:
    """What wrk saw. `refused` counts answers from 400 on, `broken` connections and time-outs.

    `web_ms` and `database_ms` are the CPU milliseconds that a request cost the server and PostgreSQL.
    """

    at: str
    requests: int
    seconds: float
    sent: int
    bytes: int
    refused: int
    broken: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    web_ms: float
    database_ms: float

    @property
    def per_s(self) -> float:
        return max(min(self.requests, self.sent), 1) / self.seconds

    @property
    def cpu_ms(self) -> float:
        return max(self.web_ms + self.database_ms, 0.001)

    @property
    def cpu_s(self) -> float:
        """Of the whole run, with all that went on beside it."""
        return self.cpu_ms * self.sent / 1000


@dataclass(frozen=True)
class Cost:
    """How many things were done, how long it took by the clock, and how many seconds of CPU."""

    did: int
    seconds: float
    cpu: float

    @property
    def per_s(self) -> float:
        return self.did / self.seconds

    @property
    def cpu_ms(self) -> float:
        return self.cpu / self.did * 1000

    @classmethod
    def of(cls, act: Callable[[], int], *pids: int) -> "Cost":
        """What an act takes that says how many things it does, with the CPU of these processes."""
        before, began = sum(map(used, pids)), perf_counter()
        did = act()
        return cls(did, perf_counter() - began, max(sum(map(used, pids)) - before, TICK))


@dataclass
class Target:
    """A server with the feeds for it. A feed that does not loop goes on where it stopped, for each press counts once."""

    server: Server
    feeds: dict[str, Path]
    postmaster: int
    seconds: int
    stopped: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        feed: str,
        *,
        loop: bool = False,
        seconds: int = 0,
        connections: int = 64,
        every: bool = False,
        beside: AbstractContextManager[Any] | None = None,
    ) -> Run:
        """Send the requests over so many connections, each waiting for its answer.

        `every` ends with the last answer of the feed, not with the last request. `beside` is what else happens.
        """
        seconds, path = seconds or self.seconds, self.feeds[feed]
        env = {"FEED": str(path), "FEED_LOOP": str(int(loop)), "FEED_COUNT": str(int(every))}
        env["FEED_AT"] = "" if loop else self.stopped.get(feed, "")
        pids = (self.server.process.pid, self.postmaster)
        before = [used(pid) for pid in pids]
        with beside or nullcontext():
            seen, lasted = _drive(_wrk(self.server, connections, seconds), env, path, seconds)
        self.server.calm_down()
        spent = zip(pids, before, strict=True)
        web, database = ((used(pid) - start) / max(1, seen["sent"]) * 1000 for pid, start in spent)
        seen["seconds"] = min(seen["seconds"], lasted)
        run = Run(**seen, web_ms=web, database_ms=database)
        self.stopped[feed] = run.at
        return run

    @contextmanager
    def polls(self, feed: str, phones: int, asks: bytes, told: dict[str, Any]) -> Iterator[None]:
        """Beside what happens meanwhile, the polls of so many phones that keep to the server's pace; `told` is of them."""
        path = self.feeds[feed]
        pace = path.with_name(f"{path.name}.pace")

        def keep_pace() -> None:
            """As a sample of the answers says. While the server is slower than that, its connections wait for it."""
            found = PACE.search(ask(self.server, asks)[2])
            told["pace s"] = float(found[1]) if found else told["pace s"]
            pace.write_text(str(1000 * POLLING * told["pace s"] / phones))

        keep_pace()
        env = os.environ | {"FEED": str(path), "FEED_LOOP": "1", "FEED_PACE": str(pace)}
        with (
            repeated(1, keep_pace),
            subprocess.Popen(_wrk(self.server, POLLING, 3600), stdout=subprocess.PIPE, text=True, env=env) as process,
        ):
            yield
            process.send_signal(signal.SIGINT)
            seen = _result(process)
        told |= {"polls a second": round(seen["requests"] / seen["seconds"]), "poll p99 ms": round(seen["p99_ms"])}
        told["poll errors"] = seen["refused"] + seen["broken"]


@contextmanager
def repeated(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """`act` every so many seconds, until the block ends."""
    stop = Event()

    def go() -> None:
        while not stop.wait(seconds):
            act()

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(go)
        try:
            yield
        finally:
            stop.set()
    done.result()


def _wrk(server: Server, connections: int, seconds: int) -> list[str]:
    command = ["wrk", f"-t{THREADS}", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "--latency"]
    return [*command, "-s", str(SCRIPT), server.url]


def _result(process: subprocess.Popen[str]) -> dict[str, Any]:
    told, _ = process.communicate(timeout=90)
    result = next((line for line in told.splitlines() if line.startswith("RESULT ")), None)
    if result is None:
        raise RuntimeError(f"wrk said nothing useful:\n{told}")
    seen: dict[str, Any] = json.loads(result.removeprefix("RESULT "))
    return seen


def _drive(command: list[str], env: dict[str, str], path: Path, seconds: int) -> tuple[dict[str, Any], float]:
    """What wrk says, and for how long it had something to send: it would sleep to the end of its time."""
    marks = [path.with_name(f"{path.name}.{n}.done") for n in range(THREADS)]
    for mark in marks:
        mark.unlink(missing_ok=True)
    began = monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | env) as process:
        while process.poll() is None and monotonic() - began < seconds + 90:
            if all(mark.exists() for mark in marks):
                process.send_signal(signal.SIGINT)
                break
            sleep(0.02)
        lasted = monotonic() - began
        return _result(process), lasted


def compared(own: Iterable[Run | Cost], others: Iterable[Sequence[Run | Cost]]) -> tuple[list[float], list[float]]:
    """How each compares with the mean of its others, if it has any: by things a second, and by CPU."""
    pairs = [(run, them) for run, them in zip(own, others, strict=False) if them]
    return (
        [run.per_s / mean(one.per_s for one in them) for run, them in pairs],
        [mean(one.cpu_ms for one in them) / run.cpu_ms for run, them in pairs],
    )


def facts(runs: Sequence[Run], ceilings: Iterable[Sequence[Run]] = ()) -> dict[str, Any]:
    """What a row tells of its runs; a refused press is an error unless the row says otherwise."""
    bare = [run.per_s for beside in ceilings for run in beside]
    return {
        "per s": middle(run.per_s for run in runs),
        "ceiling": middle(bare) if bare else "",
        "web ms": f"{median(run.web_ms for run in runs):.2f}",
        "db ms": f"{median(run.database_ms for run in runs):.2f}",
        "p99 ms": middle(run.p99_ms for run in runs),
        "errors": sum(run.refused + run.broken for run in runs),
    }


def times(own: Iterable[float], other: Iterable[float]) -> list[float]:
    """How many times as much the other took, round by round."""
    return [theirs / max(mine, 0.001) for mine, theirs in zip(own, other, strict=False)]


def middle(values: Iterable[float]) -> int:
    return round(median(values))
