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

from bench.builds import Build, Cost, Database, Worker, prepared
from bench.load import Row, Run, times
from bench.presses import GROUP, Stage, stage
from tests.support import city as stock
from tests.support.city import PER_DAY
from tests.support.servers import TICK, Kind, used

SEATS = 12_000  # no-shows to release
WITH_SLOT = ("letter", "strike", "event", "booking")


@dataclass(frozen=True)
class Chore:
    """A job, the statements that set its scene, the rows that it writes by one statement, and how to undo it."""

    name: str
    job: str
    scene: tuple[str, ...]
    bulk: str
    undo: tuple[str, ...]
    hour: str = "SELECT now()"

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
    return {**days, "stations": on.city.stations, "per_day": PER_DAY, "people": on.city.people, "seats": SEATS}


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


NODE = "path, name, name_en, own_policy, locks, grade, category"
EMPTY_NODE = "'', '', '{}', '[]', '', ''"
# The first run of each station on the third day opens.
OPEN = Chore(
    "open_slots",
    "open_slots",
    scene=(
        """UPDATE slot SET opens_at = now() - interval '1 second'
           WHERE id >= %(day2)s AND id < %(day3)s AND (id - 1) %% %(per_day)s = 0""",
    ),
    bulk="""
    WITH opened AS (
        UPDATE slot SET state = 'open' WHERE state = 'planned' AND opens_at <= %(now)s AND starts_at > %(now)s
        RETURNING id, station_id, plan_id
    ), told AS (
        INSERT INTO event (at, kind, station_id, plan_id, slot_id, before, after, details)
        SELECT %(now)s, 'opened', station_id, plan_id, id, 'planned', 'open', '{}' FROM opened RETURNING id
    ) SELECT count(*) FROM told""",
    undo=(
        "DELETE FROM event WHERE slot_id >= %(day2)s AND slot_id < %(day3)s",
        "UPDATE slot SET state = 'planned' WHERE id >= %(day2)s AND id < %(day3)s AND state <> 'planned'",
    ),
)
# The first run of each station on the fourth day has begun: attendance is taken, and nobody else came.
RELEASE = Chore(
    "release_no_shows",
    "release_no_shows",
    scene=(
        """UPDATE slot SET state = 'running', capacity = 1000, date = current_date, opens_at = now() - interval '1 day',
               free_until = now() - interval '36 minutes', waitlist_until = now() - interval '20 minutes',
               checkin_from = now() - interval '20 minutes', starts_at = now() - interval '301 seconds',
               release_at = now() - interval '1 second', ends_at = now() + interval '45 minutes', released_at = NULL,
               taken = %(seats)s / %(stations)s + ((id - %(day3)s) / %(per_day)s < %(seats)s %% %(stations)s)::int
           WHERE id >= %(day3)s AND id < %(day4)s AND (id - 1) %% %(per_day)s = 0""",
        """INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
           SELECT %(day3)s + s * %(per_day)s, s + 1, n %% %(people)s + 1, 'booked', 'tap', 'absent-' || n,
                  now() - interval '1 day', now() - interval '1 day', false
           FROM (SELECT n, n %% %(stations)s AS s FROM generate_series(0, %(seats)s - 1) n) absent""",
        """INSERT INTO event (at, kind, station_id, slot_id, details) SELECT now(), 'checked_in', station_id, id, '{}'
           FROM slot WHERE id >= %(day3)s AND id < %(day4)s AND (id - 1) %% %(per_day)s = 0""",
    ),
    bulk="""
    WITH lost AS (
        UPDATE booking b SET state = 'released', ended_at = %(now)s, end_reason = 'released' FROM slot s
        WHERE s.id = b.slot_id AND s.state = 'running' AND s.release_at <= %(now)s AND s.released_at IS NULL
          AND b.state = 'booked'
        RETURNING b.id, b.slot_id, b.station_id, b.person_id, s.plan_id
    ), emptied AS (
        UPDATE slot SET taken = taken - n, released_at = %(now)s
        FROM (SELECT slot_id, count(*) AS n FROM lost GROUP BY slot_id) gone WHERE id = gone.slot_id RETURNING id
    ), told AS (
        INSERT INTO event (at, kind, station_id, plan_id, slot_id, booking_id, person_id, before, after, reason, details)
        SELECT %(now)s, kind, station_id, plan_id, slot_id, id, person_id, before, after, reason, '{}'
        FROM lost, (VALUES ('released', 'booked', 'released', NULL), ('strike', NULL, NULL, 'no_show'))
             AS line (kind, before, after, reason) RETURNING id
    ), struck AS (
        INSERT INTO strike (person_id, station_id, slot_id, booking_id, at, reason, forgive_reason)
        SELECT person_id, station_id, slot_id, id, %(now)s, 'no_show', '' FROM lost RETURNING id
    ), written AS (
        INSERT INTO letter (kind, person_id, slot_id, details, message_id, state, tries, created_at, next_try_at, error)
        SELECT 'strike', person_id, slot_id, '{"reason": "no_show", "warning": true}',
               replace(gen_random_uuid()::text, '-', ''), 'queued', 0, %(now)s, %(now)s, '' FROM lost RETURNING id
    ) SELECT count(*) FROM written""",
    undo=(
        *(f"DELETE FROM {rows} WHERE slot_id >= %(day3)s AND slot_id < %(day4)s" for rows in WITH_SLOT),
        """UPDATE slot SET state = 'planned', taken = 0, capacity = 15, released_at = NULL
           WHERE id >= %(day3)s AND id < %(day4)s AND state <> 'planned'""",
    ),
)
# On the fifth day everybody has a seat, and the sixth day's slots open.
DIGESTS = Chore(
    "write_digests",
    "write_worker_digests",
    scene=(
        """INSERT INTO workday (date, works, name, source) SELECT date, true, '', 'bench' FROM slot WHERE id = %(day4)s
           ON CONFLICT (date) DO UPDATE SET works = true""",
        """INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
           SELECT %(day4)s + s, s / %(per_day)s + 1, n + 1, 'booked', 'tap', 'today-' || n, now(), now(), false
           FROM (SELECT n, n %% (%(stations)s * %(per_day)s) AS s FROM generate_series(0, %(people)s - 1) n) there""",
        "UPDATE slot SET taken = capacity WHERE id >= %(day4)s AND id < %(day5)s",
    ),
    # What the app wrote was kept in `bench_letter`.
    bulk="""
    WITH written AS (
        INSERT INTO letter (kind, key, person_id, language, details, message_id, state, tries, created_at, next_try_at,
                            error)
        SELECT kind, key, person_id, language, details, replace(gen_random_uuid()::text, '-', ''), 'queued', 0,
               %(now)s, %(now)s, '' FROM bench_letter RETURNING id, person_id
    ), digests AS (
        INSERT INTO digest (person_id, kind, date, letter_id, written_at)
        SELECT person_id, 'worker', (SELECT date FROM slot WHERE id = %(day4)s), id, %(now)s FROM written RETURNING id
    ) SELECT count(*) FROM digests""",
    undo=(
        "CREATE TABLE IF NOT EXISTS bench_letter AS SELECT * FROM letter WHERE kind = 'worker_digest'",
        "DELETE FROM digest WHERE date = (SELECT date FROM slot WHERE id = %(day4)s)",
        "DELETE FROM digest_round",
        "DELETE FROM letter WHERE kind = 'worker_digest'",
        "DELETE FROM booking WHERE slot_id >= %(day4)s AND slot_id < %(day5)s",
        "UPDATE slot SET taken = 0 WHERE id >= %(day4)s AND id < %(day5)s",
    ),
    hour="SELECT (date + time '08:30') AT TIME ZONE 'Asia/Shanghai' FROM slot WHERE id = %(day4)s",
)
# The city gets a tree of 30 districts and 403 centres, and its policy other deadlines for every coming slot.
POLICY = Chore(
    "policy_change",
    "apply_policy",
    scene=(
        f"""INSERT INTO node (id, parent_id, level, code, {NODE}) VALUES (1, NULL, 'city', 'bj', '1.', {EMPTY_NODE})
            ON CONFLICT DO NOTHING""",
        f"""INSERT INTO node (id, parent_id, level, code, {NODE})
            SELECT 1 + d, 1, 'district', 'd' || d, '1.' || 1 + d || '.', {EMPTY_NODE} FROM generate_series(1, 30) d
            ON CONFLICT DO NOTHING""",
        f"""INSERT INTO node (id, parent_id, level, code, {NODE})
            SELECT 31 + c, 2 + c %% 30, 'centre', 'c' || c, '1.' || 2 + c %% 30 || '.' || 31 + c || '.', {EMPTY_NODE}
            FROM generate_series(1, 403) c ON CONFLICT DO NOTHING""",
        """UPDATE node SET own_policy = '{"free_minutes": 90, "line_minutes": 20, "checkin_minutes": 10, "grace_minutes": 10}'
           WHERE id = 1""",
        "UPDATE station SET centre_id = 32 + id %% 403, own_policy = '{}', policy_due = true",
    ),
    bulk="""
    WITH applied AS (
        UPDATE station SET policy_due = false,
            policy = '{"free_minutes": 90, "line_minutes": 20, "checkin_minutes": 10, "grace_minutes": 10}'
        WHERE policy_due RETURNING id
    ), told AS (
        INSERT INTO event (at, kind, station_id, details) SELECT %(now)s, 'policy_applied', id, '{}' FROM applied
    ), moved AS (
        UPDATE slot SET free_until = starts_at - interval '90 minutes', waitlist_until = starts_at - interval '20 minutes',
            checkin_from = starts_at - interval '10 minutes', release_at = starts_at + interval '10 minutes'
        WHERE state IN ('planned', 'open') AND starts_at > %(now)s
    ) SELECT count(*) FROM applied""",
    undo=(
        "DELETE FROM event WHERE kind = 'policy_applied'",
        "UPDATE station SET centre_id = NULL, own_policy = NULL, policy = '{}', policy_due = false",
        """UPDATE slot SET free_until = starts_at - interval '30 minutes', waitlist_until = starts_at - interval '15 minutes',
               checkin_from = starts_at - interval '15 minutes', release_at = starts_at + interval '5 minutes'
           WHERE release_at = starts_at + interval '10 minutes'""",
    ),
)
CHORES = (OPEN, RELEASE, DIGESTS, POLICY)
