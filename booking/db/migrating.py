"""Migrations: whether this code can serve the schema that it finds, and `flask db`, which upgrades it.

Code that meets a newer schema does not know its migrations. The upgrade has left word for it in `schema_compatibility`.
"""

import logging
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import Connection, Engine, column, inspect, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from booking.db import sqlite_file
from booking.extensions import db

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parents[1] / "migrations"
# Named by their numbers, so that asking for the last need not load Alembic, which is a tenth of a web process.
KNOWN = frozenset(step.name.partition("_")[0] for step in (FOLDER / "versions").glob("[0-9]*_*.py"))
NEWEST = max(KNOWN)
PENDING = "migrations pending"
OUTDATED = "this version is too old for the database"
REMEDIES = {PENDING: "run `flask db upgrade`", OUTDATED: "use the version that upgraded it, or a newer one"}
# What the migrations keep for themselves, beside the tables of the model.
STEPS = table("alembic_version", column("version_num"))
COMPATIBILITY = table("schema_compatibility", column("id"), column("oldest_revision"))


def mismatch(connection: Connection) -> str | None:
    """Why this code cannot serve the schema; None where it can."""
    here = set(_revisions(connection))
    if here == {NEWEST}:
        return None
    if here <= KNOWN:
        return PENDING
    return None if _oldest_revision(connection) in KNOWN else OUTDATED


def _revisions(connection: Connection) -> list[str]:
    has_any = inspect(connection).has_table(STEPS.name)
    return list(connection.scalars(select(STEPS.c.version_num))) if has_any else []


def _oldest_revision(connection: Connection) -> str | None:
    has_any = inspect(connection).has_table(COMPATIBILITY.name)
    return connection.scalar(select(COMPATIBILITY.c.oldest_revision)) if has_any else None


def is_in_model(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic should look for it in the model."""
    return kind != "table" or name != COMPATIBILITY.name


def mismatch_now(engine: Engine) -> str | None:
    """The same, on a connection of its own. None also while the database is away."""
    try:
        with engine.connect() as connection:
            return mismatch(connection)
    except (DBAPIError, NoneFree):
        return None


def warn_of_mismatch(engine: Engine) -> None:
    """Log at the start of a process why it will not be ready. It starts all the same: an upgrade may be about to run."""
    if wrong := mismatch_now(engine):
        log.warning("not ready: %s: %s", wrong, REMEDIES[wrong])
    engine.dispose()  # no connection outlives a fork


def refuse_mismatch(engine: Engine) -> None:
    """End a command that cannot work on this schema with a sentence."""
    if wrong := remedy(engine):
        raise click.ClickException(wrong)


def remedy(engine: Engine) -> str | None:
    """What is wrong with this schema and what to do, as a sentence; None where this code can work on it."""
    wrong = mismatch_now(engine)
    return f"{wrong}: {REMEDIES[wrong]}" if wrong else None


def upgrade() -> None:
    """Run the migrations that are missing in the app's database."""
    import flask_migrate  # noqa: PLC0415 - see NEWEST

    flask_migrate.Migrate(current_app, db, directory=str(FOLDER), render_as_batch=True)
    flask_migrate.upgrade()


@click.command("db", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
@with_appcontext
def command(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Perform database migrations."""
    from flask_migrate import Migrate  # noqa: PLC0415 - see NEWEST

    if path := sqlite_file.path_of(db.engine):
        sqlite_file.begin(path)
    Migrate(current_app, db, directory=str(FOLDER), render_as_batch=True)
    steps = current_app.cli.commands["db"]  # Flask-Migrate's own group, which replaces this one
    with steps.make_context("db", list(arguments), parent=context.parent) as inner:
        steps.invoke(inner)
