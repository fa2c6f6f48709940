"""Runs the migrations on the app's database, or on a connection that a test brings."""

import sqlite3

from alembic import context
from sqlalchemy import Connection

from booking.extensions import db
from booking.model import Base


def migrate(connection: Connection) -> None:
    """All pending steps in one transaction: a migration killed half-way leaves nothing behind."""
    on_sqlite = connection.dialect.name == "sqlite"
    if on_sqlite:
        # Rebuilding a table drops it, and with foreign keys on that would delete what points to it.
        _foreign_keys(connection, "OFF")
    connection = connection.execution_options(write=True)
    if not on_sqlite:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    if on_sqlite:
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
