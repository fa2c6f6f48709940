"""Listens to the statements that an app sends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, event

from booking.db import statements


@dataclass
class Statement:
    """One that was sent: its text, what filled it, how many seconds until the answer, and whether it went past the ORM."""

    text: str
    parameters: Any
    seconds: float = 0.0
    compiled: bool = False
    by_index: bool = False  # with the settings of `pool`


@contextmanager
def heard(engine: Engine) -> Iterator[list[Statement]]:
    """Everything that goes to the database within the block, BEGIN and COMMIT included."""
    sent: list[Statement] = []
    started = [0.0]

    def before(_connection: Any, _cursor: Any, text: str, parameters: Any, _context: Any, _many: bool) -> None:
        sent.append(Statement(text, parameters))
        started[0] = perf_counter()

    def after(*_arguments: Any) -> None:
        sent[-1].seconds = perf_counter() - started[0]

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": before,
        "after_cursor_execute": after,
        "begin": lambda _connection: sent.append(Statement("BEGIN", None)),
        "commit": lambda _connection: sent.append(Statement("COMMIT", None)),
        "rollback": lambda _connection: sent.append(Statement("ROLLBACK", None)),
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        with _compiled_ones(sent):
            yield sent
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


@contextmanager
def _compiled_ones(sent: list[Statement]) -> Iterator[None]:
    """They go to the driver as they are, and tell nobody."""
    run = statements.DialectStatement.run

    def heard_run(self: statements.DialectStatement, line: statements.DriverConnection, values: Any) -> Any:
        by_index = line.has_writable_cte and line.driver.execute("SHOW enable_seqscan").fetchone() == ("off",)
        began = perf_counter()
        try:
            return run(self, line, values)
        finally:
            spent = perf_counter() - began
            sent.append(Statement(self.text, self.fixed | values, spent, compiled=True, by_index=by_index))

    statements.DialectStatement.run = heard_run  # type: ignore[method-assign]
    try:
        yield
    finally:
        statements.DialectStatement.run = run  # type: ignore[method-assign]
