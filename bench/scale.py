"""A grown city: what a press and a page cost in it, and all its stations opening at the same second."""

import argparse
import random
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import URL

from bench import load
from bench.builds import Build, Database, prepared
from bench.load import Row, Run, Target, compared, middle, times
from tests.support import city as stock
from tests.support import visits
from tests.support.city import City
from tests.support.servers import Kind, resident

PEOPLE = 30_000  # each presses once: enough for five rounds of three seconds on a quick machine
GROWTH = {"growth_press": ("press", False), "growth_page": ("page", True)}
SEATS, PRESSES = 15, 5
AHEAD = 5  # seconds from the last preparation to the opening
CONNECTIONS = 256


def growth(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """The same requests to the same station in two databases, in turn: one station without a past, and a city with one."""
    rounds: dict[str, list[list[Run]]] = {name: [] for name in GROWTH}
    with ExitStack() as opened:
        targets = []
        for build in builds:
            targets.append(_grown(opened, url, build, "small", City(1, PEOPLE), 0))
            stations = asked.stations or 3_933
            targets.append(
                _grown(opened, url, build, "big", City(stations, max(PEOPLE, stations * 75)), asked.bookings)
            )
        for _ in range(asked.rounds):
            for name, (feed, loop) in GROWTH.items():
                rounds[name].append([one.run(feed, loop=loop, seconds=asked.seconds) for one in targets])
    return [_growth_row(name, found) for name, found in rounds.items()]


def _growth_row(name: str, found: list[list[Run]]) -> Row:
    """How many times as much the big one costs."""
    small, big, *other = (list(runs) for runs in zip(*found, strict=True))
    facts = {
        "small per s": middle(run.per_s for run in small),
        "big per s": middle(run.per_s for run in big),
        "errors": sum(run.refused + run.broken for runs in found for run in runs),
    }
    clock = times([run.per_s for run in big], [run.per_s for run in small])
    by_cpu = times([run.cpu_ms for run in small], [run.cpu_ms for run in big])
    return Row(name, "≤ 1.20 × small", clock, by_cpu, **compared(big, other[-1] if other else []), facts=facts)


def _grown(opened: ExitStack, url: URL, build: Build, name: str, city: City, bookings: int) -> Target:
    began = monotonic()
    place = opened.enter_context(prepared(url, name, build))
    feeds = _fill(place, city, bookings)
    print(f"{name}, {build.name}: made in {monotonic() - began:.0f} s", flush=True)
    log = place.folder / "server.log"
    opened.callback(_print_said, log)
    target = Target(opened.enter_context(place.serving(Kind(), log)), feeds, place.postmaster, 2)
    for _ in range(2):
        target.run("page", loop=True)
        target.run("press")
    return target


def _fill(place: Database, city: City, bookings: int) -> dict[str, Path]:
    with place.connect() as connection:
        connection.execute("SET synchronous_commit = off")  # while filling only
        stock.build(connection, city)
        if bookings:
            stock.add_past(connection, city, bookings)
        connection.execute("UPDATE slot SET capacity = 1000000 WHERE id <= 4")
        people = visits.sign_in(connection, range(1, PEOPLE + 1))
        stock.settle(connection)
        day = connection.execute("SELECT date FROM slot WHERE id = 1").fetchone()
    requests = {
        "press": [visits.press(city.slot(1, visit.person % 4), visit) for visit in people],
        "page": [visits.get(f"/s/s1?day={day and day[0]}", visit) for visit in people[:1000]],
    }
    return {name: load.write(place.folder / name, rows) for name, rows in requests.items()}


def _print_said(log: Path) -> None:
    """What a server has complained about, and how often: no error in a table stays without its reason."""
    for line, often in Counter(log.read_text(errors="replace").splitlines()).most_common(20):
        print(f"{often} × {line}")


def city(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """One slot of 15 seats at every station opens at the same second, or within `--spread` seconds, by station.

    Five people press for every seat, each with a session of their own, as fast as the servers answer.
    """
    own, *theirs = [_opening(asked, url, build) for build in builds]
    against = [own["seats a second"] / other["seats a second"] for other in theirs]
    return [Row(f"city_{asked.spread}", "0 errors, 0 oversold", against=against, facts=own)]


def _opening(asked: argparse.Namespace, url: URL, build: Build) -> dict[str, Any]:
    stations = asked.stations or 3_933
    size = City(stations, people=stations * SEATS * PRESSES, days=1, capacity=SEATS)
    with prepared(url, "city", build) as place:
        feeds = {"city": _presses(place, size, asked.spread)}
        with place.serving(Kind.parsed(asked.servers)[0]) as server, place.scheduler() as scheduler:
            _open(place, asked.spread)
            target = Target(server, feeds, place.postmaster, 3600)
            run = target.run("city", connections=CONNECTIONS, every=True)
            memory = {"web MB": "/".join(map(str, server.memory())), "scheduler MB": round(resident(scheduler))}
        return _outcome(place, run) | memory


def _presses(place: Database, size: City, spread: int) -> Path:
    with place.connect() as connection:
        connection.execute("SET synchronous_commit = off")  # while filling only
        stock.build(connection, size)
        for statement in ONE_SLOT_EACH:
            stock.execute(connection, statement)
        people = visits.sign_in(connection, range(1, size.people + 1))
        stock.settle(connection)
    presses = [(visit.person % size.stations + 1, visit) for visit in people]
    random.Random(1).shuffle(presses)
    if spread:
        presses.sort(key=lambda press: press[0] % spread)
    requests = (visits.press(size.slot(station), visit) for station, visit in presses)
    return load.write(place.folder / "city", requests)


def _open(place: Database, spread: int) -> None:
    """Set the opening a few seconds ahead, and wait for it."""
    with place.connect() as connection:
        opening = "UPDATE slot SET opens_at = now() + make_interval(secs => %(ahead)s + station_id %% %(spread)s)"
        connection.execute(opening, {"ahead": AHEAD, "spread": max(1, spread)})
        connection.execute("VACUUM ANALYZE slot")
        connection.execute("SELECT pg_sleep_until((SELECT min(opens_at) FROM slot))")


def _outcome(place: Database, run: Run) -> dict[str, Any]:
    with place.connect() as connection:
        cursor = connection.execute(OUTCOME)
        names = [column.name.replace("_", " ") for column in cursor.description or ()]
        told = dict(zip(names, cursor.fetchone() or (), strict=True))
    checked = place.flask("check", must=False)
    lines = (checked.stdout + checked.stderr).strip().splitlines()
    return told | {
        "presses a second": round(run.per_s),
        "answer p50/p99 ms": f"{run.p50_ms:.0f}/{run.p99_ms:.0f}",
        "errors": run.refused + run.broken,
        "flask check": "holds" if checked.returncode == 0 else "; ".join(lines[-3:]),
    }


ONE_SLOT_EACH = (
    "DELETE FROM slot WHERE plan_id IS NULL OR (id - 1) % 5 <> 0",
    # One-offs: the scheduler has nothing to plan or to take back while we measure.
    "UPDATE slot SET state = 'planned', opens_at = starts_at, plan_id = NULL",
    "DELETE FROM plan",
    """INSERT INTO event (at, kind, station_id, slot_id, plan_id, after, details)
       SELECT now(), 'planned', station_id, id, plan_id, 'planned', '{"capacity": 15}' FROM slot""",
)
OUTCOME = """
    WITH press AS (
        SELECT b.state, extract(epoch FROM b.created_at - s.opens_at)::numeric AS after, s.opens_at, b.created_at
        FROM booking b JOIN slot s ON s.id = b.slot_id
    ), seat AS (SELECT * FROM press WHERE state = 'booked')
    SELECT (SELECT count(*) FROM press) AS presses, count(*) AS seats_sold,
        round(extract(epoch FROM max(created_at) - min(opens_at))::numeric, 1) AS all_sold_after_s,
        round(count(*) / extract(epoch FROM max(created_at) - min(opens_at))::numeric)::int AS seats_a_second,
        round((percentile_cont(0.5) WITHIN GROUP (ORDER BY after))::numeric, 2) AS seat_p50_s,
        round((percentile_cont(0.99) WITHIN GROUP (ORDER BY after))::numeric, 2) AS seat_p99_s,
        (SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY after))::numeric, 2) FROM press) AS press_p50_s,
        (SELECT round((percentile_cont(0.99) WITHIN GROUP (ORDER BY after))::numeric, 2) FROM press) AS press_p99_s,
        (SELECT count(*) FROM slot WHERE capacity < (SELECT count(*) FROM booking
         WHERE slot_id = slot.id AND state = 'booked')) AS oversold,
        (SELECT sum(capacity - taken)::int FROM slot) AS seats_left
    FROM seat
"""
