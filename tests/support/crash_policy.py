"""Runs of the job `apply_policy` that kill themselves: `python -m tests.support.crash_policy URL NOW before|after`.

Each run is a process of its own that takes one station at a time, and dies by SIGKILL right before or right after one of
its commits, each later than the one before, until one lives to its end. Prints the number of kills.
"""

import sys
from datetime import datetime
from functools import partial
from typing import Any

import config
from booking.app import create_app
from booking.extensions import db
from booking.jobs import batches, runner
from booking.jobs.schedule import TIMETABLE
from tests.support.crash_tick import die_at, until_one_lives

MOST_RUNS = 20


def main(url: str, now: str, side: str) -> None:
    settings = config.load({"DATABASE_URL": url, "SECRET_KEY": "x" * 40})
    until_one_lives(lambda run: apply(settings, datetime.fromisoformat(now), run + 1, side), MOST_RUNS)


def apply(settings: dict[str, Any], now: datetime, commits: int, side: str) -> None:
    batches.FIRST = batches.MOST = 1
    batches.Size = partial(batches.Size, rows=1)  # type: ignore[misc, assignment]
    app = create_app(settings)
    with app.app_context():
        die_at(db.engine, commits, side)
        job = next(job for job in TIMETABLE if job.name == "apply_policy")
        runner.run(job, batches.Turn(now))


if __name__ == "__main__":
    main(*sys.argv[1:])
