"""Intervals: an instant so many minutes after another one, computed by the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import Integer, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from booking.model.base import UtcDateTime


class MinutesAfter(FunctionElement[datetime]):
    """An instant, and a whole number of minutes, negative for those before it."""

    inherit_cache = True
    type = UtcDateTime()
    name = "minutes_after"


def minutes_after(moment: Any, minutes: int) -> MinutesAfter:
    """`moment` is a column of whole seconds, as those of a slot are."""
    return MinutesAfter(moment, literal(minutes, Integer))


@compiles(MinutesAfter, "postgresql")
def _by_postgresql(element: MinutesAfter, compiler: Any, **how: Any) -> str:
    moment, minutes = (compiler.process(part, **how) for part in element.clauses)
    return f"({moment} + make_interval(mins => {minutes}))"


@compiles(MinutesAfter, "sqlite")
def _by_sqlite(element: MinutesAfter, compiler: Any, **how: Any) -> str:
    moment, minutes = (compiler.process(part, **how) for part in element.clauses)
    return f"(strftime('%Y-%m-%d %H:%M:%f', {moment}, {minutes} || ' minutes') || '000')"  # as it is stored
