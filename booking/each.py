"""Array parameters: many values as one JSON parameter: a thousand parameters would cost more than the query."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, Select, Text, cast, column, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from booking.swift import given


def among(ids: Collection[int]) -> Select[int]:
    """The ids as a subquery, for `column.in_(…)`."""
    return _numbers(each(list(ids)))


def among_given(name: str) -> Select[int]:
    """The same with a bind parameter: the ids are given as a list by this name."""
    return _numbers(_rows(given(name, JSON())))


def each(rows: Sequence[Any]) -> Any:
    """Rows as a table of one column: one parameter, however many there are."""
    return _rows(literal(rows, JSON))


def _rows(array: ColumnElement[Any]) -> Any:
    return Each(array).table_valued(column("value", JSON)).c.value


def _numbers(rows: Any) -> Select[int]:
    return select(cast(cast(rows, Text), BigInteger))


def written(moment: datetime | None) -> str | None:
    """An instant as text in such a row, for `Instant`; in SQLite's stored form."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" if moment else None


class Instant(FunctionElement[datetime]):
    """Text from `written` as an instant: PostgreSQL casts it, and our connections are in UTC."""

    inherit_cache = True
    name = "instant"


class Each(FunctionElement[Any]):
    """The elements of a JSON array, as rows."""

    inherit_cache = True
    name = "each"


@compiles(Each, "postgresql")
def _by_postgresql(element: Each, compiler: Any, **how: Any) -> str:
    return f"json_array_elements({compiler.process(element.clauses, **how)})"


@compiles(Each, "sqlite")
def _by_sqlite(element: Each, compiler: Any, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(Instant, "postgresql")
def _cast_by_postgresql(text: Instant, compiler: Any, **how: Any) -> str:
    return f"CAST({compiler.process(text.clauses, **how)} AS TIMESTAMP WITH TIME ZONE)"


@compiles(Instant, "sqlite")
def _left_by_sqlite(text: Instant, compiler: Any, **how: Any) -> str:
    return str(compiler.process(text.clauses, **how))
