"""Connections: what every new connection of an engine is set to, and which errors mean that it is of no use any more."""

import re
from contextlib import suppress
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from config import BadSetting

# read_only_sql_transaction: the server has become a standby, or somebody has stopped all writes.
READ_ONLY = "25006"
# Where the server says that a prepared statement's columns have changed their types. It will say so for ever.
STALE_PLAN = "RevalidateCachedQuery"
# libpq's names, and those of the server's settings that do the same at its end of the connection
BOTH_ENDS = {
    "keepalives_idle": "tcp_keepalives_idle",
    "keepalives_interval": "tcp_keepalives_interval",
    "keepalives_count": "tcp_keepalives_count",
    "tcp_user_timeout": "tcp_user_timeout",
}
QUOTED = re.compile(r'".*"', re.DOTALL)
LOOKS = 5  # at a pooler, which others may use at the same moment
TRANSACTION_POOLING = (
    "DATABASE_URL leads to a pooler that gives each transaction another connection, so that settings and locks end up"
    " with strangers: set pool_mode = session in PgBouncer, or name PostgreSQL itself"
)


def configure_engine(engine: Engine) -> None:
    """Give every connection of `engine` the settings that the rules rely on."""
    event.listen(engine, "handle_error", _hide_values)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return
    settings = engine.get_execution_options().get("session_settings", {})
    event.listen(engine, "first_connect", lambda driver, _record: _refuse_transaction_pooling(engine, driver))
    event.listen(engine, "connect", lambda driver, _record: _make_settings(driver, settings))
    event.listen(engine, "handle_error", _lose_useless)


def check_pooling(engine: Engine) -> None:
    """Stop the start where the rules could not hold. A database that is away is looked at when it is back."""
    if engine.dialect.name == "postgresql":
        with suppress(DBAPIError):
            engine.connect().close()
        engine.dispose()  # no connection outlives a fork


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that becomes a writer midway fails at once instead of waiting.
    writes = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refuse_transaction_pooling(engine: Engine, driver: psycopg.Connection[Any]) -> None:
    driver.autocommit = True
    pid = _pid(driver)
    if pid != driver.info.backend_pid and _pools_transactions(engine, driver, pid):
        raise BadSetting(TRANSACTION_POOLING)
    driver.autocommit = False


def _pools_transactions(engine: Engine, driver: psycopg.Connection[Any], pid: int) -> bool:
    """Whether a pooler gives our server process to somebody else who asks between two transactions of ours."""
    where, parameters = engine.dialect.create_connect_args(engine.url)
    try:
        with psycopg.connect(*where, **{**parameters, "connect_timeout": 3}) as other:
            for _ in range(LOOKS):
                with other.transaction():
                    if pid == _pid(other) or pid != _pid(driver):
                        return True
    except psycopg.errors.ProtocolViolation:  # it pools statements, and allows no transactions at all
        return True
    return False


def _pid(driver: psycopg.Connection[Any]) -> int:
    ((pid,),) = driver.execute("SELECT pg_backend_pid()").fetchall()
    return int(pid)


def _make_settings(driver: psycopg.Connection[Any], settings: dict[str, str]) -> None:
    """Make the settings of the session by a statement: PgBouncer refuses the start-up parameter `options`."""
    given = driver.info.get_parameters()
    settings = settings | {there: given[here] for here, there in BOTH_ENDS.items() if here in given}
    driver.autocommit = True
    set_all = ", ".join("set_config(%s, %s, false)" for _ in settings)
    driver.execute(f"SELECT {set_all}".encode(), [part for setting in settings.items() for part in setting])
    driver.autocommit = False


def refuses_writes(connection: Connection) -> bool:
    """Whether the server refuses all writes of this connection, as a standby does."""
    return connection.dialect.name == "postgresql" and connection.scalar(text("SHOW transaction_read_only")) == "on"


def is_useless(error: BaseException | None) -> bool:
    """Whether the error says that its connection answers, but is of no use any more.

    The next one may lead to a server that writes, and prepares its statements for the tables as they are now.
    """
    diagnosis = getattr(error, "diag", None)
    return getattr(error, "sqlstate", None) == READ_ONLY or getattr(diagnosis, "source_function", None) == STALE_PLAN


def _lose_useless(context: ExceptionContext) -> None:
    """Count it as a lost connection."""
    context.is_disconnect = context.is_disconnect or is_useless(context.original_exception)


def hide_values(error: BaseException) -> None:
    """Cut an error of PostgreSQL to what is wrong: its DETAIL, and what it quotes of wrong data, are people's data."""
    said = getattr(getattr(error, "diag", None), "message_primary", None)
    if said:
        is_data = (getattr(error, "sqlstate", None) or "").startswith("22")
        error.args = (QUOTED.sub('"…"', said) if is_data else said,)


def _hide_values(context: ExceptionContext) -> None:
    """The same in the error that SQLAlchemy has made of the driver's."""
    whole, raised = str(context.original_exception), context.sqlalchemy_exception
    hide_values(context.original_exception)
    if raised is not None:
        said = str(context.original_exception)
        raised.args = tuple(one.replace(whole, said) if isinstance(one, str) else one for one in raised.args)
