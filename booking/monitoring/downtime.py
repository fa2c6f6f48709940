"""Downtime: times in which no scheduler ran, noticed by the next one that runs, and reported to managers and admins."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from booking.db.transactions import advisory_lock, transactional
from booking.model import JobRun, Outage

# Shorter gaps are normal: a restart, a new leader, a cron that runs every minute.
WORTH_TELLING = timedelta(minutes=5)


@transactional
def note_outage(session: Session, now: datetime, jobs: Collection[str]) -> Outage | None:
    """Record that nothing ran since the last job that did, when that was too long; delete what is none of `jobs`."""
    advisory_lock(session, "outage")
    last = session.scalar(select(func.max(func.coalesce(JobRun.seen_at, JobRun.finished_at, JobRun.started_at))))
    # Jobs of an older version: nobody runs them, so they would be late for ever.
    session.execute(delete(JobRun).where(JobRun.name.not_in(jobs)))
    if last is None or now - last < WORTH_TELLING:
        return None
    missed = Outage(began_at=last, ended_at=now)
    session.add(missed)
    return missed


def outages_since(session: Session, moment: datetime) -> Sequence[Outage]:
    """The outages that ended later than `moment`, the newest first."""
    return session.scalars(select(Outage).where(Outage.ended_at > moment).order_by(Outage.ended_at.desc())).all()
