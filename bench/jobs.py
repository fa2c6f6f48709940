"""The scheduler at scale, beside one bulk statement, and beside the rush: `python -m bench.jobs --rounds 3`.

Opening a slot of each of 3,933 stations, releasing 12,000 no-shows, writing 60,000 digests. Rounds go bulk, job,
bulk; then the rush alone, the rush with the job next to it, the rush alone.
"""

import argparse
import gc
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from multiprocessing import get_context
from os import cpu_count
from statistics import median
from time import perf_counter, process_time

from flask import Flask
from sqlalchemy import text

from bench import cpu, ground, report, servers, stage, stock
from bench.chores import CHORES, DIGESTS, Chore
from bench.ground import Ground
from bench.rows import Bench
from bench.servers import APP, Kind
from bench.stage import Stage
from booking.extensions import db
from booking.jobs import backpressure
from booking.jobs.batches import Turn
from booking.jobs.runner import Ran, run
from booking.jobs.schedule import TIMETABLE

LEAST = 0.3
FIGURES = ("ratio", "by_cpu", "left", "taken")


@dataclass(frozen=True)
class Cost:
    """How long something took by the clock, and how much CPU by itself and by PostgreSQL."""

    did: int
    seconds: float
    cpu: float


@dataclass(frozen=True)
class Rush:
    """Presses a second without and with the job next to them, its seconds, and the share of the machine that it took."""

    alone: tuple[float, float]
    beside: float
    took: float
    taken: float

    @property
    def left(self) -> float:
        """The share of the rush that is left while the job runs."""
        return 2 * self.beside / sum(self.alone)


@dataclass(frozen=True)
class Round:
    """A chore beside its bulk statement, before and after, and beside the rush."""

    bulk: tuple[Cost, Cost]
    job: Cost
    rush: Rush | None = None

    @property
    def ratio(self) -> float:
        return sum(one.seconds for one in self.bulk) / 2 / self.job.seconds

    @property
    def by_cpu(self) -> float:
        return sum(one.cpu for one in self.bulk) / 2 / self.job.cpu

    @property
    def left(self) -> float:
        return self.rush.left if self.rush else 0.0

    @property
    def taken(self) -> float:
        return self.rush.taken if self.rush else 0.0


def main() -> None:
    asked = _asked()
    backpressure.NEED = float("inf")  # here a job never rests; the one beside the rush, in a process of its own, does
    with ground.server() as url, ground.prepared(url, "jobs") as place:
        staged = stage.make(place, asked.stations, asked.group)
        found: dict[str, list[Round]] = defaultdict(list)
        _remember(staged)
        _learn_digests(staged)
        for number in range(asked.rounds):
            for chore in [chore for chore in CHORES if asked.only in chore.name]:
                found[chore.name].append(_round(staged, chore, asked.seconds))
            print(f"round {number + 1}: {report.load()}\n{_table(found)}", flush=True)
    print(f"written to {report.keep('results', _results(found))}")


def _asked() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--stations", type=int, default=3_933)
    arguments.add_argument("--group", type=int, default=stage.GROUP, help="a fifth of the people who get digests")
    arguments.add_argument("--seconds", type=int, default=8, help="of the rush beside each job; 0 leaves it out")
    arguments.add_argument("--only", default="", help="part of a row's name")
    return arguments.parse_args()


def _remember(staged: Stage) -> None:
    """Letters and digests of the days before: empty tables mislead PostgreSQL's planner for the rest of a connection."""
    with staged.ground.connect() as connection:
        stock.add_papers(connection, staged.city, staged.city.people, ("letter", "digest"))
        connection.execute("SELECT setval('letter_id_seq', (SELECT max(id) FROM letter))")
        connection.execute("SELECT setval('digest_id_seq', (SELECT max(id) FROM digest))")
        connection.execute("UPDATE bench_last SET letter = (SELECT max(id) FROM letter)")


def _learn_digests(staged: Stage) -> None:
    """The bulk statement writes what the app has written."""
    now = DIGESTS.prepare(staged)
    carry_out(staged.ground, DIGESTS, now)
    DIGESTS.back(staged)


def _round(staged: Stage, chore: Chore, seconds: int) -> Round:
    before = _bulk(staged, chore)
    job = _job(staged, chore)
    after = _bulk(staged, chore)
    if before.did != job.did:
        raise RuntimeError(f"{chore.name}: the statement did {before.did}, the job {job.did}")
    return Round((before, after), job, _beside_the_rush(staged, chore, seconds) if seconds else None)


def _bulk(staged: Stage, chore: Chore) -> Cost:
    now = chore.prepare(staged)
    with _costs(staged.ground) as cost:
        cost.append(chore.at_once(staged, now))
    chore.back(staged)
    return Cost(*cost)


def _job(staged: Stage, chore: Chore) -> Cost:
    standing(staged.ground)
    now = chore.prepare(staged)
    with _costs(staged.ground) as cost:
        cost.append(carry_out(staged.ground, chore, now).did)
    chore.back(staged)
    return Cost(*cost)


@cache
def standing(place: Ground) -> Flask:
    return stood(place.app())


def stood(app: Flask) -> Flask:
    """The app as it stands in a scheduler that has run for a while: connected, and out of the collector's way."""
    with app.app_context():
        db.session.execute(text("SELECT 1"))
        db.session.remove()
    gc.collect()
    gc.freeze()
    return app


@contextmanager
def _costs(place: Ground) -> Iterator[list[float]]:
    """Adds seconds and CPU seconds, ours and PostgreSQL's, to what the block has put in."""
    found: list[float] = []
    began, own, database = perf_counter(), process_time(), cpu.used(place.postmaster)
    yield found
    found += [perf_counter() - began, process_time() - own + cpu.used(place.postmaster) - database]


def carry_out(place: Ground, chore: Chore, now: datetime) -> Ran:
    """The job as the scheduler runs it."""
    (job,) = (job for job in TIMETABLE if job.name == chore.job)
    with standing(place).app_context():
        ran = run(job, Turn(now))
    if ran.error:
        raise RuntimeError(f"{chore.name}: {ran.error}")
    return ran


def _beside_the_rush(staged: Stage, chore: Chore, seconds: int) -> Rush:
    """The web side's presses a second: alone, with the job next to it, alone.

    Each run has a stage set back and processes of its own, or the last one would press on what the first has sold.
    """
    before, _ = _rush(staged, seconds)
    beside, job = _rush(staged, seconds, chore)
    after, _ = _rush(staged, seconds)
    return Rush((before, after), beside, *job)


def _rush(staged: Stage, seconds: int, chore: Chore | None = None) -> tuple[float, tuple[float, float]]:
    """Presses a second; how long the job took, and its share of the machine."""
    staged.reset()
    now = chore.prepare(staged) if chore else None
    with servers.serving(Kind(), APP, staged.ground.settings()) as server:
        bench = Bench(staged, server, server, staged.ground.postmaster, seconds)
        for _ in range(2):
            bench.run(server, "warm", loop=False, seconds=2)
        with _elsewhere(staged.ground, chore, now) if chore and now else nullcontext([]) as told:
            found = bench.run(server, "many", loop=False)
    if chore:
        chore.back(staged)
    took, used = told or (0.0, 0.0)
    return found.per_s, (took, used / found.seconds / (cpu_count() or 1))


@contextmanager
def _elsewhere(place: Ground, chore: Chore, now: datetime) -> Iterator[list[float]]:
    """The job in a process of its own, as the scheduler is one; ended with the block.

    Then the list has how long the job took (infinity: it is not done) and how much CPU, with its database process.
    """
    spawned = get_context("spawn")
    ours, theirs = spawned.Pipe()
    process = spawned.Process(target=_wait_and_carry_out, args=(place, chore, now, theirs))
    process.start()
    if not ours.poll(60):
        raise RuntimeError(f"{chore.name}: the process beside the rush does not start")
    pids = (process.pid or 0, ours.recv())
    before = sum(map(cpu.used, pids))
    ours.send("go")
    told: list[float] = []
    yield told
    told += [ours.recv() if ours.poll() else float("inf"), sum(map(cpu.used, pids)) - before]
    process.kill()
    process.join()


def _wait_and_carry_out(place: Ground, chore: Chore, now: datetime, pipe) -> None:  # type: ignore[no-untyped-def]
    with standing(place).app_context():
        pipe.send(db.session.scalar(text("SELECT pg_backend_pid()")))
        db.session.remove()
    pipe.recv()
    began = perf_counter()
    carry_out(place, chore, now)
    pipe.send(perf_counter() - began)
    pipe.recv()  # an ended process would have used no CPU


def _table(found: dict[str, list[Round]]) -> str:
    head = (
        "row",
        "at least",
        "ratio (spread)",
        "by CPU (spread)",
        "rows",
        "job s",
        "bulk s",
        "rush left, at least 0.90",
        "machine taken",
        "job s then",
    )
    lines = []
    for name, rounds in found.items():
        ratio, by_cpu, left, taken = (report.spread([getattr(r, n) for r in rounds]) for n in FIGURES)
        job = median(r.job.seconds for r in rounds)
        bulk = median(one.seconds for r in rounds for one in r.bulk)
        cost = (rounds[0].job.did, f"{job:.2f}", f"{bulk:.2f}")
        lines.append((name, LEAST, ratio, by_cpu, *cost, left, taken, _seconds(rounds)))
    return report.table(head, lines)


def _seconds(rounds: list[Round]) -> str:
    """How long the job took beside the rush, if it ended within it."""
    took = median(one.rush.took if one.rush else 0 for one in rounds)
    return f"{took:.1f}" if took < float("inf") else "longer than the rush"


def _results(found: dict[str, list[Round]]) -> dict[str, dict[str, float]]:
    results = {}
    for name, rounds in found.items():
        ratio = report.spread([one.ratio for one in rounds])
        results[name] = {
            "ratio": round(ratio.middle, 3),
            "min": round(ratio.least, 3),
            "max": round(ratio.most, 3),
            "per_s": round(median(one.job.did / one.job.seconds for one in rounds), 1),
            "by_cpu": round(median(one.by_cpu for one in rounds), 3),
            "rush_left": round(median(one.left for one in rounds), 3),
            "machine_taken": round(median(one.taken for one in rounds), 3),
        }
    return results


if __name__ == "__main__":
    main()
