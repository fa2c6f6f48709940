"""Job status: how the scheduler and the mail are doing, for the pages of managers and admins.

An error's text may hold other people's data: SQL with a name, an address, another station's ids. An admin reads all of
it; a manager reads the first line of their own rows, without addresses.
"""

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from booking import clock, monitoring
from booking.extensions import db
from booking.mail import backlog, backoff, bounces, held
from booking.mail.wording import JOBS, LETTERS

OUTAGES_SHOWN_FOR = timedelta(days=7)
ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")


def late_since() -> datetime | None:
    """Since when the scheduler is overdue, for the banner of every page; None when it is on time."""
    return monitoring.late_since(db.session(), clock.now())


class MailPaused(NamedTuple):
    """Why no mail is sent: a kind of `MailPause`; `until` is None when the next letter is a new attempt."""

    kind: str
    since: datetime
    until: datetime | None
    reply: str

    @property
    def cause(self) -> str:
        """The kind, with the server's certificate apart from the other settings."""
        return "certificate" if "CERTIFICATE_VERIFY_FAILED" in self.reply else self.kind

    @property
    def needs_a_person(self) -> bool:
        return self.kind in backoff.NEEDS_A_PERSON


def mail_paused() -> MailPaused | None:
    """Why mail is paused, for the pages about jobs and the admins' banner; None when it is not."""
    if pause := backoff.shown(db.session()):
        until = pause.until if backoff.rests(pause, clock.now()) else None
        return MailPaused(pause.kind, pause.since, until, pause.reply)
    return None


def letters_held() -> int:
    """How many letters wait for an admin after a restore, for the admins' banner."""
    return held.count(db.session())


def running(station_id: int | None = None) -> dict[str, Any]:
    """The context of a page about jobs: of one station, or of all."""
    session, now = db.session(), clock.now()
    came_back = bounces.lately(session, now) if station_id is None else {}
    return {
        "jobs": monitoring.jobs(session, now, backlog.backlog(session, now)),
        "outages": monitoring.outages_since(session, now - OUTAGES_SHOWN_FOR),
        "paused": mail_paused(),
        "clock_ahead": clock.ahead() if clock.is_off() else 0,
        "aside": monitoring.listed(session, station_id),
        "bounces": came_back,
        "unreached": bounces.unreached(session, station_id),
        "failed": backlog.failed(session, now, station_id),
        "job_names": JOBS,
        "is_about_slot": monitoring.is_about_slot,
        "letter_names": LETTERS,
        "told": str if station_id is None else first_line,
        "whole": station_id is None,
    }


def first_line(error: str) -> str:
    """The part of an error's text that a manager may read."""
    return ADDRESS.sub("…", error.partition("\n")[0])
