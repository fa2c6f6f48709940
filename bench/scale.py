"""A grown city: what a press and a page cost in it, and all its stations opening at the same second."""

import argparse
import random
from contextlib import AbstractContextManager, ExitStack
from os import cpu_count
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from bench import load
from bench.builds import Build, Database, prepared, statements
from bench.load import Row, Run, Target, compared, middle
from tests.support import city as stock
from tests.support import visits
from tests.support.city import City
from tests.support.servers import Kind, resident
from tests.support.visits import IN_PLACE, Visit

SQL = statements(__file__)
PEOPLE = 30_000  # each presses once: enough for five rounds of three seconds on a quick machine
GROWTH = {"growth_press": ("press", False), "growth_page": ("page", True)}
SEATS, PRESSES = 15, 5
BOOKED = 60_000  # in the past of the whole city
TEN_MINUTES = 600  # seconds, in which everybody has a first look before the opening
AHEAD = 5  # seconds from the last preparation to the opening
CONNECTIONS = 256


def growth(asked: argparse.Namespace) -> list[Row]:
    """The same requests to the same station in two databases, in turn: one station without a past, and a city with one."""
    rounds: dict[str, list[list[Run]]] = {name: [] for name in GROWTH}
    stations = asked.stations or 3_933
    sizes = {"small": (City(1, PEOPLE), 0), "big": (City(stations, max(PEOPLE, stations * 75)), asked.bookings)}
    with ExitStack() as opened:
        targets = [_grown(opened, asked, build, name, *sizes[name]) for build in asked.builds for name in sizes]
        for _ in range(asked.rounds):
            for name, (feed, loop) in GROWTH.items():
                rounds[name].append([one.run(feed, loop=loop, seconds=asked.seconds) for one in targets])
    return [_growth_row(name, found) for name, found in rounds.items()]


def _growth_row(name: str, found: list[list[Run]]) -> Row:
    """How many times as much the big one costs."""
    small, big, *other = (list(runs) for runs in zip(*found, strict=True))
    facts = {"small per s": middle(run.per_s for run in small), "big per s": middle(run.per_s for run in big)}
    facts["errors"] = sum(run.refused + run.broken for runs in found for run in runs)
    theirs = compared(big, [[run] for run in (other[-1] if other else [])])
    return Row(name, "≤ 1.10 × small", *compared(small, [[run] for run in big]), *theirs, facts=facts)


def _grown(opened: ExitStack, asked: argparse.Namespace, build: Build, name: str, city: City, bookings: int) -> Target:
    place = opened.enter_context(prepared(asked, name, build))
    feeds = _fill(place, city, bookings)
    log = place.folder / "server.log"
    # No error in a table stays without its reason.
    opened.callback(lambda: print(log.read_text(errors="replace")[-5000:], end=""))
    target = Target(opened.enter_context(place.serving(Kind(), log)), feeds, place.postmaster, 2)
    for _ in range(2):
        target.run("page", loop=True)
        target.run("press")
    return target


def _fill(place: Database, city: City, bookings: int) -> dict[str, Path]:
    with place.filling(city, bookings) as connection:
        connection.execute("UPDATE slot SET capacity = 1000000 WHERE id <= 4")
        people = visits.sign_in(connection, range(1, PEOPLE + 1))
    day = place.value("SELECT date FROM slot WHERE id = 1")
    requests = {
        "press": [visits.press(city.slot(1, visit.person % 4), visit) for visit in people],
        "page": [visits.get(f"/s/s1?day={day}", visit) for visit in people[:1000]],
    }
    return {name: load.write(place.folder / name, rows) for name, rows in requests.items()}


def city(asked: argparse.Namespace) -> list[Row]:
    """One slot of 15 seats at every station opens at the same second.

    Before it everybody opens the page, each for the first time. Then five people press for every seat, each with a
    session of their own, as fast as the servers answer, while every phone polls; and in a second city without polls.
    What polls took is the CPU time that the first opening cost more than the second.
    """
    both = [[_opening(asked, build, polls=polls) for build in asked.builds] for polls in (True, False)]
    for told, alone in zip(*both, strict=True):
        told["polls' share"] = f"{_share(told['CPU s'] - alone['CPU s'], told['answers took s']):.0%}"
    rows = []
    for name, (own, *theirs) in zip(("city", "city, presses alone"), both, strict=True):
        against = [own["seats a second"] / other["seats a second"] for other in theirs]
        rows.append(Row(name, "all sold ≤ 60 s, p99 ≤ 1 s", against=against, facts=own))
        print(f"{name}, the other build: {theirs}")
    return rows


def _share(cpu_s: float, seconds: float) -> float:
    """Of all processors."""
    return cpu_s / seconds / (cpu_count() or 1)


def _opening(asked: argparse.Namespace, build: Build, *, polls: bool) -> dict[str, Any]:
    stations = asked.stations or 3_933
    size = City(stations, people=stations * SEATS * PRESSES, days=1, capacity=SEATS)
    told: dict[str, Any] = {}
    with prepared(asked, "city", build) as place:
        people = _people(place, size)
        presses = (visits.press(size.slot(at), visit) for at, visit in people)
        feeds = {"presses": load.write(place.folder / "presses", presses)}
        with place.serving(asked.servers[0]) as server, place.scheduler() as scheduler:
            target = Target(server, feeds, place.postmaster, 3600)
            beside = _looks(target, place, people, told) if polls else None
            _open(place)
            run = target.run("presses", connections=CONNECTIONS, every=True, beside=beside)
            told["web MB"], told["scheduler MB"] = "/".join(map(str, server.memory())), round(resident(scheduler))
        return _outcome(place, run) | told


def _people(place: Database, size: City) -> list[tuple[int, Visit]]:
    """Everybody, with their station, in the order in which they press."""
    with place.filling(size, BOOKED * size.stations // 3_933) as connection:
        for statement in SQL["one_slot_each"]:
            stock.execute(connection, statement)
        people = visits.sign_in(connection, range(1, size.people + 1), size.stations)
    presses = [(n % size.stations + 1, visit) for n, visit in enumerate(people)]
    random.Random(1).shuffle(presses)
    return presses


def _looks(
    target: Target, place: Database, people: list[tuple[int, Visit]], told: dict[str, Any]
) -> AbstractContextManager[None]:
    """The first looks of everybody, as fast as they are answered; returns their polls."""

    def page(at: int, visit: Visit, headers: str = "") -> bytes:
        return visits.get(f"/s/s{at}", visit, headers)

    target.feeds["looks"] = load.write(place.folder / "looks", (page(*one) for one in people))
    run = target.run("looks", connections=CONNECTIONS, every=True)
    told |= {"looks a second": round(run.per_s), "look CPU ms": f"{run.cpu_ms:.2f}"}
    told |= {"look errors": run.refused + run.broken, "looks' share": f"{_share(run.cpu_s, TEN_MINUTES):.0%}"}
    # What a phone has was shown some seconds ago: the tag is that of its own page, as the server made it then.
    tags: dict[int, str] = {}
    for at, visit in people:
        if at not in tags:
            tags[at] = load.ask(target.server, page(at, visit, IN_PLACE))[1]["ETag"].rpartition("-")[0]
    with place.connect() as connection:
        ids = dict(connection.execute("SELECT person_id, id FROM sign_in").fetchall())
    known = ((at, who, f'{IN_PLACE}If-None-Match: {tags[at]}-{ids[who.person]}"\r\n') for at, who in people)
    target.feeds["polls"] = load.write(place.folder / "polls", (page(*one) for one in known))
    return target.polls("polls", len(people), page(*people[0], IN_PLACE), told)


def _open(place: Database) -> None:
    """Set the opening a few seconds ahead, and wait for it. The event lets web processes forget the pages of before."""
    with place.connect() as connection:
        for statement in SQL["opening"]:
            stock.execute(connection, statement, {"ahead": AHEAD})
        connection.execute("VACUUM ANALYZE slot")
        connection.execute("SELECT pg_sleep_until((SELECT max(opens_at) FROM slot))")


def _outcome(place: Database, run: Run) -> dict[str, Any]:
    with place.connect() as connection:
        row = connection.cursor(row_factory=dict_row).execute(SQL["outcome"][0]).fetchone() or {}
    told = {name.replace("_", " "): value for name, value in row.items()}
    checked = place.flask("check", must=False)
    lines = (checked.stdout + checked.stderr).strip().splitlines()
    return told | {
        "answers took s": round(run.seconds, 1),
        "CPU s": round(run.cpu_s, 1),
        "presses a second": round(run.per_s),
        "answer p50/p99 ms": f"{run.p50_ms:.0f}/{run.p99_ms:.0f}",
        "errors": run.refused + run.broken,
        "flask check": "holds" if checked.returncode == 0 else "; ".join(lines[-3:]),
    }
