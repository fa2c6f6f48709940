"""Online DDL: changing tables that are in use, so that nobody who uses them waits for long."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import Connection, text

# A statement that waits for its lock holds up all who come after it: it gives up soon, and is tried again. Once it has
# its lock it takes the time that it needs.
TIMEOUTS = {"lock_timeout": "500ms", "statement_timeout": "0"}


@contextmanager
def timeouts(connection: Connection) -> Iterator[None]:
    """The timeouts of a migration, of the session, since a step may have several transactions or none."""
    if connection.dialect.name == "sqlite":
        yield
        return
    before = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in TIMEOUTS}
    _set(connection, TIMEOUTS)
    try:
        yield
    finally:
        connection.rollback()
        _set(connection, before)


def _set(connection: Connection, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        connection.execute(text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value})
    connection.commit()


def create_index(name: str, table: str, columns: list[str], **options: Any) -> None:
    """Create an index while its table is written to. A step that does this does nothing else: it is no transaction."""
    context = op.get_context()
    if context.dialect.name == "sqlite":
        op.create_index(name, table, columns, **options)
        return
    with context.autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for everybody, and nobody waits for it
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)  # one that was never finished
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)
        op.execute(f"SET lock_timeout = '{TIMEOUTS['lock_timeout']}'")
