"""Sixteen processes that do things at once: each has its own connection, and all start at one barrier."""

import multiprocessing
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import cache
from threading import Barrier
from typing import Any
from unittest import mock

from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import people, seats, slots
from booking.db import transactions
from booking.db.arrays import is_in_array
from booking.db.statements import CompiledStatement, DriverConnection
from booking.errors import RuleViolation
from booking.mail import outbox
from booking.model import Slot
from booking.seats import claim
from booking.seats.snapshot import OWN
from tests.support.databases import connect_engine

PROCESSES = 16
PATIENCE = 60  # seconds at a barrier, on a machine that does other things too

Act = tuple[Any, ...]

VERBS: dict[str, Callable[..., Any]] = {
    "take": lambda s, now, person, slot, key=None: seats.book_in_transaction(s, person, slot, now, key).booking.state,
    "press": lambda s, now, person, slot, key=None: seats.book(s, person, slot, now, key).booking.state,
    "give_up": lambda s, now, booking: seats.give_up(s, booking, now).state,
    "promote": lambda s, now, slot: f"{seats.promote(s, slot, now)} promoted",
    "check_in": lambda s, now, booking: seats.check_in(s, booking, now).state,
    "undo": lambda s, now, booking: seats.undo_check_in(s, booking, now).state,
    "stand_by": lambda s, now, person, slot: seats.stand_by(s, person, slot, now).state,
    "walk_in": lambda s, now, person, slot: seats.walk_in(s, slot, person, now).state,
    "release": lambda s, now, slot: f"{seats.release(s, [slot], now)} released",
    "start": lambda s, now, slot: f"{bool(seats.start(s, [slot], now))}",
    "finish": lambda s, now, slot: f"{bool(seats.finish(s, [slot], now))}",
    "open": lambda s, now: f"{slots.open_due(s, now)} opened",
    "resize": lambda s, now, slot, capacity: bool(slots.set_capacity(s, slot, capacity, now, move_newest=True)),
    "bring_back": lambda s, now, slot: f"{len(slots.bring_back(s, slot, now).again)} back",
    "send": lambda s, now: f"{len(outbox._claim(s, now, outbox.AT_ONCE, 50))} claimed",
    "all_came": lambda s, now, slot: f"{slots.everybody_came(s, slot, now, None)} came",
    "fell_through": lambda s, now, slot: f"{len(slots.did_not_happen(s, slot, now, None))} told",
    "by_list": lambda s, now, slot: f"{slots.release_held(s, slot, now, None)} absent",
    "call_off": lambda s, now, slot: f"{len(slots.cancel(s, slot, '停电', now))} told",
    "join": lambda s, now, token: bool(people.register_invited(s, token, "赵敏", None, "en", "browser", now)),
    "leave": lambda s, now, person: people.delete_account(s, person, now),
}  # fmt: skip


class Racers:
    """A pool that tests share; `run` gives each process its acts and collects all answers."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.support.racing"])
        start = (context.Barrier(PROCESSES),)
        self._pool = ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_line_up, initargs=start)

    def run(
        self, url: str, lanes: Sequence[Sequence[Act]], *, abreast: bool = False, without: str = ""
    ) -> Counter[str]:
        """`lanes` are the acts of each process; `abreast` keeps them together at every act.

        `without` names a guard to take away, for a control.
        """
        assert len(lanes) <= PROCESSES
        longest = max(len(lane) for lane in lanes)
        padded = [[*lane, *[None] * (longest - len(lane))] for lane in (*lanes, *[()] * (PROCESSES - len(lanes)))]
        runs = [self._pool.submit(_run, url, lane, abreast, without) for lane in padded]
        return Counter(answer for run in runs for answer in run.result())

    def close(self) -> None:
        self._pool.shutdown()


def in_turn(acts: Sequence[Act]) -> list[Sequence[Act]]:
    """Deal acts out to all the processes, like cards."""
    return [acts[n::PROCESSES] for n in range(PROCESSES)]


_start: Barrier


def _line_up(barrier: Barrier) -> None:
    global _start  # noqa: PLW0603 - what a pool's initializer is for
    _start = barrier


@cache
def _engine(url: str) -> Engine:
    """Kept from race to race, because an engine keeps its statements compiled."""
    engine = connect_engine(url)
    event.listen(engine, "connect", _be_patient)
    return engine


def _run(url: str, lane: Sequence[Act | None], abreast: bool, without: str) -> list[str]:
    engine = _engine(url)
    with ExitStack() as guards, Session(engine) as session:
        for guard in WITHOUT.get(without, ()):
            guards.enter_context(guard())
        _start.wait(PATIENCE)
        answers = list(_answers(session, lane, abreast))
    engine.dispose()
    return answers


def _be_patient(connection: Any, _record: Any) -> None:
    """A machine that does other things too must not make a race fail; a deadlock still does."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA busy_timeout = 60000")
        return
    connection.execute("SET lock_timeout = '60s'; SET statement_timeout = '60s'")
    connection.commit()


def _answers(session: Session, lane: Sequence[Act | None], abreast: bool) -> Iterator[str]:
    for act in lane:
        if abreast:
            _start.wait(PATIENCE)
        if act is not None:
            yield _answer(session, *act)


def _answer(session: Session, verb: str, now: datetime, *args: Any) -> str:
    try:
        if verb == "press":  # a transaction of its own
            return str(VERBS[verb](session, now, *args))
        with transactions.transaction(session) as writing:
            return str(VERBS[verb](writing, now, *args))
    except RuleViolation as no:
        return f"no: {no.reason}"
    except OperationalError as error:
        return f"error: {error.orig!r}"


def _lock_only_slots(session: Session, people: Any = (), slots: Any = ()) -> list[Slot]:
    return _real_lock(session, (), slots)


def _count_then_take() -> Any:
    """The slots read without a lock: another process may count its seats between the look and the claim."""
    return mock.patch.object(claim, "_SLOTS", CompiledStatement(select(*OWN).where(is_in_array(Slot.id, "slots"))))


def _whatever_the_person_did() -> Any:
    """The seat for somebody who may have done something else since the look."""
    return mock.patch.object(claim, "lock", _whatever_version)


def _whatever_version(line: DriverConnection, people: Collection[int], slots: Collection[int]) -> claim.Locked:
    return _real_claim_lock(line, people, slots)._replace(versions=dict.fromkeys(people, mock.ANY))


_real_claim_lock = claim.lock
_real_lock = transactions.lock

WITHOUT: dict[str, tuple[Callable[[], Any], ...]] = {
    "the lock of the slot": (_count_then_take,),
    "the lock of the person": (
        _whatever_the_person_did,
        lambda: mock.patch.object(transactions, "lock", _lock_only_slots),
    ),
}
