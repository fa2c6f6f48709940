"""Batch runner: processes a job's rows; one that fails is retried later, then set aside, and stops no other."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from time import perf_counter
from typing import Any

from flask import current_app
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, scoped_session

from booking import clock, monitoring
from booking.extensions import db
from booking.jobs.backpressure import Backpressure

log = logging.getLogger(__name__)

# Seconds for which a transaction may hold its locks without anybody noticing. The first batch is small.
LOCKS_FOR = 0.05
FIRST = 10
MOST = 2000
# Errors of the database, not of the row: they do not count against it, the next run tries again.
PASSING = (OperationalError, InterfaceError, PoolTimeout)


@dataclass
class Size:
    """Batch size: how many rows the next transaction takes: as many as fit into `seconds`.

    Where the transaction itself is slow and not its rows, on a busy machine, fewer rows would cost more in total and
    lock hardly less: then no fewer than `FIRST`.
    """

    seconds: float = LOCKS_FOR
    rows: int = FIRST
    least: int = 1
    _last: tuple[int, float] = (0, 0.0)

    def learn(self, rows: int, seconds: float) -> None:
        """Learn from `rows` locked for `seconds`."""
        before, a_row = self._last
        if rows < before and seconds / rows > 2 * a_row:
            self.least = FIRST
        self._last = rows, seconds / rows
        self.rows = max(self.least, min(2 * self.rows, MOST, int(self.rows * self.seconds / seconds)))


AnySession = Session | scoped_session[Any]
Verb = Callable[[AnySession, Sequence[Any], datetime], int]
VerbOfOne = Callable[[AnySession, int, datetime], int]
Look = Callable[[Session, Sequence[int], datetime], Sequence[Any]]


def no_stop() -> bool:
    return False


def _themselves(_session: Session, ids: Sequence[int], _now: datetime) -> Sequence[int]:
    return ids


@dataclass(frozen=True)
class Turn:
    """One run of a job: its instant, and whether it should end early."""

    now: datetime
    stop: Callable[[], bool] = no_stop
    began: datetime = field(default_factory=clock.now)

    def later(self) -> datetime:
        """The current time, relative to `now`, for a run that takes minutes."""
        return self.now + (clock.now() - self.began)


def backpressure_of(turn: Turn) -> Backpressure:
    """Of one run of a job. On SQLite nobody else would get to write between its transactions without a pause."""
    return Backpressure(turn.stop, rest=1 if db.engine.dialect.name == "sqlite" else 0)


class PartlyDone(Exception):
    """A job did `did` things and failed for some others; none stopped the rest."""

    def __init__(self, did: int, wrong: list[str]) -> None:
        super().__init__("; ".join(wrong))
        self.did = did


@dataclass
class BatchRunner:
    """Runs a verb over a job's rows. A `gentle` one applies back-pressure, but for no longer than lets it end `within` so
    many seconds."""

    turn: Turn
    job: str
    gentle: bool = False
    within: float = inf
    did: int = 0
    wrong: list[str] = field(default_factory=list)
    _skip: set[int] = field(default_factory=set)
    _known: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        session = db.session()
        self._skip = monitoring.skipped(session, self.job, self.turn.now)
        self._known = monitoring.known(session, self.job)

    def each(self, ids: Sequence[int], verb: VerbOfOne) -> "BatchRunner":
        """One transaction for each row, so that no lock is held long."""
        self.did += sum(0 if self.turn.stop() else self._try(one, verb) for one in self._left(ids))
        return self

    def chunks(
        self,
        ids: Sequence[int],
        verb: Verb,
        look: Look = _themselves,
        *,
        locked_for: float = LOCKS_FOR,
        side_by_side: int = 1,
    ) -> "BatchRunner":
        """One transaction for as many rows as take so many seconds; when it fails, one for each of its rows.

        `look` reads, before the transaction, what the verb needs for these rows. So many transactions are at work at a
        time where the database allows it.
        """
        left, app = self._left(ids), current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001

        def in_thread(part: Sequence[int]) -> int:
            with app.app_context():
                return self._in_turn(part, verb, look, locked_for)

        if side_by_side > 1 and len(left) > 1 and db.engine.dialect.name != "sqlite":
            db.session.remove()  # each thread has its own
            with ThreadPoolExecutor(side_by_side) as threads:
                self.did += sum(threads.map(in_thread, [left[n::side_by_side] for n in range(side_by_side)]))
        else:
            self.did += self._in_turn(left, verb, look, locked_for)
        return self

    def _in_turn(self, left: Sequence[int], verb: Verb, look: Look, locked_for: float) -> int:
        """One transaction after the other. Returns how many things were done."""
        did, size, manners = 0, Size(locked_for), backpressure_of(self.turn)
        until = perf_counter() + self.within
        while left and not self.turn.stop():
            chunk, left = left[: size.rows], left[size.rows :]
            began = perf_counter()
            done, locked = self._together(chunk, verb, look)
            did += done
            size.learn(len(chunk), locked)
            if left and self.gentle:
                worked, batches = perf_counter() - began, len(left) / size.rows
                manners.give_way(worked, max(0, (until - perf_counter()) / batches - worked))
        return did

    def tries_again(self) -> bool:
        """Whether a row that has failed is due for a retry."""
        return bool(self._known - self._skip)

    def result(self) -> int:
        """How many things were done; raises `PartlyDone` when some failed."""
        if self.wrong:
            raise PartlyDone(self.did, self.wrong)
        return self.did

    def _together(self, chunk: Sequence[int], verb: Verb, look: Look) -> tuple[int, float]:
        """Process a batch. Returns how many things were done, and for how many seconds its rows may have been locked."""
        did, locked = 0, perf_counter()
        try:
            found = look(db.session(), chunk, self.turn.now)
            locked = perf_counter()
            did = verb(db.session, found, self.turn.now)
            self._went_well(self._known.intersection(chunk))
        except PASSING as error:
            self._could_not(chunk[0], error, counts=False)
        except Exception:
            log.exception("%s: one of %s rows failed, trying each", self.job, len(chunk))
            for one in chunk:
                did += self._try(one, lambda session, row, now: verb(session, look(db.session(), (row,), now), now))
        return did, perf_counter() - locked

    def _left(self, ids: Sequence[int]) -> list[int]:
        return [one for one in ids if one not in self._skip]

    def _try(self, one: int, verb: VerbOfOne) -> int:
        """Returns how many things were done."""
        did = 0
        try:
            did = verb(db.session, one, self.turn.now)
            self._went_well(self._known & {one})
        except PASSING as error:
            self._could_not(one, error, counts=False)
        except Exception as error:
            log.exception("%s failed for %s", self.job, one)
            self._could_not(one, error, counts=True)
        return did

    def _went_well(self, rows: set[int]) -> None:
        if rows:
            monitoring.done(db.session, self.job, rows)

    def _could_not(self, one: int, error: Exception, *, counts: bool) -> None:
        self.wrong.append(f"{one}: {type(error).__name__}: {error}")
        if counts:
            with suppress(*PASSING):
                monitoring.record_failure(db.session, self.job, one, f"{type(error).__name__}: {error}", self.turn.now)
