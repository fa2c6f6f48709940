"""Slow statements, logged without their values where they took SLOW_STATEMENT_MS or more; waits for a connection."""

import logging
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, QueuePool, event
from sqlalchemy.pool import ConnectionPoolEntry

from booking.telemetry import request_context

log = logging.getLogger(__name__)
LONGEST = 200  # characters of a statement
_limit: float = 0.5  # seconds


class TimedPool(QueuePool):
    """The engine's pool, which tells for how long a request waited for a connection."""

    def _do_get(self) -> ConnectionPoolEntry:
        began = perf_counter()
        try:
            return super()._do_get()
        finally:
            request_context.waited("connection", began)


# SQLAlchemy tells of each connection under the name of its pool's class.
logging.getLogger(f"{__name__}.{TimedPool.__name__}").setLevel(logging.WARNING)


def watch(engine: Engine, milliseconds: int) -> None:
    """Time every statement of `engine`. The limit is one for the process."""
    global _limit  # noqa: PLW0603 - read by statements that know no app
    _limit = milliseconds / 1000
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)


def ended(text: str, began: float) -> None:
    """A statement that began then (`perf_counter`) has ended."""
    if (took := perf_counter() - began) > _limit:
        short = " ".join(text.split())[:LONGEST]
        log.warning("slow statement", extra={"ms": round(took * 1000, 1), "statement": short})


def _begin(_connection: Any, _cursor: Any, _text: str, _values: Any, execution: Any, _many: bool) -> None:
    execution.began = perf_counter()


def _end(_connection: Any, _cursor: Any, text: str, _values: Any, execution: Any, _many: bool) -> None:
    ended(text, execution.began)
