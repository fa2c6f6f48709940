"""The whole city at once: `make bench-city`, or `python -m bench.city --stations 3933 --spread 60`.

One slot of 15 seats at every station opens at the same second (or within `--spread` seconds, by station), and
five people press for every seat, each with a session of their own, as fast as the servers answer.
"""

import argparse
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import cpu, feed, ground, report, servers, stock, wrk
from bench.ground import Ground
from bench.servers import APP, BIN, Kind
from bench.stock import City
from bench.visitors import Visit, sign_in
from bench.wrk import Run

SEATS, PRESSES = 15, 5
AHEAD = 5  # seconds from the last preparation to the opening


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stations", type=int, default=3_933)
    arguments.add_argument("--spread", type=int, default=0, help="seconds over which the stations open")
    arguments.add_argument("--connections", type=int, default=256)
    arguments.add_argument("--server", default="granian:2:1")
    asked = arguments.parse_args()
    name, workers, threads = asked.server.split(":")
    kind = Kind(name, int(workers), int(threads))
    city = City(asked.stations, people=asked.stations * SEATS * PRESSES, days=1, capacity=SEATS)
    with ground.server() as url, ground.prepared(url, "city") as place:
        path = _prepare(place, city, asked.spread)
        with servers.serving(kind, APP, place.settings()) as server, _scheduler(place) as scheduler:
            _open(place, asked.spread)
            run = wrk.drive(server, path, 3600, place.postmaster, connections=asked.connections, every=True)
            memory = {"web_mb": server.memory(), "scheduler_mb": [cpu.resident(scheduler)]}
        found = _outcome(place, run) | memory
    found |= {"stations": city.stations, "spread_s": asked.spread, "server": str(kind), "machine": report.load()}
    print("\n".join(f"{key:24} {value}" for key, value in found.items()))
    print(f"written to {report.keep('city', {f'spread_{asked.spread}': found})}")


def _prepare(place: Ground, city: City, spread: int) -> Path:
    with place.connect() as connection:
        connection.execute("SET synchronous_commit = off")  # while filling only
        stock.build(connection, city)
        for statement in ONE_SLOT_EACH:
            connection.execute(statement)
        visits = sign_in(connection, place.app(), range(1, city.people + 1))
        stock.settle(connection)
    presses = [(_station(city, visit), visit) for visit in visits]
    random.Random(1).shuffle(presses)
    if spread:
        presses.sort(key=lambda press: press[0] % spread)
    return feed.write(place.folder / "city", (feed.press(city.slot(station), visit) for station, visit in presses))


def _station(city: City, visit: Visit) -> int:
    return visit.person % city.stations + 1


def _open(place: Ground, spread: int) -> None:
    """Set the opening a few seconds ahead, and wait for it."""
    with place.connect() as connection:
        values = {"ahead": AHEAD, "spread": max(1, spread)}
        connection.execute(OPENING, values)
        connection.execute("VACUUM ANALYZE slot")
        connection.execute("SELECT pg_sleep_until((SELECT min(opens_at) FROM slot))")


@contextmanager
def _scheduler(place: Ground) -> Iterator[int]:
    """The scheduler as it runs beside the web processes; yields its process id."""
    command = ["setpriv", "--pdeathsig", "KILL", str(BIN / "flask"), "scheduler"]
    process = subprocess.Popen(command, env=_environment(place), stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _outcome(place: Ground, run: Run) -> dict[str, Any]:
    with place.connect() as connection:
        row = connection.execute(OUTCOME).fetchone()
    told = dict(zip(NAMES, row or (), strict=True))
    checked = subprocess.run(
        [str(BIN / "flask"), "check"], check=False, env=_environment(place), capture_output=True, text=True
    )
    lines = (checked.stdout + checked.stderr).strip().splitlines()
    return told | {
        "presses_a_second": round(run.per_s),
        "answer_p50_ms": run.p50_ms,
        "answer_p99_ms": run.p99_ms,
        "errors": run.refused + run.broken,
        "flask_check": "holds" if checked.returncode == 0 else "; ".join(lines[-3:]),
    }


def _environment(place: Ground) -> dict[str, str]:
    return {**servers.environment(), **place.settings()}


ONE_SLOT_EACH = (
    "DELETE FROM slot WHERE plan_id IS NULL OR (id - 1) % 5 <> 0",
    # One-offs: the scheduler has nothing to plan or to take back while we measure.
    "UPDATE slot SET state = 'planned', opens_at = starts_at, plan_id = NULL",
    "DELETE FROM plan",
    """INSERT INTO event (at, kind, station_id, slot_id, plan_id, after, details)
       SELECT now(), 'planned', station_id, id, plan_id, 'planned', '{"capacity": 15}' FROM slot""",
)
OPENING = "UPDATE slot SET opens_at = now() + make_interval(secs => %(ahead)s + station_id %% %(spread)s)"
NAMES = (
    "presses",
    "seats_sold",
    "all_gone_after_s",
    "seats_a_second",
    "seat_p50_s",
    "seat_p99_s",
    "press_p50_s",
    "press_p99_s",
    "oversold",
    "seats_left",
)
OUTCOME = """
    WITH press AS (
        SELECT b.state, extract(epoch FROM b.created_at - s.opens_at)::float AS after, s.opens_at, b.created_at
        FROM booking b JOIN slot s ON s.id = b.slot_id
    ), seat AS (SELECT * FROM press WHERE state = 'booked')
    SELECT (SELECT count(*) FROM press), count(*),
        round(extract(epoch FROM max(created_at) - min(opens_at))::numeric, 1)::float,
        round(count(*) / extract(epoch FROM max(created_at) - min(opens_at))::numeric)::int,
        round(percentile_cont(0.5) WITHIN GROUP (ORDER BY after)::numeric, 2)::float,
        round(percentile_cont(0.99) WITHIN GROUP (ORDER BY after)::numeric, 2)::float,
        (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY after)::numeric, 2)::float FROM press),
        (SELECT round(percentile_cont(0.99) WITHIN GROUP (ORDER BY after)::numeric, 2)::float FROM press),
        (SELECT count(*) FROM slot WHERE capacity < (SELECT count(*) FROM booking
         WHERE slot_id = slot.id AND state = 'booked')),
        (SELECT sum(capacity - taken)::int FROM slot)
    FROM seat
"""


if __name__ == "__main__":
    main()
