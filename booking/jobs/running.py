"""Running one job: it fails alone, and what it did is written down."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from booking import clock, store
from booking.extensions import db
from booking.jobs.timetable import TIMETABLE, Job, PartlyDone, Turn
from booking.model import JobRun

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ran:
    """What one run of a job did; `error` is empty when all went well."""

    name: str
    started_at: datetime
    finished_at: datetime
    did: int
    error: str = ""


def tick(now: datetime) -> list[Ran]:
    """Everything that is due at `now`, once, in order."""
    told = []
    for job in TIMETABLE:
        ran = run(job, Turn(now))
        write_down(ran)
        told.append(ran)
    return told


def run(job: Job, turn: Turn) -> Ran:
    """Run a job. Whatever goes wrong in it is told, not raised: the other jobs go on."""
    started_at = clock.now()
    did, error = 0, ""
    try:
        did = job.work(turn)
    except PartlyDone as partly:
        did, error = partly.did, str(partly)
    except Exception as wrong:
        log.exception("job %s failed", job.name)
        error = f"{type(wrong).__name__}: {wrong}"
    finally:
        db.session.remove()
    return Ran(job.name, started_at, clock.now(), did, error[:300])


def write_down(ran: Ran) -> None:
    """Keep the last run of each job, for the people who watch."""
    try:
        with store.transaction(db.session) as session:
            session.merge(JobRun(**vars(ran)))
    except SQLAlchemyError:
        log.exception("the run of %s could not be written down", ran.name)
    finally:
        db.session.remove()
