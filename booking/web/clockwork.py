"""How the scheduler and the mail are doing, for the pages of managers and admins alike."""

from datetime import datetime, timedelta
from typing import Any

from booking import clock, watch
from booking.extensions import db
from booking.mail import queue
from booking.mail.words import JOBS, LETTERS

OUTAGES_SHOWN_FOR = timedelta(days=7)


def late_since() -> datetime | None:
    """Since when the scheduler is overdue, for the banner of every page; None when it is on time."""
    return watch.late_since(db.session(), clock.now())


def running(station_id: int | None = None) -> dict[str, Any]:
    """What a page about the jobs shows: of one station, or of all."""
    session, now = db.session(), clock.now()
    return {
        "jobs": watch.jobs(session, now, queue.backlog(session, now)),
        "outages": watch.outages_since(session, now - OUTAGES_SHOWN_FOR),
        "aside": watch.listed(session, station_id),
        "failed": queue.failed(session, now, station_id),
        "job_names": JOBS,
        "letter_names": LETTERS,
    }
