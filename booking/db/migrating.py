"""Migrations: whether the schema is the one that this code needs, and `flask db`, which upgrades it."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import Connection, column, inspect, select, table

from booking.extensions import db

FOLDER = Path(__file__).parents[1] / "migrations"
# Named by their numbers, so that asking for the last need not load Alembic, which is a tenth of a web process.
KNOWN = frozenset(step.name.partition("_")[0] for step in (FOLDER / "versions").glob("[0-9]*_*.py"))
NEWEST = max(KNOWN)
_STEPS = table("alembic_version", column("version_num"))


def is_done(connection: Connection) -> bool:
    """Whether every migration has been run."""
    if not inspect(connection).has_table(_STEPS.name):
        return False
    return connection.scalars(select(_STEPS.c.version_num)).all() == [NEWEST]


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

    Migrate(current_app, db, directory=str(FOLDER), render_as_batch=True)
    steps = current_app.cli.commands["db"]  # Flask-Migrate's own group, which replaces this one
    with steps.make_context("db", list(arguments), parent=context.parent) as inner:
        steps.invoke(inner)
