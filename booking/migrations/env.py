"""Runs the migrations on the app's database, or on a connection that a test brings."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic, sleep
from typing import Any

import click
from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import DBAPIError

from booking.db import migrating, online_ddl, transactions, upgrade_lock
from booking.extensions import db
from booking.model import Base

FIRST_RECORDED = "0011"  # which makes the table
PATIENCE = 600  # seconds to try for a lock, at most
PAUSE = 2  # between two tries, for those who use the table
say = partial(click.echo, err=True)


def migrate(connection: Connection) -> None:
    """All pending steps, one transaction each: one that is killed leaves nothing behind, and no lock outlasts its step."""
    with upgrade_lock.held(connection, say), _foreign_keys_off(connection), online_ddl.timeouts(connection):
        context.configure(
            connection=connection.execution_options(write=True),
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            include_name=migrating.is_in_model,
            transactional_ddl=True,
            transaction_per_migration=True,
            on_version_apply=_record,  # type: ignore[arg-type] # it is called by keywords
        )
        _run(connection)
        connection.commit()


def _run(connection: Connection) -> None:
    """Run the steps. One that does not get its locks is undone and tried again, while others use the tables."""
    deadline, said = monotonic() + PATIENCE, False
    while True:
        try:
            if not _is_upgraded_by_newer_code(connection):
                with context.begin_transaction():
                    context.run_migrations()
        except DBAPIError as error:
            connection.rollback()
            if error.connection_invalidated or not transactions.is_transient(error) or monotonic() > deadline:
                raise
        else:
            return
        if not said:
            say("Somebody holds what is to be changed: trying again until it is free")
        said = True
        sleep(PAUSE)


def _is_upgraded_by_newer_code(connection: Connection) -> bool:
    """Whether there is nothing that this code could do. Raises where it cannot serve the result either."""
    steps = context.get_context()
    if context.is_offline_mode() or steps.opts.get("destination_rev") not in ("head", "heads"):
        return False
    newer = not set(steps.get_current_heads()) <= migrating.KNOWN
    if newer:
        if wrong := migrating.mismatch(connection):
            raise click.ClickException(f"{wrong}: {migrating.REMEDIES[wrong]}")
        say("Nothing to do: a newer version has upgraded the database, and this version can serve it")
    connection.rollback()
    return newer


def _record(*, ctx: MigrationContext, heads: set[str], **_step: Any) -> None:
    """Tell code that does not know this step whether it may go on, in the step's own transaction."""
    passed = list(context.script.iterate_revisions(tuple(heads), "base"))
    if all(step.revision != FIRST_RECORDED for step in passed):
        return
    contracts = [step for step in passed if step.module.kind == "contract"]
    oldest = max(getattr(step.module, "oldest_revision", step.revision) for step in contracts)
    ctx.impl.execute(delete(migrating.COMPATIBILITY))
    ctx.impl.execute(insert(migrating.COMPATIBILITY).values(id=1, oldest_revision=oldest))


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Rebuilding a table on SQLite drops it, and with foreign keys on that would delete what points to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    _foreign_keys(connection, "OFF")
    try:
        yield
    finally:
        connection.rollback()
        _foreign_keys(connection, "ON")


def _foreign_keys(connection: Connection, switch: str) -> None:
    """The pragma counts only outside a transaction, so it goes past SQLAlchemy."""
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.execute(f"PRAGMA foreign_keys={switch}")


given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    migrate(given)
else:
    with (given or db.engine).connect() as fresh:
        migrate(fresh)
