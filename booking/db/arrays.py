"""Array parameters: many values as one JSON parameter: a thousand parameters would cost more than the query."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    Insert,
    Integer,
    Select,
    Text,
    TypeDecorator,
    Update,
    cast,
    column,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from booking.db.statements import defaults, param
from booking.model.base import UtcDateTime


def in_array(ids: Collection[int]) -> Select[int]:
    """The ids as a subquery, for `column.in_(…)`."""
    return _numbers(unnest(list(ids)))


def in_array_param(name: str) -> Select[int]:
    """The same with a bind parameter: the ids are given as a list by this name."""
    return _numbers(unnest_param(name))


def is_in_array(number: Any, name: str) -> ColumnElement[bool]:
    """Whether `number`, a column, is one of the ids given as a list by this name. A condition for an index, not a join."""
    return IsInArray(number, param(name, Ids()))


def unnest_param(name: str) -> Any:
    """Rows as a table of one column, given as a list by this name."""
    return _rows(param(name, JSON()))


def unnest(rows: Sequence[Any]) -> Any:
    """Rows as a table of one column: one parameter, however many there are."""
    return _rows(literal(rows, JSON))


def _rows(array: ColumnElement[Any]) -> Any:
    return Unnest(array).table_valued(column("value", JSON)).c.value


def _numbers(rows: Any) -> Select[int]:
    return select(cast(cast(rows, Text), BigInteger))


def insert_rows(table: type[DeclarativeBase], names: Sequence[str], **fixed: Any) -> Insert:
    """Insert a row for each list of values given as `rows`: those of the columns `names`; instants as `written`.

    The other columns are `fixed`, or have their default.
    """
    columns, row = table.__table__.c, unnest_param("rows")
    values: dict[str, Any] = {
        name: literal(value, columns[name].type) for name, value in {**defaults(table), **fixed}.items()
    }
    values |= {name: _typed(row[n], columns[name].type) for n, name in enumerate(names)}
    return insert(table).from_select(list(values), select(*values.values()), include_defaults=False)


def update_rows(table: type[DeclarativeBase], names: Sequence[str], **fixed: Any) -> Update:
    """Update a row for each list of values given as `rows`: its id, then those of the columns `names`.

    `ids` are all their ids again. `fixed` are columns that are the same in each row.
    """
    columns, row = table.__table__.c, unnest_param("rows")
    typed = [_typed(row[n], columns[name].type).label(name) for n, name in enumerate(("id", *names))]
    # Read once: a join by position would read the JSON for each pair of rows.
    given = select(*typed).cte("given").prefix_with("MATERIALIZED")
    wanted = (columns.id == given.c.id, is_in_array(columns.id, "ids"))
    return update(table).where(*wanted).values({**{name: given.c[name] for name in names}, **fixed})


def _typed(element: Any, kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, UtcDateTime):
        return Instant(element.as_string())
    if isinstance(kind, JSON):
        return element
    if isinstance(kind, Boolean):
        return element.as_boolean()
    return cast(element.as_string(), BigInteger) if isinstance(kind, Integer) else element.as_string()


@lru_cache(256)
def to_text(moment: datetime | None) -> str | None:
    """An instant as text in such a row, for `Instant`; in SQLite's stored form."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00") if moment else None


class Ids(TypeDecorator[Any]):
    """A list of ids as a bind parameter: an array where there are arrays."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type in this database."""
        return dialect.type_descriptor(ARRAY(BigInteger()) if dialect.name == "postgresql" else JSON())


class IsInArray(FunctionElement[bool]):
    """A number, and the parameter of a list."""

    inherit_cache = True
    type = Boolean()
    name = "is_among"

    def self_group(self, against: Any = None) -> "IsInArray":  # noqa: ARG002
        """As it is: SQLite uses no index for what it is given as `IN (…) = 1`."""
        return self


class Instant(FunctionElement[datetime]):
    """Text from `written` as an instant: PostgreSQL casts it, and our connections are in UTC."""

    inherit_cache = True
    name = "instant"


class Unnest(FunctionElement[Any]):
    """The elements of a JSON array, as rows."""

    inherit_cache = True
    name = "each"


@compiles(Unnest, "postgresql")
def _by_postgresql(element: Unnest, compiler: Any, **how: Any) -> str:
    # Parsed once: of a json each operator would parse the text again.
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **how)} AS JSONB))"


@compiles(Unnest, "sqlite")
def _by_sqlite(element: Unnest, compiler: Any, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(IsInArray, "postgresql")
def _in_array(element: IsInArray, compiler: Any, **how: Any) -> str:
    number, ids = (compiler.process(part, **how) for part in element.clauses)
    return f"{number} = ANY ({ids})"


@compiles(IsInArray, "sqlite")
def _in_rows(element: IsInArray, compiler: Any, **how: Any) -> str:
    number, ids = (compiler.process(part, **how) for part in element.clauses)
    return f"{number} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - both are compiled


@compiles(Instant, "postgresql")
def _cast_by_postgresql(text: Instant, compiler: Any, **how: Any) -> str:
    return f"CAST({compiler.process(text.clauses, **how)} AS TIMESTAMP WITH TIME ZONE)"


@compiles(Instant, "sqlite")
def _left_by_sqlite(text: Instant, compiler: Any, **how: Any) -> str:
    return str(compiler.process(text.clauses, **how))
