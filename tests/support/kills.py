"""Kills: a process that dies before a statement, for sweeps over all statements of a verb."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from booking.db import statements


class Killed(BaseException):
    """As if the process had died here."""


@contextmanager
def killed_at(engine: Engine, number: int) -> Iterator[list[int]]:
    """Dies before the statement of that number, whether it goes by the ORM or past it. Counts the statements."""
    sent = [0]
    run = statements.DialectStatement.run

    def count(*_: object) -> None:
        sent[0] += 1
        if sent[0] == number:
            raise Killed

    def counted(self: statements.DialectStatement, *args: Any) -> Any:
        count()
        return run(self, *args)

    event.listen(engine, "before_cursor_execute", count)
    try:
        with patch.object(statements.DialectStatement, "run", counted):
            yield sent
    finally:
        event.remove(engine, "before_cursor_execute", count)
