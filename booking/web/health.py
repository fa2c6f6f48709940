"""Health checks for monitoring: liveness (is the process alive) and readiness (can it serve)."""

from collections.abc import Callable
from datetime import datetime
from threading import Condition
from typing import Any

from cachetools import TTLCache, cached
from flask import Blueprint, Flask, Response, current_app, jsonify
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from booking import clock, monitoring
from booking.db import connections, migrating
from booking.extensions import db
from booking.mail import backlog, backoff
from booking.model import MailPause

pages = Blueprint("health", __name__)

Answer = tuple[dict[str, Any], int]
NOTHING_KNOWN: dict[str, Any] = {"scheduler_age_seconds": None, "late": None, "mail": None, "jobs": {}}


@pages.get("/healthz")
def alive() -> Response:
    return jsonify(status="ok")


@pages.get("/readyz")
def ready() -> tuple[Response, int]:
    """Readiness: 200 when the database answers, takes writes and has a schema that this code can serve.

    The scheduler is for information. Asked of the database at most once in CACHE_POLL_SECONDS, however many ask: anybody may.
    """
    answer: Callable[[], Answer] = current_app.extensions["readiness"]
    told, status = answer()
    return jsonify(**told, clock_offset_seconds=clock.ahead(), clock_off=clock.is_off()), status


def register(app: Flask) -> None:
    app.register_blueprint(pages)
    # With a condition, one thread asks and the others wait for its answer.
    recent: TTLCache[Any, Answer] = TTLCache(1, app.config["CACHE_POLL_SECONDS"])
    app.extensions["readiness"] = cached(recent, condition=Condition())(_ready)


def _ready() -> Answer:
    try:
        with db.engine.connect() as connection:
            if connections.refuses_writes(connection):
                return {"status": "database is read-only", **NOTHING_KNOWN}, 503
            if wrong := migrating.mismatch(connection):
                return {"status": wrong, **NOTHING_KNOWN}, 503
            return {"status": "ok", **_scheduler(Session(connection))}, 200
    except (DBAPIError, PoolTimeout):
        return {"status": "database does not answer", **NOTHING_KNOWN}, 503


def _scheduler(session: Session) -> dict[str, Any]:
    """Seconds since the scheduler was last seen (None if never), and each job. Without error texts."""
    now = clock.now()
    jobs = monitoring.jobs(session, now, backlog.backlog(session, now))
    seen = max((job.seen_at for job in jobs), default=None)
    return {
        "scheduler_age_seconds": round((now - seen).total_seconds(), 1) if seen else None,
        "late": any(job.late for job in jobs),
        "mail": _paused(backoff.shown(session), now),
        "jobs": {job.name: _told(job) for job in jobs},
    }


def _paused(pause: MailPause | None, now: datetime) -> dict[str, Any] | None:
    """Why mail is paused; None when it is not."""
    if pause is None:
        return None
    until = pause.until.isoformat() if backoff.rests(pause, now) else None
    return {"kind": pause.kind, "since": pause.since.isoformat(), "rests_until": until}


def _told(job: monitoring.JobState) -> dict[str, Any]:
    return {
        "last_run": job.started_at.isoformat(),
        "seconds": job.length.total_seconds() if job.length is not None else None,
        "backlog": job.backlog,
        "next_run": job.next_at.isoformat(),
        "late": job.late,
        "failed": bool(job.error),
    }
