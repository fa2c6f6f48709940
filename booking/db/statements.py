"""Compiled statements: SQL compiled once and sent straight to the driver, for the moment when everybody books.

A booking costs several milliseconds in the ORM and one in the database; here the same statement, written in SQLAlchemy,
costs what the driver costs.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, cast

from psycopg import RawCursor
from sqlalchemy import BindParameter, Connection, DateTime, Dialect, Insert, Update, bindparam, literal, select
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, Executable
from sqlalchemy.types import TypeEngine

from booking.db.connections import hide_values, is_useless
from booking.telemetry import slow_statements

Row = tuple[Any, ...]
# $1, as PostgreSQL itself names what a statement is given
NUMBERED = psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
Convert = Callable[[Any], Any] | None


def defaults(table: type[DeclarativeBase]) -> dict[str, Any]:
    """The scalar defaults of a table's columns, for an INSERT that must name them."""
    columns = table.__table__.columns
    return {c.name: c.default.arg for c in columns if c.default is not None and c.default.is_scalar}


def param(name: str, kind: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """A bind parameter that `run` gets by this name."""
    return bindparam(name, None, kind)


class DriverConnection:
    """A driver connection, its dialect, and whether it is inside a transaction of the session."""

    def __init__(self, driver: Any, dialect: Dialect, *, inside: bool = False) -> None:
        self.driver = driver
        self.dialect = dialect
        self.inside = inside

    @property
    def has_writable_cte(self) -> bool:
        """Whether one statement may write to several tables (writable CTEs)."""
        return self.dialect.name == "postgresql"

    def send(self, text: str) -> None:
        """Execute a statement without values and rows, such as BEGIN."""
        with self.translate_errors(text):
            self.driver.execute(text)

    @contextmanager
    def translate_errors(self, text: str) -> Iterator[None]:
        """Translate the driver's errors to SQLAlchemy's."""
        try:
            yield
        except Exception as error:
            raise _translated(error, text, self) from error


class CompiledStatement:
    """`run(connection, **values)` executes it and returns its rows as tuples, with the types of the model."""

    def __init__(self, statement: Executable) -> None:
        self._statement = cast("ClauseElement", statement)
        self._ready: dict[str, DialectStatement] = {}

    def run(self, connection: DriverConnection, **values: Any) -> Sequence[Row]:
        return self._compiled(connection).run(connection, values)

    def _compiled(self, connection: DriverConnection) -> "DialectStatement":
        ready = self._ready.get(connection.dialect.name)
        if ready is None:
            ready = self._ready[connection.dialect.name] = DialectStatement(self._statement, connection.dialect)
        return ready


class WriteAll:
    """Independent writes: one statement with several CTEs where possible, else one after the other.

    Their order matters only where they are executed one after the other, as on SQLite.
    """

    def __init__(self, *writes: Insert | Update) -> None:
        self._steps = [CompiledStatement(write) for write in writes]
        self._fused = CompiledStatement(
            select(literal(1)).add_cte(*(one.cte(f"write{n}") for n, one in enumerate(writes)))
        )

    def run(self, connection: DriverConnection, **values: Any) -> None:
        for statement in [self._fused] if connection.has_writable_cte else self._steps:
            statement.run(connection, **values)


class DialectStatement:
    """A statement compiled for one dialect."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        in_order = NUMBERED if dialect.name == "postgresql" else dialect
        compiled = statement.compile(dialect=in_order, compile_kwargs={"render_postcompile": True})
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("only statements have rows and values")
        self.text = str(compiled)
        self.names = compiled.positiontup or []
        self.cursor = RawCursor if dialect.name == "postgresql" else sqlite3.Cursor
        self.fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self.binds = _converters(
            compiled.binds.items(), lambda bind: bind.type.dialect_impl(dialect).bind_processor(dialect)
        )
        columns: Any = getattr(statement, "selected_columns", None) or getattr(statement, "exported_columns", ())
        self.has_rows = bool(columns)
        readers = ((place, _reader(column.type, dialect)) for place, column in enumerate(columns))
        self.results = [(place, convert) for place, convert in readers if convert]

    def run(self, connection: DriverConnection, values: Mapping[str, Any]) -> Sequence[Row]:
        param, began = self._given(values), perf_counter()
        try:
            rows = self._send(connection, param)
        except Exception as error:
            raise _translated(error, self.text, connection) from error
        slow_statements.ended(self.text, began)
        return [self._read(row) for row in rows] if self.results else rows

    def _given(self, values: Mapping[str, Any]) -> dict[str, Any]:
        param = {**self.fixed, **values}
        for name, convert in self.binds:
            if name in param:
                param[name] = convert(param[name])
        return param

    def _send(self, connection: DriverConnection, param: dict[str, Any]) -> list[Row]:
        cursor = self.cursor(connection.driver).execute(self.text, [param[name] for name in self.names])
        return cursor.fetchall() if self.has_rows else []

    def _read(self, row: Row) -> Row:
        values = list(row)
        for place, convert in self.results:
            values[place] = convert(values[place])
        return tuple(values)


def _converters(items: Any, processor: Callable[[Any], Convert]) -> list[tuple[str, Callable[[Any], Any]]]:
    found = ((name, processor(item)) for name, item in items)
    return [(name, convert) for name, convert in found if convert]


def _reader(kind: Any, dialect: Dialect) -> Convert:
    if dialect.name == "postgresql" and isinstance(getattr(kind, "impl", kind), DateTime):
        return None  # already aware, and in UTC, which is the zone of our connections
    convert: Convert = kind.dialect_impl(dialect).result_processor(dialect, None)
    return convert


def _translated(error: Exception, text: str, connection: DriverConnection) -> Exception:
    """The error as SQLAlchemy would raise it."""
    if not isinstance(error, connection.dialect.loaded_dbapi.Error):
        return error
    hide_values(error)
    gone = connection.dialect.is_disconnect(error, connection.driver, None) or is_useless(error)
    return cast(
        "Exception",
        DBAPIError.instance(text, None, error, connection.dialect.loaded_dbapi.Error, connection_invalidated=gone),
    )


def wrap(connection: Connection) -> DriverConnection:
    """A driver connection inside the transaction of `connection`."""
    return DriverConnection(connection.connection.driver_connection, connection.dialect, inside=True)
