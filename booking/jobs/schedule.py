"""Schedule: every job, in the order in which `flask tick` runs them, each a few lines that call a verb."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import ColumnElement

from booking import draws, monitoring, network, people, pictures, seats, services, slots, stations, statistics, workdays
from booking.extensions import db
from booking.jobs.backpressure import Backpressure
from booking.jobs.batches import PASSING, AnySession, BatchRunner, PartlyDone, Turn, backpressure_of
from booking.mail import (
    bounces,
    digest_writer,
    digests,
    mailbox,
    outbox,
    rate_limit,
    reminders,
    transport,
    watch_letters,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

# Draws of a city end at one instant, and nobody can book their seats before: a transaction may last longer than others.
# Two work at a time: the database writes for one while the rules decide for the other.
MANY_DRAWS: dict[str, Any] = {"locked_for": 0.3, "side_by_side": 2}
# The flags of a message in the mailbox for bounces, by what became of it.
FLAGS = {bounces.BounceOutcome.IGNORED: "", bounces.BounceOutcome.UNMATCHED: r"\Seen \Flagged"}
# How many letters one round claims. When its sender dies they wait ten minutes, which digests may.
IN_A_ROUND = {"at_once": 20, "digests": 500}
# Under load a round is no larger, and a pause no longer than this many letters a second allow: codes come first in
# each round, so somebody signing in meanwhile waits two seconds.
IN_A_CROWD = 20
AT_LEAST = 10
# Seconds in which a change of policy reaches a whole city, however busy the machine is; and for which each of its
# transactions may last: it locks what can be booked at its end only.
POLICY_WITHIN, POLICY_LOCKS_FOR = 50, 0.3
# A round of letters ends before another sender could take over its claims as abandoned.
LONGEST_ROUND = timedelta(minutes=3)


@dataclass(frozen=True)
class Job:
    """A job and the seconds between its runs. `work` returns how many things it did."""

    name: str
    every: int
    work: Callable[[Turn], int]


def learn_workdays(_turn: Turn) -> int:
    return workdays.seed(db.session())


def plan_slots(turn: Turn) -> int:
    return BatchRunner(turn, "plan_slots").each(slots.stations_to_plan(db.session()), _plan).result()


def apply_policy(turn: Turn) -> int:
    """Apply what the nodes of a network say to the stations that a change has still to reach."""
    due = network.stations_due(db.session())
    work = BatchRunner(turn, "apply_policy", gentle=True, within=POLICY_WITHIN)
    return work.chunks(due, network.apply_policy, locked_for=POLICY_LOCKS_FOR).result()


def freeze_draws(turn: Turn) -> int:
    """Commit draws that open soon to their secrets, and seal the lists of those that have closed."""
    work = BatchRunner(turn, "freeze_draws").each(draws.to_commit(db.session(), turn.now), _with_secret(draws.commit))
    return work.chunks(draws.to_freeze(db.session(), turn.now), draws.freeze, **MANY_DRAWS).result()


def run_draws(turn: Turn) -> int:
    due = draws.to_draw(db.session(), turn.now)
    return BatchRunner(turn, "run_draws").chunks(due, _with_secret(draws.draw), **MANY_DRAWS).result()


def open_slots(turn: Turn) -> int:
    due = slots.to_open(db.session(), turn.now)
    return BatchRunner(turn, "open_slots", gentle=True).chunks(due, slots.open_these).result()


def start_slots(turn: Turn) -> int:
    return BatchRunner(turn, "start_slots").chunks(slots.to_start(db.session(), turn.now), seats.start).result()


def promote(turn: Turn) -> int:
    return BatchRunner(turn, "promote").each(slots.to_promote(db.session(), turn.now), seats.promote).result()


def release_no_shows(turn: Turn) -> int:
    """Release the seats of no-shows; where that comes too late, the manager decides."""
    due = slots.to_release(db.session(), turn.now)
    late = slots.too_late(db.session(), due, turn.now)
    in_time = [slot_id for slot_id in due if slot_id not in set(late)]
    work = BatchRunner(turn, "release_no_shows", gentle=True)
    return work.chunks(late, slots.hold_release).chunks(in_time, seats.release).result()


def finish_slots(turn: Turn) -> int:
    return BatchRunner(turn, "finish_slots").chunks(slots.to_finish(db.session(), turn.now), seats.finish).result()


def write_worker_digests(turn: Turn) -> int:
    return _write_digests(turn, "worker")


def write_manager_digests(turn: Turn) -> int:
    return _write_digests(turn, "manager")


def write_reminders(turn: Turn) -> int:
    """Remind those with a seat of the start; tell those whose waiting was in vain where they can watch."""
    work = BatchRunner(turn, "write_reminders", gentle=True)
    work.chunks(reminders.due(db.session(), turn.now), reminders.write)
    return work.chunks(watch_letters.due(db.session(), turn.now), watch_letters.write).result()


def send_letters(turn: Turn) -> int:
    return _deliver(turn, "at_once", outbox.AT_ONCE)


def send_digests(turn: Turn) -> int:
    return _deliver(turn, "digests", outbox.CAN_WAIT)


def take_up_stuck_letters(turn: Turn) -> int:
    return _batches(turn, outbox.free_stuck)


def read_bounces(turn: Turn) -> int:
    """Read the mailbox of BOUNCES_URL, where there is one."""
    if current_app.config["BOUNCES_HOST"] is None:
        return 0
    return mailbox.read(current_app.config, turn.now, partial(_receive, turn.now), turn.stop)


def count_station_days(turn: Turn) -> int:
    """Count the days that are over, for the list of all stations."""
    work = BatchRunner(turn, "count_station_days", gentle=True)
    for day in statistics.days_to_count(db.session(), turn.now):
        work.chunks(statistics.stations_to_count(db.session(), day), partial(_count_day, day))
    return work.result()


def store_station_readings(turn: Turn) -> int:
    return _batches(turn, stations.store_missing_readings)


def import_stations(turn: Turn) -> int:
    return _batches(turn, network.import_chunk)


def carry_out_transfers(turn: Turn) -> int:
    """Move the managers whose day has come."""
    due = network.due_transfers(db.session(), turn.now)
    return BatchRunner(turn, "carry_out_transfers").each(due, network.carry_out).result()


def forget(turn: Turn) -> int:
    forgotten = people.forget(db.session, turn.now) + pictures.forget(db.session, turn.now)
    forgotten += services.forget_requests(db.session, turn.now) + services.forget_proofs(db.session, turn.now)
    forgotten += services.forget_opens(db.session, turn.now)
    forgotten += services.forget_wishes(db.session, turn.now)
    forgotten += services.forget_lines(db.session, turn.now)
    forgotten += services.forget_notices(db.session, turn.now)
    return forgotten + network.forget_imports(db.session, turn.now) + _batches(turn, outbox.forget)


def forget_names(turn: Turn) -> int:
    """Reads all old bookings, so at most once a month when none is left: a month's names all become due together."""
    last = monitoring.found_nothing(db.session(), "forget_names")
    if last and people.nameless_before(last) == people.nameless_before(turn.now):
        return 0
    work = BatchRunner(turn, "forget_names", gentle=True)
    for some in people.named(db.session, turn.now):
        work.chunks(some, people.forget_names)
    work.did += _batches(turn, people.forget_entries)
    if turn.stop():
        raise PartlyDone(work.did, ["ended early"])  # must not count as "found nothing"
    return work.result()


# The jobs of one slot: after an outage these run once in this order, before each runs at its own interval.
CATCH_UP = (
    Job("freeze_draws", 2, freeze_draws),
    Job("run_draws", 2, run_draws),
    Job("open_slots", 2, open_slots),
    Job("start_slots", 2, start_slots),
    Job("release_no_shows", 2, release_no_shows),
    Job("promote", 2, promote),
    Job("finish_slots", 5, finish_slots),
)
TIMETABLE = (
    Job("learn_workdays", 600, learn_workdays),
    Job("apply_policy", 5, apply_policy),
    Job("plan_slots", 300, plan_slots),
    *CATCH_UP,
    Job("write_worker_digests", 20, write_worker_digests),
    Job("write_manager_digests", 20, write_manager_digests),
    Job("write_reminders", 20, write_reminders),
    Job("take_up_stuck_letters", 30, take_up_stuck_letters),
    Job("send_letters", 2, send_letters),
    Job("send_digests", 5, send_digests),
    Job("read_bounces", 300, read_bounces),
    Job("count_station_days", 3600, count_station_days),
    Job("store_station_readings", 600, store_station_readings),
    Job("import_stations", 2, import_stations),
    Job("carry_out_transfers", 60, carry_out_transfers),
    Job("forget", 3600, forget),
    Job("forget_names", 3600, forget_names),
)
# Those after which a letter has left.
SENDERS = ("send_letters", "send_digests")


def _with_secret(verb: Callable[[AnySession, T, str, datetime], int]) -> Callable[[AnySession, T, datetime], int]:
    """A verb of draws, whose secrets derive from SECRET_KEY."""
    secret_key = current_app.config["SECRET_KEY"]

    def work(session: AnySession, draws: T, now: datetime) -> int:
        return verb(session, draws, secret_key, now)

    return work


def _plan(session: AnySession, station_id: int, now: datetime) -> int:
    done = slots.plan_ahead(session, station_id, now)
    return done.added + done.moved + done.withdrawn


def _count_day(day: date, session: AnySession, station_ids: Sequence[int], _now: datetime) -> int:
    return statistics.count_day(session, day, station_ids)


def _write_digests(turn: Turn, kind: str) -> int:
    """Contents are read before the transaction: that locks nothing, and takes longer than writing."""
    work = BatchRunner(turn, f"write_{kind}_digests", gentle=True)
    due = digests.rounds(db.session(), kind, turn.now, even_done=work.tries_again())
    readers = digests.to_write(db.session(), due, turn.now)
    written = work.chunks(readers, digest_writer.write, lambda s, ids, now: digests.gather(s, due, now, ids)).result()
    if due and not turn.stop():
        digests.note_done(db.session, due, turn.now)
    return written


def _receive(now: datetime, message: bytes) -> str:
    """Count a report; the flags that it gets. One that names no letter of ours is left for a person to look at."""
    try:
        outcome = bounces.receive(db.session, message, now)
    except PASSING:
        raise  # not the message's fault
    except Exception:
        log.exception("a message in the mailbox for bounces cannot be read")
        return ""
    return FLAGS.get(outcome, r"\Seen")


def _batches(turn: Turn, verb: Callable[[AnySession, datetime], int]) -> int:
    """Repeat a verb that does one batch, each in its transaction, until nothing is left, with back-pressure."""
    did, manners = 0, backpressure_of(turn)
    while not turn.stop():
        began = perf_counter()
        batch = verb(db.session, turn.now)
        if not batch:
            break
        did += batch
        manners.give_way(perf_counter() - began)
    return did


def _deliver(turn: Turn, kinds: str, which: ColumnElement[bool]) -> int:
    """Send until nothing is due, the rate limit is reached or the server defers a letter: the next run goes on."""
    sent, limiter, manners = 0, rate_limit.of_this_process(), Backpressure(turn.stop)
    with transport.opened(current_app.config) as server:
        while not turn.stop() and (room := limiter.room(kinds, now := turn.later())):
            began, most = perf_counter(), IN_A_CROWD if manners.crowded else IN_A_ROUND[kinds]
            done = _round(turn, server, now, which, min(room, most))
            limiter.count(done.sent + done.put_off + done.failed, now)
            sent += done.sent
            if not done.claimed or done.put_off:
                break
            manners.give_way(perf_counter() - began, done.claimed / AT_LEAST)
    return sent


def _round(
    turn: Turn, server: transport.Transport, now: datetime, which: ColumnElement[bool], limit: int
) -> outbox.Delivery:
    def stop() -> bool:
        return turn.stop() or turn.later() - now > LONGEST_ROUND

    return outbox.deliver(db.session, server, now, which, limit, stop)
