"""Prepared statements sent through libpq directly: half the cost of a psycopg cursor.

For the few statements that everybody sends in the same second (`swift`).
https://www.psycopg.org/psycopg3/docs/api/pq.html
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.abc import Buffer
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus

GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class _KeptJson(Loader):
    """Caches parsed JSON: a station's numbers are in every read. The shared result must not be changed."""

    def load(self, data: Buffer) -> Any:
        return _parsed(bytes(data))


@lru_cache(maxsize=1000)
def _parsed(data: bytes) -> Any:
    return json.loads(data)


class Prepared:
    """`run(text, values)`: the values are $1, $2 … in the text, sent as text so that the server infers their types."""

    def __init__(self, connection: Connection[Any]) -> None:
        connection.adapters.register_loader("json", _KeptJson)
        self._connection = connection
        self._to = connection.pgconn
        self._known: dict[str, tuple[bytes, Any]] = {}

    def run(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows. Raises psycopg's errors."""
        name, adapting = self._known.get(text) or self._prepare(text)
        dumped: Any = adapting.dump_sequence(values, _as_text(len(values)))
        result = self._checked(lambda: self._to.exec_prepared(name, dumped))
        # The columns' loaders are set up the first time only.
        adapting.set_pgresult(result, set_loaders=adapting.pgresult is None)
        rows: list[tuple[Any, ...]] = adapting.load_rows(0, result.ntuples, tuple)
        return rows

    def _prepare(self, text: str) -> tuple[bytes, Any]:
        name = b"swift_%d" % len(self._known)
        self._checked(lambda: self._to.prepare(name, text.encode()))
        known = self._known[text] = name, Transformer(self._connection)
        return known

    def _checked(self, send: Any) -> Any:
        try:
            result = send()
        except MemoryError as error:  # libpq had no result: it could not even send
            if self._to.status == ConnStatus.OK:
                raise
            raise OperationalError("the connection is lost") from error
        if result.status not in GOOD:
            raise error_from_result(result, "utf-8")
        return result


@lru_cache
def _as_text(count: int) -> list[PyFormat]:
    return [PyFormat.TEXT] * count
