"""Runner: runs one job: its failure stops no other, and the result is recorded."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from booking import clock, monitoring
from booking.extensions import db
from booking.jobs.batches import PASSING, PartlyDone, Turn, no_stop
from booking.jobs.schedule import TIMETABLE, Job

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ran:
    """The result of one run of a job; `error` is empty when all went well."""

    name: str
    every: int
    started_at: datetime
    finished_at: datetime
    did: int
    error: str = ""


def tick(now: datetime) -> list[Ran]:
    """Everything that is due at `now`, once, in order."""
    note_outage()
    return in_order(TIMETABLE, now)


def in_order(jobs: Sequence[Job], now: datetime, stop: Callable[[], bool] = no_stop) -> list[Ran]:
    """Run each of these jobs once, one after the other."""
    told = []
    for job in jobs:
        ran = run(job, Turn(now, stop))
        write_down(ran)
        told.append(ran)
    return told


def run(job: Job, turn: Turn) -> Ran:
    """Run a job. Errors are returned in the result, not raised: the other jobs go on."""
    started_at = clock.now()
    did, error = 0, ""
    try:
        did = job.work(turn)
    except PartlyDone as partly:
        did, error = partly.did, str(partly)
    except Exception as wrong:  # noqa: BLE001 - it is logged
        _tell(f"job {job.name} failed", wrong)
        error = f"{type(wrong).__name__}: {wrong}"
    finally:
        db.session.remove()
    return Ran(job.name, job.every, started_at, clock.now(), did, error[:300])


def note_outage() -> bool:
    """Record an outage if no scheduler ran for a while, so that people know why things are late.

    Returns whether there was one.
    """
    missed = None
    try:
        missed = monitoring.note_outage(db.session, clock.now(), [job.name for job in TIMETABLE])
        if missed:
            log.warning("no scheduler ran from %s to %s: catching up", missed.began_at, missed.ended_at)
    except SQLAlchemyError as wrong:
        _tell("an outage could not be written down", wrong)
    finally:
        db.session.remove()
    return missed is not None


def write_down(ran: Ran) -> None:
    """Record the last run of a job, for monitoring."""
    try:
        monitoring.write_down(db.session, **vars(ran))
    except SQLAlchemyError as wrong:
        _tell(f"the run of {ran.name} could not be written down", wrong)
    finally:
        db.session.remove()


def say_alive(running: Mapping[str, tuple[int, datetime]]) -> None:
    """Heartbeat: record that these jobs (interval and start, by name) are running."""
    if not running:
        return
    try:
        monitoring.beat(db.session, running, clock.now())
    except SQLAlchemyError as wrong:
        _tell("running jobs could not be written down", wrong)
    finally:
        db.session.remove()


def _tell(what: str, wrong: Exception) -> None:
    """Log a failure. Where the database is away, full or read-only, its own line says more than our stack."""
    if isinstance(wrong, PASSING):
        log.error("%s: %s", what, str(getattr(wrong, "orig", wrong)).partition("\n")[0])
    else:
        log.error(what, exc_info=wrong)
