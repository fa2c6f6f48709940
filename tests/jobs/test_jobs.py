"""Jobs: everything that is due and not done, once, whoever runs them and however often."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Engine, func, make_url, select, text
from sqlalchemy.orm import Session

import config
from booking import clock, jobs, seats
from booking.db import transactions
from booking.db.file_lock import FileLock
from booking.jobs import leader_election, schedule
from booking.jobs.schedule import Job
from booking.jobs.scheduler import Watch
from booking.model import Booking, Event, JobRun, Letter, Outage, Plan, Slot, Strike, Zone
from tests.support import job_threads, log_guard
from tests.support.letter_cast import Letters, monday_and_tuesday, tuesday
from tests.support.lunch_hour import TUESDAY, LunchHour, at


@pytest.fixture
def cast(session: Session) -> Letters:
    return Letters(session)


def tick(app: Flask, clock: str) -> dict[str, int]:
    """What each job did, where it did something; a job that failed fails the test."""
    with app.app_context():
        told = jobs.tick(at(clock))
    assert [ran.error for ran in told if ran.error] == []
    return {ran.name: ran.did for ran in told if ran.did}


def everything(session: Session) -> dict[str, int]:
    """The counts of everything that a job might do twice."""
    session.rollback()
    return {
        table.__name__: session.scalar(select(func.count(table.id))) or 0 for table in (Slot, Event, Strike, Letter)
    }


def test_the_lunch_hour_by_ticks_alone(app: Flask, cast: Letters, session: Session) -> None:
    assert tick(app, "Mon 10:00")["open_slots"] >= 1
    for who in ("林晓", "周明", "李静", "王磊"):
        cast.book(who, cast.yoga, "Mon 10:01")
    assert tick(app, "12:10")["start_slots"] >= 1
    cast.roll_call(cast.yoga, "12:12")
    assert tick(app, "12:15")["release_no_shows"] == 3
    assert tick(app, "13:00")["finish_slots"] >= 1
    states = select(Booking.state, Slot.state).join(Booking.slot)
    assert {tuple(row) for row in session.execute(states)} == {("released", "done"), ("expired", "done")}


@pytest.mark.parametrize("clock", ["Mon 10:00", "08:30", "11:00", "12:10", "12:15", "13:00"])
def test_a_second_tick_does_nothing_again(app: Flask, session: Session, clock: str) -> None:
    monday_and_tuesday(session)
    tick(app, clock)
    before = everything(session)
    assert tick(app, clock) == {}
    assert everything(session) == before


def test_after_three_hours_down_one_tick_catches_up_and_punishes_nobody(app: Flask, session: Session) -> None:
    cast = tuesday(session)
    told = tick(app, "15:10")
    assert told["start_slots"] >= 1
    assert told["finish_slots"] >= 1
    assert session.get_one(Slot, cast.yoga).state == "done"
    assert session.scalars(select(Strike)).all() == []
    assert session.scalars(select(Letter).where(Letter.kind.like("%digest"))).all() == []


def test_plans_become_slots_and_the_calendar_is_learnt(app: Flask, cast: Letters, session: Session) -> None:
    with transactions.transaction(session):
        place = Zone(station_id=cast.station_id, name="会议室", capacity=20)
        session.add(place)
        session.flush()
        yoga = session.get_one(Slot, cast.yoga)
        session.add(
            Plan(
                station_id=cast.station_id,
                activity_id=yoga.activity_id,
                zone_id=place.id,
                weekdays="12345",
                starts=at("12:20").timetz().replace(tzinfo=None),
                minutes=40,
                capacity=12,
                valid_from=TUESDAY,
            )
        )
    told = tick(app, "09:00")
    assert told["learn_workdays"] > 300
    assert told["plan_slots"] == 11
    assert tick(app, "09:00").get("plan_slots") is None


def test_a_failing_job_is_written_down_and_the_others_run(
    app: Flask, cast: Letters, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_turn: schedule.Turn) -> int:
        raise ZeroDivisionError("broken on purpose")

    table = tuple(Job(j.name, j.every, broken if j.name == "plan_slots" else j.work) for j in jobs.TIMETABLE)
    monkeypatch.setattr("booking.jobs.runner.TIMETABLE", table)
    with app.app_context():
        told = {ran.name: ran for ran in jobs.tick(at("Mon 10:00"))}
    assert told["plan_slots"].error == "ZeroDivisionError: broken on purpose"
    assert told["open_slots"].did >= 1
    rows = {run.name: run.error for run in session.scalars(select(JobRun))}
    assert rows["plan_slots"] == "ZeroDivisionError: broken on purpose"
    assert set(rows) == {job.name for job in jobs.TIMETABLE}


def test_one_failing_slot_does_not_delay_the_others(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = tuesday(session)
    real = seats.start

    def start(session: Session, slot_ids: Collection[int], now: datetime) -> int:
        if cast.yesterday in slot_ids:
            raise ZeroDivisionError("poison")
        return real(session, slot_ids, now)

    monkeypatch.setattr(seats, "start", start)
    with app.app_context():
        told = {ran.name: ran for ran in jobs.tick(at("12:10"))}
    assert told["start_slots"].error == f"{cast.yesterday}: ZeroDivisionError: poison"
    assert session.get_one(Slot, cast.yoga).state == "running"


def test_three_ticks_at_once_do_nothing_twice(app: Flask, cast: Letters, session: Session) -> None:
    tick(app, "Mon 09:00")
    cast.full_tuesday()
    for moment in ("08:30", "11:00", "12:10"):
        at_once(3, partial(tick, app, moment))
    cast.roll_call(cast.yoga, "12:12")
    for moment in ("12:15", "13:00"):
        at_once(3, partial(tick, app, moment))
    counted = select(func.count(Event.id)).where(Event.slot_id == cast.yoga).group_by(Event.kind, Event.booking_id)
    assert set(session.scalars(counted)) == {1}
    strikes = select(func.count(Strike.id)).group_by(Strike.booking_id)
    assert set(session.scalars(strikes)) == {1}
    digests = select(func.count(Letter.id)).where(Letter.kind.like("%digest")).group_by(Letter.person_id, Letter.kind)
    assert set(session.scalars(digests)) == {1}


def at_once(number: int, act: Callable[[], object]) -> None:
    together = threading.Barrier(number)
    done: list[bool] = []

    def go() -> None:
        together.wait()
        act()
        done.append(True)

    threads = [threading.Thread(target=go) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == number


# Leader election


@pytest.fixture
def candidate(engine: Engine, tmp_path: Path) -> Iterator[Callable[[], leader_election.Candidate]]:
    made: list[leader_election.Candidate] = []

    def one() -> leader_election.Candidate:
        made.append(leader_election.candidate(engine, tmp_path))
        return made[-1]

    yield one
    for each in made:
        each.release()


def test_one_leads_and_the_next_takes_over(candidate: Callable[[], leader_election.Candidate]) -> None:
    first, second = candidate(), candidate()
    assert first.acquire()
    assert first.holds()
    assert not second.acquire()
    first.release()
    assert not first.holds()
    assert second.acquire()


@pytest.mark.postgresql
def test_a_leader_whose_connection_is_ended_knows_that_it_leads_no_more(
    candidate: Callable[[], leader_election.Candidate], session: Session
) -> None:
    first, second = candidate(), candidate()
    assert first.acquire()
    backend = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = :name")
    session.execute(backend, {"name": "lunch-hour leader"})
    assert not first.holds()
    assert second.acquire()
    assert not first.acquire()


@contextmanager
def scheduler(database_url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The scheduler as a process of its own."""
    settings = {"DATABASE_URL": database_url, "INSTANCE_PATH": str(folder), "APP_ENV": "development"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "scheduler"]
    process = subprocess.Popen(command, env=os.environ | settings, cwd=config.ROOT, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        said = process.communicate()[1]
    log_guard.check(said.decode())


def says(process: subprocess.Popen[bytes], word: str) -> None:
    """Wait until a scheduler says that it leads or waits."""
    assert process.stderr is not None
    said = f'event="scheduler {process.pid} {word}"'
    assert any(said in line.decode() for line in process.stderr)


def eventually(true: Callable[[], bool], seconds: float) -> None:
    """Wait until something is true, at most for that long."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        threading.Event().wait(0.05)


def ran_since(session: Session, moment: datetime) -> bool:
    session.rollback()
    return bool(session.scalar(select(func.count(JobRun.name)).where(JobRun.started_at > moment)))


@pytest.mark.sqlite
def test_a_scheduler_that_ends_leaves_everything_in_the_file(
    database_url: str, session: Session, engine: Engine, tmp_path: Path
) -> None:
    with scheduler(database_url, tmp_path) as process:
        says(process, "leads")
        LunchHour(session)
        session.close()
        engine.dispose()
        process.terminate()
        assert process.wait(30) == 0
    wal = Path(f"{make_url(database_url).database}-wal")
    assert not wal.exists() or wal.stat().st_size == 0


def test_when_the_leader_is_killed_another_leads_within_10_seconds(
    database_url: str, session: Session, tmp_path: Path
) -> None:
    with scheduler(database_url, tmp_path) as first:
        says(first, "leads")
        with scheduler(database_url, tmp_path) as second:
            says(second, "waits")
            first.kill()
            first.wait()
            killed = clock.now()
            eventually(lambda: ran_since(session, killed), 10)
            says(second, "leads")
            second.terminate()
            assert second.wait(30) == 0


def put(session: Session, slot_id: int, now: datetime, **minutes: float) -> None:
    """Move a slot to so many minutes from now, into a zone of its own, where no other slot overlaps it."""
    with transactions.transaction(session):
        slot = session.get_one(Slot, slot_id)
        mine = f"会议室 {slot_id}"
        if slot.zone.name != mine:
            slot.zone = Zone(station_id=slot.station_id, name=mine, capacity=50)
        for name, after in minutes.items():
            setattr(slot, name, now + timedelta(minutes=after))


AHEAD = {
    "free_until": 180,
    "waitlist_until": 180,
    "checkin_from": 180,
    "starts_at": 240,
    "release_at": 300,
    "ends_at": 360,
}


@pytest.mark.one_database
@pytest.mark.parametrize("database_ahead", [timedelta(), timedelta(hours=1)], ids=["at one time", "behind"])
def test_a_host_whose_clock_is_set_back_goes_on_with_the_jobs_and_ends_when_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_ahead: timedelta
) -> None:
    """A job runs once in ten minutes: where it runs again, the clock that was set back is the reason."""
    ran: list[datetime] = []

    def promote(_turn: object) -> int:
        ran.append(clock.now())
        return len(ran)

    monkeypatch.setattr(clock.Offset, "ahead", database_ahead)
    monkeypatch.setattr("booking.jobs.scheduler.TIMETABLE", (Job("promote", 600, promote),))
    ending = threading.Event()
    watch = Watch(app, FileLock(tmp_path / "lock"), ending)
    assert watch.me.acquire()
    keeping = threading.Thread(target=watch.keep)
    with job_threads.ended():
        keeping.start()
        try:
            eventually(lambda: len(ran) == 1, 60)
            with time_machine.travel(datetime.now(UTC) - timedelta(hours=1), tick=True):
                eventually(lambda: len(ran) == 2, 60)
                ending.set()
                keeping.join(60)
        finally:
            ending.set()
    assert not keeping.is_alive()
    assert ran[1] < ran[0]


@pytest.mark.one_database
def test_deadlines_are_met_within_5_seconds(database_url: str, cast: Letters, session: Session, tmp_path: Path) -> None:
    """By the recorded instants, at which a run began, so that a slow test machine does not matter."""
    cast.book("林晓", cast.thursday, "Wed 10:01")
    cast.roll_call(cast.thursday, "Thu 12:00")
    started = {"opens_at": -60, "free_until": -20, "waitlist_until": -20, "checkin_from": -20, "starts_at": -5}
    before = clock.now()
    put(session, cast.next_talk, before, opens_at=120, **AHEAD)
    put(session, cast.thursday, before, opens_at=-60, **AHEAD)
    with scheduler(database_url, tmp_path) as process:
        says(process, "leads")
        eventually(lambda: ran_since(session, before), 60)
        now = clock.now()
        put(session, cast.next_talk, now, opens_at=0.05, **AHEAD)
        put(session, cast.thursday, now, release_at=0.05, ends_at=45, **started)
        lines = select(Event.kind, Event.at).where(
            Event.slot_id.in_((cast.thursday, cast.next_talk)), Event.kind.in_(("opened", "released")), Event.at > now
        )

        def told() -> dict[str, datetime]:
            session.rollback()
            return dict(session.execute(lines).all())

        eventually(lambda: set(told()) == {"opened", "released"}, 60)
    deadline = now + timedelta(minutes=0.05)
    assert {kind: timedelta(0) <= moment - deadline <= timedelta(seconds=5) for kind, moment in told().items()} == {
        "opened": True,
        "released": True,
    }


@pytest.mark.one_database("postgresql")
def test_a_scheduler_that_comes_back_catches_up_in_order(
    database_url: str, cast: Letters, session: Session, tmp_path: Path
) -> None:
    """Three hours without a scheduler, in which a slot began and ended: its release is held before it is closed."""
    now = clock.now()
    began = {"opens_at": -180, "free_until": -175, "waitlist_until": -175, "checkin_from": -175, "starts_at": -170}
    put(session, cast.thursday, now, release_at=-165, ends_at=-120, **began)
    with transactions.transaction(session):
        session.add(JobRun(name="promote", started_at=now - timedelta(hours=3), finished_at=now - timedelta(hours=3)))
    with scheduler(database_url, tmp_path) as process:
        says(process, "leads")

        def done() -> bool:
            session.rollback()
            return session.get_one(Slot, cast.thursday).state == "done"

        eventually(done, 30)
    told = select(Event.kind).where(Event.slot_id == cast.thursday, Event.kind != "planned").order_by(Event.id)
    assert session.scalars(told).all() == ["started", "release_held", "done"]
    (missed,) = session.scalars(select(Outage))
    assert missed.began_at == now - timedelta(hours=3)
