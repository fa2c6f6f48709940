"""Downtime: times in which no scheduler ran, noticed by the next one that runs, and reported to managers and admins."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.model import JobRun, Outage

# Shorter gaps are normal: a restart, a new leader, a cron that runs every minute.
WORTH_TELLING = timedelta(minutes=5)


def note_outage(session: Session, now: datetime) -> Outage | None:
    """Record that nothing ran since the last job that did, when that was too long."""
    last = session.scalar(select(func.max(func.coalesce(JobRun.seen_at, JobRun.finished_at, JobRun.started_at))))
    if last is None or now - last < WORTH_TELLING:
        return None
    missed = Outage(began_at=last, ended_at=now)
    session.add(missed)
    return missed


def outages_since(session: Session, moment: datetime) -> Sequence[Outage]:
    """The outages that ended later than `moment`, the newest first."""
    return session.scalars(select(Outage).where(Outage.ended_at > moment).order_by(Outage.ended_at.desc())).all()
