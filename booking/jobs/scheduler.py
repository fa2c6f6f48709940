"""The scheduler's process: it waits until it leads, then runs each job of the timetable at its pace."""

import logging
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from flask import Flask

from booking import clock
from booking.extensions import db
from booking.jobs import leading
from booking.jobs.running import run, write_down
from booking.jobs.timetable import TIMETABLE, Job, Turn

log = logging.getLogger(__name__)

LOOK_EVERY = 1
# Runs of a job that did nothing are written down no more often than this.
QUIET = timedelta(seconds=15)


def scheduler(app: Flask) -> None:
    """Run the jobs whenever this process leads, until SIGTERM or Ctrl-C."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns whenever a job is still at it
    ending = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ending.set())
    with app.app_context():
        me = leading.candidate(db.engine, Path(app.instance_path))
    while not ending.is_set():
        if me.acquire():
            log.info("this process leads")
            Watch(app, me, ending).keep()
        me.release()
        ending.wait(LOOK_EVERY)


class Watch:
    """One stretch of leadership."""

    def __init__(self, app: Flask, me: leading.Candidate, ending: threading.Event) -> None:
        self.app = app
        self.me = me
        self.ending = ending
        self.over = threading.Event()
        self.written: dict[str, datetime] = {}
        # One thread for each job and one for the lookout: a slow job makes no other one late.
        threads = ThreadPoolExecutor(len(TIMETABLE) + 1)
        self.clockwork = BlockingScheduler(timezone=UTC, executors={"default": threads})

    def keep(self) -> None:
        """Run the jobs until this process should end or no longer leads."""
        pace = {"trigger": "interval", "coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        for job in TIMETABLE:
            self.clockwork.add_job(self.run, args=(job,), seconds=job.every, next_run_time=clock.now(), **pace)
        self.clockwork.add_job(self.look, seconds=LOOK_EVERY, **pace)
        self.clockwork.start()

    def look(self) -> None:
        if self.ending.is_set() or not self.me.holds():
            self.over.set()
            self.clockwork.shutdown(wait=False)

    def run(self, job: Job) -> None:
        with self.app.app_context():
            ran = run(job, Turn(clock.now(), self.over.is_set))
            last = self.written.get(job.name)
            if ran.did or ran.error or last is None or ran.finished_at - last > QUIET:
                write_down(ran)
                self.written[job.name] = ran.finished_at
