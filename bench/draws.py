"""Draws: a city of them that close at the same second, entering one, the page of one, and what they change for people."""

import argparse
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from statistics import mean, median, quantiles
from typing import Any

from bench import load, presses
from bench.builds import Database, Worker, prepared, statements
from bench.load import Cost, Row, Run, Target, compared
from bench.presses import Stage
from booking.draws import SEALED_FOR, order
from booking.policy import DEFAULT
from tests.support import city as stock
from tests.support import visits
from tests.support.city import City
from tests.support.servers import Kind

SQL = statements(__file__)
ENTRIES, LISTED = 90, 1000  # of each draw of the city, and of the one whose page is read
CITY = 3_933  # draws


def city(asked: argparse.Namespace) -> list[Row]:
    """Each station has three slots of 15 seats, and 90 people with one to three wishes, who lost a week ago.

    Sealed and drawn by the scheduler's jobs while the web servers are up and answer the page of a draw now and then.
    """
    size = City(asked.stations or CITY, people=(asked.stations or CITY) * ENTRIES, days=2)
    with ExitStack() as opened:
        place = opened.enter_context(prepared(asked, "draws"))
        _build(place, size)
        server = opened.enter_context(place.serving(asked.servers[0]))
        worker = opened.enter_context(place.worker())
        opened.enter_context(load.repeated(0.2, lambda: load.ask(server, visits.get("/draws/1"))))
        found = [_day(place, worker) for _ in range(asked.rounds)]
    return [_city_row(size, found)]


def _build(place: Database, size: City) -> None:
    values = vars(size) | {"first": size.slot(1, day=1), "entries": size.people // size.stations}
    with place.filling(size, size.stations * 15) as connection:
        for table in ("draw", "draw_entry"):
            stock.fill(connection, table, SQL[table][0], values)
        for statement in (*SQL["scene"], *presses.SQL["keep"][1:]):
            stock.execute(connection, statement, values)


def _day(place: Database, worker: Worker) -> dict[str, Cost]:
    """Committed to before, then closed, then drawn."""
    place.rewrite((*presses.SQL["reset"][:3], *SQL["reset"]))
    closes_at = place.value("SELECT max(closes_at) FROM draw")
    worker.run("freeze_draws", closes_at - timedelta(seconds=1))
    due = {"freeze_draws": closes_at, "run_draws": closes_at + SEALED_FOR}
    return {job: worker.run(job, at) for job, at in due.items()}


def _city_row(size: City, found: list[dict[str, Cost]]) -> Row:
    def ms(job: str) -> str:
        each = [(one[job].seconds / size.stations, one[job].cpu / size.stations) for one in found]
        return " ".join(f"{median(values) * 1000:.1f}" for values in zip(*each, strict=True))

    total = [sum(cost.seconds for cost in one.values()) for one in found]
    facts = {
        "draws": found[0]["run_draws"].did,
        "freeze ms, CPU ms": ms("freeze_draws"),
        "draw ms, CPU ms": ms("run_draws"),
        "s": f"{median(total):.1f}",
        "s for 3,933": f"{median(total) * CITY / size.stations:.0f}",
    }
    return Row("draw_city", "3,933 × 90 ≤ 60 s", facts=facts)


def page(asked: argparse.Namespace) -> list[Row]:
    """The proof of a draw of 1,000 entries."""
    with prepared(asked, "proof") as place:
        _build(place, City(1, people=LISTED, days=2))
        with place.worker() as worker:
            _day(place, worker)
        with place.connect() as connection:
            visit = visits.sign_in(connection, [1])[0]
        feeds = {"page": load.write(place.folder / "page", [visits.get("/draws/1", visit)] * load.THREADS)}
        with place.serving(asked.servers[0]) as server:
            target = Target(server, feeds, place.postmaster, asked.seconds)
            target.run("page", loop=True, seconds=2)
            runs = [target.run("page", loop=True) for _ in range(asked.rounds)]
    kilobytes = round(median(run.bytes / run.requests for run in runs) / 1000)
    cpu = f"{median(run.cpu_ms for run in runs):.1f}"
    return [Row("draw_page", "CPU ≤ 20 ms", facts=load.facts(runs) | {"CPU ms": cpu, "KB": kilobytes})]


def entering(asked: argparse.Namespace) -> list[Row]:
    """Everybody enters the same draw, each once, beside the bare taking of seats in many slots."""
    with ExitStack() as opened:
        on = presses.staged(opened, asked, "entering")
        slot = on.city.slot(1, day=3)
        on.ground.rewrite(SQL["gathering"], {"slot": slot})
        feed = [visits.press(slot, visit) for visit in on.visits["many"]]
        on.feeds["enter"] = load.write(on.ground.folder / "enter", feed)
        rounds = [_entered(on, asked.servers[0], asked.seconds) for _ in range(asked.rounds)]
    runs, ceilings = zip(*rounds, strict=True)
    return [Row("enter_hot", "≥ 1.5 × C", *compared(runs, ceilings), facts=load.facts(runs, ceilings))]


def _entered(on: Stage, kind: Kind, seconds: int) -> tuple[Run, list[Run]]:
    with on.ground.connect() as connection:
        connection.execute("DELETE FROM draw_entry")
    with presses.up([on], kind, seconds) as (bare, app):
        for _ in range(5):  # as `up` does for presses
            if app.run("enter", seconds=1).requests > 200:
                break
        before = bare.run("C")
        return app.run("enter"), [before, bare.run("C")]


PEOPLE, SCRIPTS, SEATS, DAYS, RUNS = 75, 8, 15, 40, 50
# A script is blocked, or fails, on one day of five. How late somebody's hand is lasts (they sit at a desk, or do not),
# and differs a little from day to day: both in powers of e.
WORKS, HANDS, A_DAY = 0.8, 1.0, 0.3
Allocate = Callable[[random.Random, Sequence["_Person"]], Sequence["_Person"]]


class _Person:
    """One applicant's eight weeks."""

    def __init__(self, hand: float | None) -> None:
        self.hand = hand  # None: a script
        self.seats, self.lost, self.run, self.longest = 0, 0, 0, 0

    def balls(self) -> int:
        """By the numbers of a station that has changed none."""
        own = 1 + self.lost
        return min(DEFAULT.most_balls, own if self.seats else max(own, DEFAULT.newcomer_balls))

    def told(self, *, won: bool) -> None:
        self.seats += won
        self.lost = self.run = 0 if won else self.run + 1
        self.longest = max(self.longest, self.run)


def _first_come(chance: random.Random, people: Sequence[_Person]) -> Sequence[_Person]:
    def arrival(one: _Person) -> float:
        if one.hand is None and chance.random() < WORKS:
            return 0
        return chance.lognormvariate(one.hand or 0, A_DAY)

    return sorted(people, key=arrival)


def _drawn(balls: Callable[[_Person], int]) -> Allocate:
    def allocate(chance: random.Random, people: Sequence[_Person]) -> Sequence[_Person]:
        entries = [[no, "", balls(one), 1, [1]] for no, one in enumerate(people)]
        return [people[entry[0]] for entry in order.in_order(str(chance.random()), entries)]

    return allocate


WAYS: dict[str, Allocate] = {
    "first come": _first_come,
    "flat draw": _drawn(lambda _: 1),
    "draw with balls": _drawn(_Person.balls),
}


def simulation(_asked: argparse.Namespace) -> list[Row]:
    """75 applicants for 15 seats on each of 40 workdays, eight of them scripts, drawn by the app's own order."""
    return [Row(f"simulation, {way}", "script to person ≤ 1.05 by draw", facts=_eight_weeks(way)) for way in WAYS]


def _eight_weeks(way: str) -> dict[str, Any]:
    chance = random.Random(1)
    runs = []
    for _ in range(RUNS):
        hands = [None] * SCRIPTS + [chance.gauss(0, HANDS) for _ in range(PEOPLE - SCRIPTS)]
        people = [_Person(hand) for hand in hands]
        for _day_no in range(DAYS):
            for place, one in enumerate(WAYS[way](chance, people)):
                one.told(won=place < SEATS)
        runs.append(people)
    everybody = [one for people in runs for one in people]
    scripts, others = ([one for one in everybody if (one.hand is None) == kind] for kind in (True, False))
    return {
        "without a seat": f"{mean(one.seats == 0 for one in others):.0%}",
        "script to person": f"{mean(one.seats for one in scripts) / mean(one.seats for one in others):.2f}",
        "Gini": f"{mean(_gini([one.seats for one in people]) for people in runs):.3f}",
        "longest losing run, p95": f"{mean(quantiles([one.longest for one in p], n=20)[-1] for p in runs):.1f}",
    }


def _gini(seats: Sequence[int]) -> float:
    ranked = sum(rank * own for rank, own in enumerate(sorted(seats), 1))
    return 2 * ranked / (len(seats) * sum(seats)) - (len(seats) + 1) / len(seats)
