"""Drives a server by wrk with prepared requests."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

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
) -> Run:
    """Send the requests of the feed at `path` over that many connections, each waiting for its answer."""
    command = ["wrk", f"-t{feed.THREADS}", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s"]
    env = {**os.environ, "FEED": str(path), "FEED_LOOP": "1" if loop else "0", "FEED_AT": at}
    command += ["--latency", "-s", str(SCRIPT), server.url]
    pids = (server.process.pid, postmaster)
    before = [cpu.used(pid) for pid in pids]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=env, timeout=seconds + 90).stdout
    result = next((line for line in told.splitlines() if line.startswith("RESULT ")), None)
    if result is None:
        raise RuntimeError(f"wrk said nothing useful:\n{told}")
    server.calm_down()
    seen = json.loads(result.removeprefix("RESULT "))
    web, database = (
        (cpu.used(pid) - start) / max(1, seen["sent"]) * 1000 for pid, start in zip(pids, before, strict=True)
    )
    return Run(**seen, web_ms=web, database_ms=database)
