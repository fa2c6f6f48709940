"""Web metrics: requests, bookings by outcome, and waits, counted by all web processes of a host, for Prometheus.

Each process counts in a file of its own, and whichever is asked adds them up (prometheus-client's multiprocess mode).
The files are in a folder of the web server that started the processes, and go with it: a restart begins at 0.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from booking import clock
from booking.telemetry.request_context import RequestContext

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class WebMetrics:
    """The counters of this process. `folder` is None where it is the only one."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        if folder:
            _share(folder)
        self.registry = CollectorRegistry()
        self.requests = self._histogram(
            "lunch_web_request_seconds",
            "Requests by route, status and what answered: cache and fast, before Flask, or app",
            ["route", "status", "lane"],
        )
        self.waits = self._histogram(
            "lunch_web_wait_seconds",
            "Waits of a millisecond or more within a request: for its turn, or for a connection",
            ["for"],
        )
        self.bookings = Counter("lunch_web_bookings_total", "Presses by outcome", ["outcome"], registry=self.registry)
        # Finding a child by its labels costs as much as counting.
        self._requests, self._bookings = cache(self.requests.labels), cache(self.bookings.labels)

    def _histogram(self, name: str, what: str, labels: list[str]) -> Histogram:
        return Histogram(name, what, labels, buckets=SECONDS, registry=self.registry)

    def request(self, asked: RequestContext, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests(asked.route, asked.status, asked.lane).observe(seconds)
        if asked.outcome:
            self._bookings(asked.outcome).inc()
        for what, waited in asked.waits:
            self.waits.labels(what).observe(waited)

    def text(self) -> bytes:
        """All metrics of all processes, as Prometheus reads them."""
        counted, clocks = self.registry, CollectorRegistry()
        clocks.register(_HostClock())
        if self._folder:
            counted = self._of_all(self._folder)
        return generate_latest(counted) + generate_latest(clocks)

    @staticmethod
    def _of_all(folder: Path) -> CollectorRegistry:
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, str(folder))  # type: ignore[no-untyped-call]
        return everybody


def clock_offset() -> Metric:
    """The clock of this host, as the process that is asked has measured it last."""
    what = "How far the database's clock is ahead of this host's"
    return GaugeMetricFamily("booking_clock_offset_seconds", what, value=clock.ahead())


class _HostClock(Collector):
    """`clock_offset` for a registry."""

    def collect(self) -> Iterator[Metric]:
        yield clock_offset()


def folder_of_server(instance: Path) -> Path:
    """The folder of the web server that is this process's parent; those of servers that have ended are deleted."""
    place = instance / "metrics"
    for other in place.glob("[0-9]*"):
        if not _lives(int(other.name)):
            shutil.rmtree(other, ignore_errors=True)
    found = place / str(os.getppid())
    found.mkdir(parents=True, exist_ok=True)
    return found


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of somebody else
        return True
    return True


def _share(folder: Path) -> None:
    os.environ[FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
