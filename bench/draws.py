"""Draws: a city of them that close at the same second, entering one, the page of one, and what they change for people."""

import argparse
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from statistics import mean, median, quantiles
from typing import Any

from sqlalchemy import URL

from bench import load, presses
from bench.builds import Build, Cost, Database, Worker, prepared
from bench.load import Row, Run, Target, compared, middle
from bench.presses import Stage
from booking.draws import SEALED_FOR, order
from booking.policy import DEFAULT
from tests.support import city as stock
from tests.support import visits
from tests.support.city import City
from tests.support.servers import Kind

ENTRIES, LISTED = 90, 1000  # of each draw of the city, and of the one whose page is read
CITY = 3_933  # draws


def city(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """Each station has three slots of 15 seats, and 90 people with one to three wishes, who lost a week ago.

    Sealed and drawn by the scheduler's jobs while the web servers are up and answer the page of a draw now and then.
    """
    size = City(asked.stations or CITY, people=(asked.stations or CITY) * ENTRIES, days=2)
    with ExitStack() as opened:
        place = opened.enter_context(prepared(url, "draws", builds[0]))
        _build(place, size)
        server = opened.enter_context(place.serving(Kind.parsed(asked.servers)[0]))
        worker = opened.enter_context(place.worker())

        def look() -> None:
            load.ask(server, visits.get("/draws/1"))

        opened.enter_context(load.repeated(0.2, look))
        found = [_day(place, worker) for _ in range(asked.rounds)]
    return [_city_row(size, found)]


def _build(place: Database, size: City) -> None:
    values = vars(size) | {"first": size.slot(1, day=1), "entries": size.people // size.stations}
    with place.connect() as connection:
        connection.execute("SET synchronous_commit = off")  # while filling only
        stock.build(connection, size)
        stock.add_past(connection, size, size.stations * 15)
        for table, source in TABLES:
            stock.fill(connection, table, source, values)
        for statement in (*SCENE, *KEEP):
            stock.execute(connection, statement, values)
        stock.settle(connection)


def _day(place: Database, worker: Worker) -> dict[str, Cost]:
    """Committed to before, then closed, then drawn."""
    with place.connect() as connection:
        connection.execute("SET session_replication_role = replica")  # no foreign-key checks row by row
        for statement in RESET:
            stock.execute(connection, statement)
        stock.settle(connection)
        (closes_at,) = connection.execute("SELECT max(closes_at) FROM draw").fetchone() or (datetime.now(UTC),)
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


def page(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """The proof of a draw of 1,000 entries."""
    with prepared(url, "proof", builds[0]) as place:
        _build(place, City(1, people=LISTED, days=2))
        with place.worker() as worker:
            _day(place, worker)
        with place.connect() as connection:
            visit = visits.sign_in(connection, [1])[0]
        feeds = {"page": load.write(place.folder / "page", [visits.get("/draws/1", visit)] * load.THREADS)}
        with place.serving(Kind.parsed(asked.servers)[0]) as server:
            target = Target(server, feeds, place.postmaster, asked.seconds)
            target.run("page", loop=True, seconds=2)
            runs = [target.run("page", loop=True) for _ in range(asked.rounds)]
    facts = {
        "CPU ms": f"{median(run.cpu_ms for run in runs):.1f}",
        "web ms": f"{median(run.web_ms for run in runs):.1f}",
        "KB": round(median(run.bytes / run.requests for run in runs) / 1000),
        "errors": sum(run.refused + run.broken for run in runs),
    }
    return [Row("draw_page", "CPU ≤ 20 ms", facts=facts)]


def entering(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """Everybody enters the same draw, each once, beside the bare taking of seats in many slots."""
    with prepared(url, "entering", builds[0]) as place:
        on = presses.stage(place, asked.stations or 400, asked.group or presses.GROUP)
        slot = on.city.slot(1, day=3)
        with place.connect() as connection:
            for statement in GATHERING:
                stock.execute(connection, statement, {"slot": slot})
        feed = [visits.press(slot, visit) for visit in on.visits["many"]]
        on.feeds["enter"] = load.write(place.folder / "enter", feed)
        rounds = [_entered(on, Kind.parsed(asked.servers)[0], asked.seconds) for _ in range(asked.rounds)]
    runs, ceilings = zip(*rounds, strict=True)
    facts = {
        "per s": middle(run.per_s for run in runs),
        "ceiling": middle(run.per_s for both in ceilings for run in both),
        "web ms": f"{median(run.web_ms for run in runs):.2f}",
        "db ms": f"{median(run.database_ms for run in runs):.2f}",
        "p99 ms": middle(run.p99_ms for run in runs),
        "errors": sum(run.refused + run.broken for run in runs),
    }
    return [Row("enter_hot", "≥ 1.5 × C", *compared(runs, ceilings), facts=facts)]


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


def simulation(_asked: argparse.Namespace, _url: URL, _builds: tuple[Build, ...]) -> list[Row]:
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


GATHERING = (
    """INSERT INTO draw (id, station_id, date, version, opens_at, closes_at, state, seats)
       SELECT 1, station_id, date, 1, now() - interval '1 hour', starts_at - interval '1 hour', 'gathering', '{}'
       FROM slot WHERE id = %(slot)s""",
    "UPDATE slot SET draw_id = 1, opens_at = starts_at WHERE id = %(slot)s",
)
TABLES = (
    (
        "draw",
        """SELECT s + past * %(stations)s AS id, s AS station_id, current_date - past * 7 AS date, 1 AS version,
                  now() - (interval '2 hours') - past * interval '7 days' AS opens_at,
                  now() - past * interval '7 days' AS closes_at, '{}'::json AS seats,
                  CASE past WHEN 0 THEN 'gathering' ELSE 'drawn' END AS state,
                  CASE past WHEN 1 THEN md5(s::text) || md5(s::text) END AS list_sha256,
                  CASE past WHEN 1 THEN md5(s::text) || md5(s::text) END AS seed,
                  CASE past WHEN 1 THEN now() - past * interval '7 days' END AS drawn_at
           FROM generate_series(1, %(stations)s) s, generate_series(0, 1) past""",
    ),
    (
        "draw_entry",
        """SELECT d + n * %(stations)s * 2 AS id, d AS draw_id,
                  1 + (d - 1) %% %(stations)s * %(entries)s + n AS person_id,
                  't' || lpad(to_hex(n * 7919 %% 65536), 4, '0') AS tag,
                  now() AS entered_at, '{}'::json AS passed_over,
                  CASE WHEN d > %(stations)s THEN n + 1 END AS no, CASE WHEN d > %(stations)s THEN 3 END AS balls,
                  CASE WHEN d > %(stations)s THEN n + 1 END AS rank,
                  CASE WHEN d > %(stations)s THEN 'lost' END AS result,
                  (SELECT json_agg(%(stations)s * 5 + (d - 1) %% %(stations)s * 5 + 1 + (n + k) %% 3)
                   FROM generate_series(0, n %% 3) k) AS wishes
           FROM generate_series(1, %(stations)s * 2) d, generate_series(0, %(entries)s - 1) n""",
    ),
)
SCENE = (
    "SELECT setval('draw_id_seq', (SELECT max(id) + 1 FROM draw))",
    "SELECT setval('draw_entry_id_seq', (SELECT max(id) + 1 FROM draw_entry))",
    """UPDATE slot SET opens_at = starts_at, plan_id = NULL, draw_id = station_id
       WHERE id >= %(first)s AND state = 'planned' AND (id - 1) %% 5 < 3""",
    "UPDATE draw SET date = (SELECT date FROM slot WHERE slot.draw_id = draw.id LIMIT 1) WHERE state = 'gathering'",
)
KEEP = presses.SQL["keep"][1:]
RESET = (
    *presses.SQL["reset"][:3],
    """UPDATE slot SET taken = 0, waiting = 0, waitlist_seq = 0, state = 'planned', opens_at = starts_at
       WHERE draw_id IS NOT NULL AND state <> 'planned'""",
    """UPDATE draw_entry SET no = NULL, balls = NULL, rank = NULL, result = NULL, got_slot_id = NULL, passed_over = '{}'
       FROM draw WHERE draw.id = draw_id AND frozen_at IS NOT NULL""",
    """UPDATE draw SET state = 'gathering', list_sha256 = NULL, frozen_at = NULL, secret = NULL, seed = NULL,
       seats = '{}', drawn_at = NULL WHERE frozen_at IS NOT NULL""",
)
