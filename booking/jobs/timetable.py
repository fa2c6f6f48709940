"""The timetable: every job, in the order in which one tick runs them, each a few lines into a verb."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from booking import people, seats, slots, store, workdays
from booking.extensions import db
from booking.mail import digests, outbox, post


@dataclass(frozen=True)
class Turn:
    """One run of a job: its instant, and whether it should end early."""

    now: datetime
    stop: Callable[[], bool] = bool


@dataclass(frozen=True)
class Job:
    """A job of the scheduler and the seconds between its runs. `work` returns how many things it did."""

    name: str
    every: int
    work: Callable[[Turn], int]


class PartlyDone(Exception):
    """A job did `did` things, and some others it could not; none stopped the rest."""

    def __init__(self, did: int, wrong: list[str]) -> None:
        super().__init__("; ".join(wrong))
        self.did = did


def learn_workdays(_turn: Turn) -> int:
    with store.transaction(db.session) as session:
        store.one_at_a_time(session, "workdays")
        return workdays.seed(session)


def plan_slots(turn: Turn) -> int:
    return _each(turn, slots.stations_to_plan(db.session()), _plan)


def open_slots(turn: Turn) -> int:
    return _batches(turn, slots.open_due)


def start_slots(turn: Turn) -> int:
    return _each(turn, slots.to_start(db.session(), turn.now), seats.start)


def promote(turn: Turn) -> int:
    return _each(turn, slots.to_promote(db.session(), turn.now), seats.promote)


def release_no_shows(turn: Turn) -> int:
    return _each(turn, slots.to_release(db.session(), turn.now), seats.release)


def finish_slots(turn: Turn) -> int:
    return _each(turn, slots.to_finish(db.session(), turn.now), seats.finish)


def write_worker_digests(turn: Turn) -> int:
    return _batches(turn, lambda session, now: digests.write(session, "worker", now))


def write_manager_digests(turn: Turn) -> int:
    return _batches(turn, lambda session, now: digests.write(session, "manager", now))


def send_letters(turn: Turn) -> int:
    return _deliver(turn, outbox.AT_ONCE)


def send_digests(turn: Turn) -> int:
    return _deliver(turn, outbox.IS_DIGEST)


def take_up_stuck_letters(turn: Turn) -> int:
    return _batches(turn, outbox.free_stuck)


def forget(turn: Turn) -> int:
    with store.transaction(db.session) as session:
        forgotten = people.forget(session, turn.now)
    return forgotten + _batches(turn, outbox.forget)


TIMETABLE = (
    Job("learn_workdays", 600, learn_workdays),
    Job("plan_slots", 300, plan_slots),
    Job("open_slots", 2, open_slots),
    Job("start_slots", 2, start_slots),
    Job("release_no_shows", 2, release_no_shows),
    Job("promote", 2, promote),
    Job("finish_slots", 5, finish_slots),
    Job("write_worker_digests", 20, write_worker_digests),
    Job("write_manager_digests", 20, write_manager_digests),
    Job("take_up_stuck_letters", 30, take_up_stuck_letters),
    Job("send_letters", 2, send_letters),
    Job("send_digests", 5, send_digests),
    Job("forget", 3600, forget),
)


def _plan(session: Session, station_id: int, now: datetime) -> int:
    done = slots.plan_ahead(session, station_id, now)
    return done.added + done.moved + done.withdrawn


def _each(turn: Turn, ids: Iterable[int], verb: Callable[[Session, int, datetime], Any]) -> int:
    """One transaction for each id, so that no lock is held long; what fails does not stop the rest."""
    did, wrong = 0, []
    for one in ids:
        if turn.stop():
            break
        try:
            with store.transaction(db.session) as session:
                did += int(verb(session, one, turn.now))
        except Exception as error:
            current_app.logger.exception("%s failed for %s", verb.__name__, one)
            wrong.append(f"{one}: {type(error).__name__}: {error}")
    if wrong:
        raise PartlyDone(did, wrong)
    return did


def _batches(turn: Turn, verb: Callable[[Session, datetime], int]) -> int:
    """Repeat a verb that does a batch at a time, each in its transaction, until nothing is left."""
    did = 0
    while not turn.stop():
        with store.transaction(db.session) as session:
            batch = verb(session, turn.now)
        if not batch:
            break
        did += batch
    return did


def _deliver(turn: Turn, kinds: ColumnElement[bool]) -> int:
    """Send until nothing is due, or until the server puts something off: then the next run goes on."""
    sent = 0
    with post.opened(current_app.config) as office:
        while not turn.stop():
            done = outbox.deliver(db.session, office, turn.now, kinds, stop=turn.stop)
            sent += done.sent
            if not done.claimed or done.put_off:
                break
    return sent
