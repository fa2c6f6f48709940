"""Draws: a city whose draws close at the same second: sealed, drawn and written by the scheduler beside a web side."""

import argparse
from contextlib import ExitStack
from datetime import datetime, timedelta
from os import cpu_count
from statistics import median
from typing import Any

from sqlalchemy import URL

from bench.builds import Build, Cost, Database, Worker, prepared
from bench.load import Row
from booking.draws import SEALED_FOR
from tests.support import city as stock
from tests.support.city import City

ENTRIES = 90  # of each draw
CITY = 3_933  # draws


def city(asked: argparse.Namespace, url: URL, builds: tuple[Build, ...]) -> list[Row]:
    """Each station has three slots of 15 seats, and 90 people with one to three wishes, who lost yesterday."""
    size = City(asked.stations or CITY, people=(asked.stations or CITY) * ENTRIES, days=2)
    found: list[dict[str, Cost]] = []
    with ExitStack() as opened:
        place = opened.enter_context(prepared(url, "draws", builds[0]))
        _build(place, size)
        worker = opened.enter_context(place.worker())
        for _ in range(asked.rounds):
            found.append(_day(place, worker))
    return [_row(size, found)]


def _build(place: Database, size: City) -> None:
    with place.connect() as connection:
        connection.execute("SET synchronous_commit = off")  # while filling only
        stock.build(connection, size)
        stock.add_past(connection, size, size.stations * 15)
        for table, source in TABLES:
            stock.fill(connection, table, source, vars(size) | {"entries": ENTRIES})
        for statement in (*SCENE, *KEEP):
            stock.execute(connection, statement, vars(size) | {"first": size.slot(1, day=1)})
        stock.settle(connection)


def _day(place: Database, worker: Worker) -> dict[str, Cost]:
    """Committed to on the evening before, then closed, then drawn."""
    with place.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in RESET:
            stock.execute(connection, statement)
        stock.settle(connection)
        found = connection.execute("SELECT max(closes_at) FROM draw").fetchone()
    closes_at: datetime = (found or ())[0]
    worker.run("freeze_draws", closes_at - timedelta(seconds=1))
    due = {"freeze_draws": closes_at, "run_draws": closes_at + SEALED_FOR}
    return {job: worker.run(job, at) for job, at in due.items()}


def _row(size: City, found: list[dict[str, Cost]]) -> Row:
    def ms(job: str, kind: str) -> str:
        return f"{median(getattr(one[job], kind) / max(one[job].did, 1) for one in found) * 1000:.1f}"

    total = [sum(cost.seconds for cost in one.values()) for one in found]
    facts: dict[str, Any] = {
        "draws": found[0]["run_draws"].did,
        "freeze ms (CPU)": f"{ms('freeze_draws', 'seconds')} ({ms('freeze_draws', 'cpu')})",
        "draw ms (CPU)": f"{ms('run_draws', 'seconds')} ({ms('run_draws', 'cpu')})",
        "s": f"{median(total):.1f}",
        "s for 3,933": f"{median(total) * CITY / size.stations:.0f}",
        "processors": cpu_count(),
    }
    return Row("draw_city", "3,933 × 90 ≤ 60 s", facts=facts)


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
                  1 + (d - 1) %% %(stations)s * %(entries)s + n AS person_id, 't' || lpad(to_hex(n * 7919 %% 65536), 4, '0') AS tag,
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
KEEP = (
    """CREATE TABLE bench_last AS SELECT (SELECT max(id) FROM booking) AS booking, (SELECT max(id) FROM event) AS event,
       (SELECT coalesce(max(id), 0) FROM letter) AS letter""",
)
RESET = (
    "DELETE FROM letter WHERE id > (SELECT letter FROM bench_last)",
    "DELETE FROM event WHERE id > (SELECT event FROM bench_last)",
    "DELETE FROM booking WHERE id > (SELECT booking FROM bench_last)",
    """UPDATE slot SET taken = 0, waiting = 0, waitlist_seq = 0, state = 'planned', opens_at = starts_at
       WHERE draw_id IS NOT NULL AND state <> 'planned'""",
    """UPDATE draw_entry SET no = NULL, balls = NULL, rank = NULL, result = NULL, got_slot_id = NULL, passed_over = '{}'
       FROM draw WHERE draw.id = draw_id AND frozen_at IS NOT NULL""",
    """UPDATE draw SET state = 'gathering', list_sha256 = NULL, frozen_at = NULL, secret = NULL, seed = NULL,
       seats = '{}', drawn_at = NULL WHERE frozen_at IS NOT NULL""",
)
