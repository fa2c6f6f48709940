"""For machines that watch: is the process alive, and can it serve?"""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from booking import clock
from booking.extensions import db
from booking.model import JobRun

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def alive() -> Response:
    return jsonify(status="ok")


@pages.get("/readyz")
def ready() -> tuple[Response, int]:
    """200 when the database answers and has every migration; the scheduler's age is for information."""
    try:
        with db.engine.connect() as connection:
            migrated = _is_migrated(connection)
            age = _scheduler_age(connection) if migrated else None
    except (DBAPIError, PoolTimeout):
        return jsonify(status="database does not answer", scheduler_age_seconds=None), 503
    status = "ok" if migrated else "migrations pending"
    return jsonify(status=status, scheduler_age_seconds=age), 200 if migrated else 503


def _is_migrated(connection: Connection) -> bool:
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    return set(MigrationContext.configure(connection).get_current_heads()) == set(scripts.get_heads())


def _scheduler_age(connection: Connection) -> float | None:
    """Seconds since a job of the scheduler last finished, or None when none ever did."""
    last = connection.scalar(select(func.max(JobRun.finished_at)))
    return round((clock.now() - last).total_seconds(), 1) if last else None
