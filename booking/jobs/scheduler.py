"""Scheduler: the process that waits until it is the leader, then runs each job at its interval."""

import atexit
import gc
import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from booking import clock
from booking.db import migrating, sqlite_file
from booking.extensions import db
from booking.jobs import leader_election, metrics
from booking.jobs.batches import Turn
from booking.jobs.runner import in_order, note_outage, run, say_alive, write_down
from booking.jobs.schedule import CATCH_UP, TIMETABLE, Job

LOOK_EVERY = 1
# Runs of a job that did nothing are recorded no more often than this.
QUIET = timedelta(seconds=15)


def scheduler(app: Flask, say: Callable[[str], object]) -> None:
    """Run the jobs whenever this process leads, until SIGTERM or Ctrl-C. `say` is told when that changes."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns whenever a job is still running
    gc.set_threshold(700, 10, 10)  # it may be slower than a web process, and stays smaller
    ending = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ending.set())
    with app.app_context():
        if path := sqlite_file.check(db.engine):
            atexit.register(_end, app, path)  # by then the jobs that still ran have ended
        me = leader_election.candidate(db.engine, Path(app.instance_path))
    leading_now = threading.Event()
    with metrics.served(app, leading_now.is_set):
        _take_turns(app, me, ending, leading_now, say)
    me.release()


def _end(app: Flask, path: Path) -> None:
    with app.app_context():
        db.engine.dispose()
    sqlite_file.checkpoint(path)


def _take_turns(
    app: Flask,
    me: leader_election.Candidate,
    ending: threading.Event,
    leading_now: threading.Event,
    say: Callable[[str], object],
) -> None:
    said = ""
    while not ending.is_set():
        wrong = None
        leads = me.acquire()
        if leads and (wrong := _mismatch(app)):
            me.release()
            leads = False
        if said != (news := "leads" if leads else f"waits: {wrong}" if wrong else "waits"):
            said = news
            say(f"scheduler {os.getpid()} {news}")
        if leads:
            leading_now.set()
            Watch(app, me, ending).keep()
            leading_now.clear()
            me.release()
            said = ""
        ending.wait(LOOK_EVERY)


def _mismatch(app: Flask) -> str | None:
    """Why the jobs of this code cannot run on the schema: they would fail, where another scheduler's may not."""
    with app.app_context():
        return migrating.mismatch_now(db.engine)


class Watch:
    """One period of leadership."""

    def __init__(self, app: Flask, me: leader_election.Candidate, ending: threading.Event) -> None:
        self.app = app
        self.me = me
        self.ending = ending
        self.over = threading.Event()
        self.written: dict[str, datetime] = {}
        self.running: dict[str, tuple[int, datetime]] = {}
        # One thread for each job and one for the heartbeat: a slow job delays no other.
        threads = ThreadPoolExecutor(len(TIMETABLE) + 1)
        self.clockwork = BackgroundScheduler(timezone=UTC, executors={"default": threads})

    def keep(self) -> None:
        """Run the jobs until this process should end or no longer leads."""
        with self.app.app_context():
            if note_outage():
                in_order(CATCH_UP, clock.now(), self.ending.is_set)
        pace = {"trigger": "interval", "coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        for job in TIMETABLE:
            begins = clock.on_this_host()
            self.clockwork.add_job(self.run, args=(job,), seconds=job.every, next_run_time=begins, **pace)
        self.clockwork.add_job(self.beat, seconds=QUIET.seconds, **pace)
        self.clockwork.start()
        while not self.ending.wait(LOOK_EVERY) and self.me.holds() and not _mismatch(self.app):
            self.mend_pace(clock.on_this_host())
        self.over.set()
        self.clockwork.shutdown(wait=False)

    def mend_pace(self, now: datetime) -> None:
        """Run at once what would rest for longer than its interval: this host's clock was set back."""
        for job in self.clockwork.get_jobs():
            if job.next_run_time > now + job.trigger.interval:
                job.modify(next_run_time=now)

    def beat(self) -> None:
        """Heartbeat: record which jobs have been running for long, so that they do not count as late."""
        since = clock.now() - QUIET
        long = {name: (every, began) for name, (every, began) in dict(self.running).items() if began < since}
        with self.app.app_context():
            say_alive(long)

    def run(self, job: Job) -> None:
        with self.app.app_context():
            self.running[job.name] = (job.every, clock.now())
            ran = run(job, Turn(clock.now(), self.over.is_set))
            del self.running[job.name]
            last = self.written.get(job.name)
            if ran.did or ran.error or last is None or abs(ran.finished_at - last) > QUIET:
                write_down(ran)
                self.written[job.name] = ran.finished_at
