"""Does a press or a page cost more in a grown city? `python -m bench.growth --bookings 10000000`.

Two databases on one PostgreSQL: one station without a past, and 3,933 stations with a year of it. The same
requests go to the same station in both, in turn: small, big, small, big …
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

from sqlalchemy import URL

from bench import feed, ground, report, servers, stock, wrk
from bench.ground import Ground
from bench.servers import APP, Kind, Server
from bench.stock import City
from bench.visitors import sign_in
from bench.wrk import Run

PEOPLE = 30_000  # each presses once: enough for five rounds of three seconds on a quick machine
ROWS = (("growth_press", "press", False), ("growth_page", "page", True))


@dataclass(frozen=True)
class Side:
    """One of the two databases with its server and feeds."""

    server: Server
    feeds: dict[str, Path]
    postmaster: int
    stopped: dict[str, str]
    log: Path

    def run(self, name: str, seconds: int, *, loop: bool) -> Run:
        at = "" if loop else self.stopped.get(name, "")
        run = wrk.drive(self.server, self.feeds[name], seconds, self.postmaster, loop=loop, at=at)
        self.stopped[name] = run.at
        return run


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--bookings", type=int, default=1_000_000)
    arguments.add_argument("--stations", type=int, default=3_933)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=3)
    arguments.add_argument("--server", default="granian:2:1")
    asked = arguments.parse_args()
    name, workers, threads = asked.server.split(":")
    kind = Kind(name, int(workers), int(threads))
    with ground.server() as url, ExitStack() as open_sides:
        small = open_sides.enter_context(_side(url, "small", kind, 1, 0))
        big = open_sides.enter_context(_side(url, "big", kind, asked.stations, asked.bookings))
        found = _measure(small, big, asked.rounds, asked.seconds)
        for side in (small, big):
            print(report.said(side.log), end="")
    print(f"{report.load()}; {asked.stations} stations, {asked.bookings} bookings against one station and none")
    print(_table(found))
    print(f"written to {report.keep('results', _results(found))}")


@contextmanager
def _side(url: URL, name: str, kind: Kind, stations: int, bookings: int) -> Iterator[Side]:
    began = monotonic()
    with ground.prepared(url, name) as place:
        feeds = _fill(place, City(stations, max(PEOPLE, stations * 75)), bookings)
        print(f"{name}: made in {monotonic() - began:.0f} s", flush=True)
        log = place.folder / "server.log"
        with servers.serving(kind, APP, place.settings(), log) as server:
            side = Side(server, feeds, place.postmaster, {}, log)
            for _ in range(2):
                side.run("page", 2, loop=True)
                side.run("press", 2, loop=False)
            yield side


def _fill(place: Ground, city: City, bookings: int) -> dict[str, Path]:
    with place.connect() as connection:
        connection.execute("SET synchronous_commit = off")  # while filling only
        stock.build(connection, city)
        if bookings:
            stock.add_past(connection, city, bookings)
        connection.execute("UPDATE slot SET capacity = 1000000 WHERE id <= 4")
        visits = sign_in(connection, place.app(), range(1, PEOPLE + 1))
        stock.settle(connection)
        day = connection.execute("SELECT date FROM slot WHERE id = 1").fetchone()
    requests = {
        "press": [feed.press(city.slot(1, visit.person % 4), visit) for visit in visits],
        "page": [feed.get(f"/s/s1?day={day and day[0]}", visit) for visit in visits[:1000]],
    }
    return {name: feed.write(place.folder / name, rows) for name, rows in requests.items()}


def _measure(small: Side, big: Side, rounds: int, seconds: int) -> dict[str, list[tuple[Run, Run]]]:
    found: dict[str, list[tuple[Run, Run]]] = defaultdict(list)
    for _ in range(rounds):
        for row, name, loop in ROWS:
            found[row].append((small.run(name, seconds, loop=loop), big.run(name, seconds, loop=loop)))
    return found


def _costs(pairs: list[tuple[Run, Run]]) -> tuple[list[float], list[float]]:
    """How many times as much the big one costs: by the clock, and by CPU of web and database."""
    clock = [small.per_s / max(big.per_s, 0.01) for small, big in pairs]
    by_cpu = [(b.web_ms + b.database_ms) / (s.web_ms + s.database_ms) for s, b in pairs]
    return clock, by_cpu


def _table(found: dict[str, list[tuple[Run, Run]]]) -> str:
    lines = []
    for row, pairs in found.items():
        clock, by_cpu = _costs(pairs)
        rates = [round(median(run.per_s for run in side)) for side in zip(*pairs, strict=True)]
        errors = sum(run.refused + run.broken for pair in pairs for run in pair)
        lines.append((row, "1.20", report.spread(clock), report.spread(by_cpu), *rates, errors))
    head = ("row", "at most", "cost ratio (spread)", "by CPU (spread)", "small per s", "big per s", "errors")
    return report.table(head, lines)


def _results(found: dict[str, list[tuple[Run, Run]]]) -> dict[str, dict[str, float]]:
    results = {}
    for row, pairs in found.items():
        clock, by_cpu = (report.spread(costs) for costs in _costs(pairs))
        per_s = round(median(big.per_s for _small, big in pairs), 1)
        results[row] = {
            "ratio": round(clock.middle, 3),
            "min": round(clock.least, 3),
            "max": round(clock.most, 3),
            "per_s": per_s,
            "by_cpu": round(by_cpu.middle, 3),
        }
    return results


if __name__ == "__main__":
    main()
