"""Drives a server by wrk with prepared requests."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from bench import cpu, feed
from bench.servers import Server

SCRIPT = Path(__file__).with_name("feed.lua")


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
        return self.requests / self.seconds


def drive(
    server: Server,
    path: Path,
    seconds: int,
    postmaster: int,
    *,
    connections: int = 64,
    loop: bool = False,
    at: str = "",
    every: bool = False,
) -> Run:
    """Send the requests of the feed at `path` over that many connections, each waiting for its answer.

    `every` ends with the last answer of the feed, not with the last request.
    """
    command = ["wrk", f"-t{feed.THREADS}", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s"]
    env = {
        **os.environ,
        "FEED": str(path),
        "FEED_LOOP": "1" if loop else "0",
        "FEED_AT": at,
        "FEED_COUNT": "1" if every else "0",
    }
    command += ["--latency", "-s", str(SCRIPT), server.url]
    pids = (server.process.pid, postmaster)
    before = [cpu.used(pid) for pid in pids]
    told, lasted = _drive(command, env, path, seconds)
    result = next((line for line in told.splitlines() if line.startswith("RESULT ")), None)
    if result is None:
        raise RuntimeError(f"wrk said nothing useful:\n{told}")
    server.calm_down()
    seen = json.loads(result.removeprefix("RESULT "))
    web, database = (
        (cpu.used(pid) - start) / max(1, seen["sent"]) * 1000 for pid, start in zip(pids, before, strict=True)
    )
    seen["seconds"] = min(seen["seconds"], lasted)
    return Run(**seen, web_ms=web, database_ms=database)


def _drive(command: list[str], env: dict[str, str], path: Path, seconds: int) -> tuple[str, float]:
    """What wrk says, and for how long it had something to send: it would sleep to the end of its time."""
    marks = [path.with_name(f"{path.name}.{n}.done") for n in range(feed.THREADS)]
    for mark in marks:
        mark.unlink(missing_ok=True)
    began = monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        while process.poll() is None and monotonic() - began < seconds + 90:
            if all(mark.exists() for mark in marks):
                process.send_signal(signal.SIGINT)
                break
            sleep(0.02)
        lasted = monotonic() - began
        told, _ = process.communicate(timeout=90)
    return told, lasted
