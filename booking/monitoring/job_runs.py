"""Job runs: what each job did last, its backlog, when it runs next, and whether it is late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import slots
from booking.db.transactions import transactional
from booking.model import JobRun, Person

# Tolerance beyond a job's interval: cron runs once a minute, and an idle run is not recorded.
PATIENCE = timedelta(seconds=90)


@dataclass(frozen=True)
class JobState:
    """One job as it is shown. `backlog` is what is due and not done, None where it is not counted."""

    name: str
    started_at: datetime
    seen_at: datetime
    length: timedelta | None
    next_at: datetime
    late: bool
    did: int
    error: str
    backlog: int | None


def jobs(session: Session, now: datetime, backlog: Mapping[str, int]) -> list[JobState]:
    """Every job that ever ran, the most frequent first."""
    rows = session.scalars(select(JobRun).order_by(JobRun.every, JobRun.name)).all()
    return [_state(row, now, backlog.get(row.name)) for row in rows]


def late_since(session: Session, now: datetime) -> datetime | None:
    """Since when the latest job is overdue; None when all are on time. Where none ever ran: since the first account."""
    rows = session.scalars(select(JobRun)).all()
    if not rows:
        begun = session.scalar(select(Person.created_at).order_by(Person.id).limit(1))
        return begun if begun and now - begun > PATIENCE else None
    return min((_seen(row) for row in rows if _is_late(row, now)), default=None)


def slot_backlog(session: Session, now: datetime) -> dict[str, int]:
    """For each job the number of slots that it should have processed by now."""
    asked = {
        "open_slots": slots.to_open,
        "start_slots": slots.to_start,
        "promote": slots.to_promote,
        "release_no_shows": slots.to_release,
        "finish_slots": slots.to_finish,
    }
    return {job: len(due(session, now)) for job, due in asked.items()}


@transactional
def write_down(
    session: Session, name: str, every: int, started_at: datetime, finished_at: datetime, did: int, error: str
) -> None:
    """Record the last run of a job."""
    session.merge(
        JobRun(
            name=name,
            every=every,
            started_at=started_at,
            finished_at=finished_at,
            seen_at=finished_at,
            did=did,
            error=error[:300],
        )
    )


def found_nothing(session: Session, name: str) -> datetime | None:
    """When the last run of a job began, if it succeeded and there was nothing to do."""
    row = session.get(JobRun, name)
    return row.started_at if row and row.finished_at and not row.did and not row.error else None


@transactional
def beat(session: Session, running: Mapping[str, tuple[int, datetime]], now: datetime) -> None:
    """Heartbeat: these jobs (interval and start, by name) are running now, so a long run does not count as late."""
    for name, (every, started_at) in running.items():
        session.merge(JobRun(name=name, every=every, started_at=started_at, finished_at=None, seen_at=now))


def _state(row: JobRun, now: datetime, backlog: int | None) -> JobState:
    length = row.finished_at - row.started_at if row.finished_at else None
    next_at = row.started_at + timedelta(seconds=row.every)
    return JobState(
        row.name, row.started_at, _seen(row), length, max(next_at, now), _is_late(row, now), row.did, row.error, backlog
    )


def _is_late(row: JobRun, now: datetime) -> bool:
    return now - _seen(row) > timedelta(seconds=row.every) + PATIENCE


def _seen(row: JobRun) -> datetime:
    return row.seen_at or row.finished_at or row.started_at
