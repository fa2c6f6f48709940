"""The scheduler watched: rows set aside, releases held, outages noted, jobs late or on time."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import invariants, jobs, monitoring, seats, slots
from booking.db import transactions
from booking.jobs.batches import BatchRunner, Turn
from booking.mail import digest_writer, digests
from booking.model import Booking, Digest, JobRun, Outage, Person, SetAside, Slot, Strike
from tests.support.letter_cast import Letters, monday_and_tuesday, tuesday
from tests.support.lunch_hour import TUESDAY, at

MINUTE = timedelta(minutes=1)


@pytest.fixture
def cast(session: Session) -> Letters:
    return Letters(session)


def tick(app: Flask, clock: str | datetime) -> dict[str, jobs.Ran]:
    now = at(clock) if isinstance(clock, str) else clock
    with time_machine.travel(now, tick=False), app.app_context():
        return {ran.name: ran for ran in jobs.tick(now)}


def aside(session: Session) -> list[SetAside]:
    session.rollback()
    return list(session.scalars(select(SetAside).order_by(SetAside.id)))


@pytest.fixture
def full(session: Session) -> Letters:
    return tuesday(session)


@pytest.fixture
def poison(full: Letters, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the start of a slot fail, until it is called again without an error."""
    real = seats.start

    def spread(error: Exception | None) -> None:
        def start(session: Session, slot_ids: Collection[int], now: datetime) -> int:
            if full.yoga in slot_ids and error:
                raise error
            return real(session, slot_ids, now)

        monkeypatch.setattr(seats, "start", start)

    return spread


def test_a_poisoned_row_is_tried_three_times_and_then_set_aside(
    app: Flask, full: Letters, session: Session, poison: Callable[..., None]
) -> None:
    poison(ZeroDivisionError("poison"))
    failed = [bool(tick(app, at("12:10") + n * MINUTE)["start_slots"].error) for n in (0, 0.5, 1, 3, 6, 30, 45)]
    assert failed == [True, False, True, False, True, False, False]
    (row,) = monitoring.listed(session)
    assert (row.job, row.row_id, row.tries, row.station_id) == ("start_slots", full.yoga, 3, full.station_id)
    assert row.error == "ZeroDivisionError: poison"
    assert monitoring.listed(session, full.station_id + 1) == []


def test_when_a_person_says_again_a_row_is_tried_again_and_forgotten_when_it_goes_well(
    app: Flask, session: Session, poison: Callable[..., None]
) -> None:
    poison(ZeroDivisionError("poison"))
    for minutes in (0, 1, 6):
        tick(app, at("12:10") + minutes * MINUTE)
    poison(None)
    (row,) = aside(session)
    with transactions.transaction(session):
        assert monitoring.requeue(session, row.id, at("12:20"))
    assert tick(app, "12:20")["start_slots"].did == 1
    assert aside(session) == []


def test_the_databases_trouble_counts_against_no_row(app: Flask, session: Session, poison: Callable[..., None]) -> None:
    poison(OperationalError("UPDATE", {}, Exception("lock timeout")))
    for n in range(4):
        assert tick(app, at("12:10") + n * MINUTE)["start_slots"].error
    assert aside(session) == []


def test_of_a_chunk_only_the_poisoned_row_stays_behind(app: Flask, cast: Letters, session: Session) -> None:
    def open_but_one(session: Session, ids: Sequence[int], now: datetime) -> int:
        assert cast.next_yoga not in ids, "poison"
        return slots.open_these(session, ids, now)

    due = [cast.next_yoga, cast.next_talk, cast.thursday]
    with app.app_context(), pytest.raises(jobs.PartlyDone) as told:
        BatchRunner(Turn(at("Wed 10:00")), "open_slots").chunks(due, open_but_one).result()
    assert told.value.did == 2
    assert [row.row_id for row in aside(session)] == [cast.next_yoga]
    assert session.get_one(Slot, cast.next_talk).state == "open"


def test_one_poisoned_reader_keeps_no_other_from_their_digest(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = monday_and_tuesday(session)
    real, poisoned = digest_writer._details, cast.people["林晓"]

    def details(one: digests.Noted) -> object:
        assert one.person_id != poisoned, "poison"
        return real(one)

    monkeypatch.setattr(digest_writer, "_details", details)
    ran = tick(app, "08:30")["write_worker_digests"]
    assert ran.did == 5
    assert ran.error.startswith(f"{poisoned}: AssertionError")
    session.rollback()
    written = set(session.scalars(select(Digest.person_id)))
    assert written == set(cast.people.values()) - {poisoned}


# A release that comes too late


def test_a_release_that_our_outage_made_late_waits_for_the_manager(app: Flask, session: Session) -> None:
    cast = tuesday(session)
    tick(app, "12:10")
    cast.roll_call(cast.yoga, "12:12")
    tick(app, "12:20:01")
    session.rollback()
    slot = session.get_one(Slot, cast.yoga)
    assert (slot.released_at, slot.release_held_at) == (None, at("12:20:01"))
    assert [s.id for s in slots.held_releases(session, cast.station_id, at("12:00"))] == [cast.yoga]
    assert tick(app, "12:21")["release_no_shows"].did == 0
    tick(app, "13:00")
    session.rollback()
    assert session.scalars(select(Strike)).all() == []
    states = select(Booking.state, Booking.end_reason).where(Booking.slot_id == cast.yoga)
    assert ("released", "release_missed") in [tuple(row) for row in session.execute(states)]


def test_a_release_a_little_late_is_no_outage(app: Flask, session: Session) -> None:
    cast = tuesday(session)
    tick(app, "12:10")
    cast.roll_call(cast.yoga, "12:12")
    assert tick(app, "12:20")["release_no_shows"].did == 3


def test_the_managers_word_releases_what_was_held(app: Flask, session: Session) -> None:
    cast = tuesday(session)
    tick(app, "12:10")
    cast.roll_call(cast.yoga, "12:12")
    tick(app, "12:30")
    assert cast.do(slots.release_held, cast.yoga, at("12:31"), cast.manager_id) == 3
    assert cast.do(slots.release_held, cast.yoga, at("12:32"), cast.manager_id) == 0
    assert slots.held_releases(session, cast.station_id, at("12:00")) == []


def test_nothing_is_released_on_a_word_where_nothing_was_held(app: Flask, session: Session) -> None:
    cast = tuesday(session)
    tick(app, "12:10")
    assert cast.do(slots.release_held, cast.yoga, at("12:16"), cast.manager_id) == 0


# Outages


@pytest.mark.parametrize("down", [timedelta(hours=3), timedelta(days=3)])
def test_after_an_outage_the_first_tick_says_so_catches_up_once_and_punishes_nobody(
    app: Flask, session: Session, down: timedelta
) -> None:
    cast = tuesday(session)
    tick(app, "12:09")
    back = at("12:09") + down
    told = tick(app, back)
    assert [ran.error for ran in told.values() if ran.error] == []
    assert not any(ran.did for name, ran in tick(app, back).items())
    session.rollback()
    (missed,) = session.scalars(select(Outage))
    assert (missed.began_at, missed.ended_at) == (at("12:09"), back)
    assert session.get_one(Slot, cast.yoga).state == "done"
    assert session.scalars(select(Strike)).all() == []
    assert set(session.scalars(select(Digest.date))) <= {TUESDAY, back.date()}, "a digest for a day that is over"
    assert invariants.breaches(session, back) == []


def test_a_restart_is_no_outage(app: Flask, cast: Letters, session: Session) -> None:
    tick(app, "12:00")
    tick(app, "12:04")
    assert session.scalar(select(func.count(Outage.id))) == 0


def test_a_job_of_an_older_version_is_forgotten(app: Flask, cast: Letters, session: Session) -> None:
    run_of(session, name="no_such_job_any_more", finished_at=at("Mon 12:00"))
    tick(app, "12:00")
    assert set(session.scalars(select(JobRun.name))) == {job.name for job in jobs.TIMETABLE}


# On time


def run_of(session: Session, **columns: object) -> None:
    with transactions.transaction(session):
        session.merge(JobRun(**{"name": "promote", "every": 2, "started_at": at("12:00"), **columns}))


@pytest.mark.parametrize(
    ("columns", "late"),
    [
        ({"finished_at": at("12:00")}, True),
        ({"finished_at": at("12:00"), "seen_at": at("12:09")}, False),
        ({"finished_at": None, "seen_at": at("12:09:50")}, False),
        ({"finished_at": at("12:00"), "every": 3600}, False),
    ],
)
def test_a_job_is_late_when_nobody_has_seen_it_for_longer_than_its_pace(
    session: Session, columns: dict[str, object], late: bool
) -> None:
    run_of(session, **columns)
    assert (monitoring.late_since(session, at("12:10")) is not None) == late
    (state,) = monitoring.jobs(session, at("12:10"), {"promote": 4})
    assert (state.late, state.backlog) == (late, 4)


@pytest.mark.parametrize(("age", "late"), [(90, False), (91, True)])
def test_a_scheduler_that_has_never_run_is_late_once_the_app_is_in_use(session: Session, age: int, late: bool) -> None:
    assert monitoring.late_since(session, at("12:00")) is None, "nobody has an account yet"
    with transactions.transaction(session):
        session.add(Person(email="lin@example.com", name="林经理", created_at=at("12:00")))
    since = monitoring.late_since(session, at("12:00") + timedelta(seconds=age))
    assert since == (at("12:00") if late else None)


def test_a_long_run_is_no_silence(session: Session) -> None:
    run_of(session, finished_at=at("11:00"), did=7)
    with transactions.transaction(session):
        monitoring.beat(session, {"promote": (2, at("12:00"))}, at("12:10"))
    assert monitoring.late_since(session, at("12:10:30")) is None
    (state,) = monitoring.jobs(session, at("12:10:30"), {})
    assert (state.length, state.started_at, state.did) == (None, at("12:00"), 7)


def test_the_backlog_counts_what_is_due_and_not_done(cast: Letters, session: Session) -> None:
    told = monitoring.slot_backlog(session, at("Mon 10:00"))
    assert told["open_slots"] == 3
    cast.full_tuesday()
    assert monitoring.slot_backlog(session, at("Mon 10:01"))["open_slots"] == 0
    assert monitoring.slot_backlog(session, at("12:10"))["start_slots"] == 2
