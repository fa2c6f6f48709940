"""Lines that go past the engine's pool: few, kept, and lent for one statement or two. Lending costs next to nothing."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event, exc
from sqlalchemy.exc import DBAPIError

from booking.swift import Line, Row, Statement

# Takers of one hot slot queue here, where it is free, and not at its row, where each waiter costs the others time.
LINES = 2
IDLE = 1.0  # seconds after which a connection may have been cut unseen
WAIT = 5.0  # seconds that somebody waits for a line

_kept: "WeakKeyDictionary[Engine, Lines]" = WeakKeyDictionary()
_guard = threading.Lock()


class Lines:
    """The lines of one engine."""

    def __init__(self) -> None:
        self._free: SimpleQueue[tuple[Line, float] | None] = SimpleQueue()  # None: one that is still to be opened
        for _ in range(LINES):
            self._free.put(None)
        self._over = False

    def take(self, engine: Engine) -> Line:
        """A line that nobody else has until it is given back."""
        try:
            kept = self._free.get(timeout=WAIT)
        except Empty:
            raise exc.TimeoutError(f"no line came free in {WAIT:.0f} s") from None
        try:
            return kept[0] if kept and _is_live(*kept) else own(engine)
        except BaseException:
            self._free.put(None)
            raise

    def give_back(self, line: Line, *, cut: bool) -> None:
        if cut:
            _close(line)
        self._free.put(None if cut else (line, monotonic()))
        if self._over:  # it was forgotten meanwhile
            self.close()

    def close(self) -> None:
        """Lend these no more. Those that are out are closed when they come back."""
        self._over = True
        for _ in range(self._free.qsize()):
            with suppress(Empty):
                if kept := self._free.get_nowait():
                    _close(kept[0])
                self._free.put(None)


class alone:  # noqa: N801 - `with lines.alone(engine) as line`
    """A line of its own on which every statement is a transaction."""

    __slots__ = ("_engine", "_line", "_lines")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Line:
        self._lines = _of(self._engine)
        self._line = self._lines.take(self._engine)
        return self._line

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        cut = isinstance(error, DBAPIError) and error.connection_invalidated
        if cut:
            _forget(self._engine)  # what cut one has cut the others
        self._lines.give_back(self._line, cut=cut)


def own(engine: Engine) -> Line:
    """A line that is never lent to others; who asks for it closes its driver."""
    return Line(_connect(engine), engine.dialect)


def ask(engine: Engine, statement: Statement, **values: Any) -> Sequence[Row]:
    """The rows of a statement that only reads; asked again on a new line if the old one was cut."""
    try:
        with alone(engine) as line:
            return statement.run(line, **values)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    with alone(engine) as line:
        return statement.run(line, **values)


def _of(engine: Engine) -> Lines:
    found = _kept.get(engine)
    if found is None:
        with _guard:
            found = _kept.get(engine)
            if found is None:
                found = _kept[engine] = Lines()
                # A function of its own each time: SQLAlchemy hears one and the same only once.
                event.listen(engine, "engine_disposed", lambda gone: _forget(gone), once=True)  # noqa: PLW0108
    return found


def _forget(engine: Engine) -> None:
    with _guard:
        if lines := _kept.pop(engine, None):
            lines.close()


def _is_live(line: Line, used: float) -> bool:
    """One that was idle for long is asked whether it still is one."""
    if monotonic() - used < IDLE:
        return True
    try:
        line.driver.execute("SELECT 1")
    except Exception:  # noqa: BLE001 - of whatever driver
        _close(line)
        return False
    return True


def _close(line: Line) -> None:
    with suppress(Exception):  # of whatever driver, and it may be broken
        line.driver.close()


def _connect(engine: Engine) -> Any:
    """A new connection; that there is none now is said as SQLAlchemy would, to who can wait and ask again."""
    wrong = cast("Any", engine.dialect.loaded_dbapi).Error
    try:
        return _connected(engine)
    except wrong as error:
        raise cast("Exception", DBAPIError.instance("", None, error, wrong, connection_invalidated=True)) from error


def _connected(engine: Engine) -> Any:
    """A connection with all the settings of the engine's, that the engine then forgets."""
    held = engine.raw_connection()
    driver: Any = held.driver_connection
    held.detach()
    if engine.dialect.name == "postgresql":
        driver.autocommit = True
        driver.prepare_threshold = 0
        driver.execute("SET plan_cache_mode = force_generic_plan")
    return driver
