"""Jobs of the scheduler at scale: beside one statement that writes the same rows, and beside the rush.

Opening a slot of each of 3,933 stations, releasing 12,000 no-shows, writing 60,000 digests, changing the policy of a city.
Each chore has days of its own in the city, so that the presses of the rush next to it meet other slots.
"""

import argparse
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from os import cpu_count
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import URL

from bench.builds import Build, Cost, Database, Worker, prepared, statements
from bench.load import Row, Run, times
from bench.presses import GROUP, Stage, stage
from tests.support import city as stock
from tests.support.city import PER_DAY
from tests.support.servers import TICK, Kind, used

SQL = statements(__file__)
SEATS = 12_000  # no-shows to release
READERS = 15  # of digests at a station, in `letters`


@dataclass(frozen=True)
class Chore:
    """A job, the statements that set its scene, the rows that it writes by one statement, and how to undo it."""

    name: str
    job: str
    scene: tuple[str, ...]
    bulk: str
    undo: tuple[str, ...]
    hour: str

    def prepare(self, on: Stage) -> datetime:
        """Set the scene; returns the instant at which the job is due."""
        moment: datetime = self._run(on, *self.scene)
        return moment

    def back(self, on: Stage) -> None:
        """As if nobody had done it."""
        self._run(on, *self.undo)

    def at_once(self, on: Stage) -> Cost:
        """The same rows by one statement."""
        now = self.prepare(on)
        before, began = used(on.ground.postmaster), perf_counter()
        with on.ground.connect() as connection:
            found = stock.execute(connection, self.bulk, {"now": now, **_places(on)}).fetchone()
        took = perf_counter() - began
        cost = Cost(int(found[0]) if found else 0, took, max(used(on.ground.postmaster) - before, TICK))
        self.back(on)
        return cost

    def carry_out(self, on: Stage, worker: Worker) -> Cost:
        """The job as the scheduler runs it."""
        cost = worker.run(self.job, self.prepare(on))
        self.back(on)
        return cost

    def _run(self, on: Stage, *statements: str) -> Any:
        with on.ground.connect() as connection:
            connection.execute("SET session_replication_role = replica")  # no foreign-key checks row by row
            for statement in statements:
                stock.execute(connection, statement, _places(on))
            stock.settle(connection)
            (moment,) = stock.execute(connection, self.hour, _places(on)).fetchone() or (None,)
        return moment


def _places(on: Stage) -> dict[str, Any]:
    """The first slot of each day, by name, and how much of everything."""
    days = {f"day{day}": on.city.slot(1, day=day) for day in range(on.city.days)}
    return {
        **days,
        "stations": on.city.stations,
        "per_day": PER_DAY,
        "people": on.city.people,
        "seats": SEATS,
        "readers": READERS,
    }


def jobs(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """Rounds go statement, job, other build's job, statement; then the rush alone, with the job next to it, alone."""
    found: dict[str, list[_Round]] = defaultdict(list)
    with ExitStack() as opened:
        stages = [_with_past(opened.enter_context(prepared(url, "jobs", build)), asked) for build in builds]
        workers = [opened.enter_context(one.ground.worker()) for one in stages]
        DIGESTS.carry_out(stages[0], workers[0])  # the statement writes what the app has written
        names = asked.rows & {chore.name for chore in CHORES}
        for _ in range(asked.rounds):
            for chore in [chore for chore in CHORES if chore.name in names or not names]:
                found[chore.name].append(_round(stages, workers, chore, asked.beside))
    return [_row(name, rounds) for name, rounds in found.items()]


def _with_past(place: Database, asked: argparse.Namespace) -> Stage:
    """With letters and digests of the days before: empty tables mislead PostgreSQL's planner for the rest of a connection."""
    made = stage(place, asked.stations or 3_933, asked.group or GROUP)
    with place.connect() as connection:
        stock.add_papers(connection, made.city, made.city.people, ("letter", "digest"))
        stock.execute(connection, "UPDATE bench_last SET letter = (SELECT max(id) FROM letter)")
    return made


@dataclass(frozen=True)
class _Round:
    """A chore beside its statement, before and after, beside another build's, and beside the rush."""

    bulk: tuple[Cost, Cost]
    job: Cost
    theirs: list[Cost]
    left: float
    took: float
    taken: float


def _round(stages: list[Stage], workers: list[Worker], chore: Chore, seconds: int) -> _Round:
    before = chore.at_once(stages[0])
    job, *theirs = [chore.carry_out(*pair) for pair in zip(stages, workers, strict=True)]
    after = chore.at_once(stages[0])
    if before.did != job.did:
        raise RuntimeError(f"{chore.name}: the statement did {before.did}, the job {job.did}")
    beside = _beside_the_rush(stages[0], chore, seconds) if seconds else (0.0, 0.0, 0.0)
    return _Round((before, after), job, theirs, *beside)


def _beside_the_rush(on: Stage, chore: Chore, seconds: int) -> tuple[float, float, float]:
    """The share of presses that is left, seconds of the job, and its share of the machine, while it rests as it will.

    Each run has a stage set back and processes of its own, or the last one would press on what the first has sold.
    """
    alone = rush(on, seconds).per_s
    on.reset()
    now = chore.prepare(on)
    with on.up(Kind(), seconds) as app, on.ground.worker(rests=True) as worker:
        pids = (worker.process.pid, worker.backend)
        before = sum(map(used, pids))
        worker.start(chore.job, now)
        run = app.run("many")
        taken = (sum(map(used, pids)) - before) / run.seconds / (cpu_count() or 1)
        took = worker.finish()[1] if worker.answers() else float("inf")
    chore.back(on)
    return 2 * run.per_s / (alone + rush(on, seconds).per_s), took, taken


def rush(on: Stage, seconds: int) -> Run:
    """Presses that all find a seat, on a stage set back."""
    on.reset()
    with on.up(Kind(), seconds) as app:
        run = app.run("many")
    if run.refused:
        raise RuntimeError(f"{run.refused} of {run.requests} presses were refused: that is no rush")
    return run


def _row(name: str, rounds: list[_Round]) -> Row:
    own, theirs = [one.job for one in rounds], [cost for one in rounds for cost in one.theirs]
    took = median(one.took for one in rounds)
    facts = {
        "rows": own[0].did,
        "job s": f"{median(cost.seconds for cost in own):.2f}",
        "statement s": f"{median(cost.seconds for one in rounds for cost in one.bulk):.2f}",
        "rush left, ≥ 0.90": f"{median(one.left for one in rounds):.2f}",
        "machine taken": f"{median(one.taken for one in rounds):.0%}",
        "job s then": f"{took:.1f}" if took < float("inf") else "longer than the rush",
    }
    return Row(
        name,
        "≥ 0.30 × statement",
        [sum(cost.seconds for cost in one.bulk) / 2 / one.job.seconds for one in rounds],
        [sum(cost.cpu for cost in one.bulk) / 2 / one.job.cpu for one in rounds],
        times([cost.seconds for cost in own], [cost.seconds for cost in theirs]),
        times([cost.cpu for cost in own], [cost.cpu for cost in theirs]),
        facts,
    )


JOBS = {
    "open_slots": "open_slots",
    "release_no_shows": "release_no_shows",
    "write_digests": "write_worker_digests",
    "policy_change": "apply_policy",
}
CHORES = tuple(
    Chore(name, job, SQL[f"{name} scene"], SQL[f"{name} bulk"][0], SQL[f"{name} undo"], SQL[f"{name} hour"][0])
    for name, job in JOBS.items()
)
DIGESTS = CHORES[2]
