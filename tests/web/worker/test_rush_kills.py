"""Crash tests of web processes and PostgreSQL during a rush: what was answered before and after is true."""

import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import clock, invariants, slots
from booking.db import transactions
from booking.model import Activity, Booking, SignIn, Slot, Zone
from booking.people import SIGN_IN_LASTS
from tests.support import databases, memory, postgres, servers, visits
from tests.support.lunch_hour import make_people, make_station
from tests.support.rush import Rush, Shipped, Tap, lies, moments
from tests.support.servers import APP, Ground, Server
from tests.support.snapshots import seed_workdays
from tests.support.visits import Visit

SLOTS, SEATS, PEOPLE = 12, 15, 420  # so that half of the people find a full slot
BACK = 5  # seconds from the database's first answer to ours
# A commit survives a crash of PostgreSQL (fsync is for one of the machine), unless it was not waited for.
DURABLE = ("fsync=off", "full_page_writes=off")
FORGETFUL = (*DURABLE, "synchronous_commit=off", "wal_writer_delay=10s", "wal_writer_flush_after=1GB")


@dataclass
class Scene:
    """A station whose slots are open, except the last one, and people who are signed in."""

    place: Ground
    session: Session
    open: list[int]
    shut: int
    visits: list[Visit]

    def taps(self) -> list[Tap]:
        """Everybody books once, every seventh the slot that is not open."""
        targets = [self.shut if n % 7 == 6 else self.open[n % SLOTS] for n in range(len(self.visits))]
        return [Tap(slot, visit) for slot, visit in zip(targets, self.visits, strict=True)]

    def sound(self) -> bool:
        self.session.rollback()
        assert invariants.breaches(self.session, clock.now()) == []
        return True


def scene(place: Ground, session: Session, seats: int = SEATS) -> Scene:
    now = clock.now()
    with transactions.transaction(session):
        seed_workdays(session)
        station_id = make_station(session, "cbd")
        made = [_slot(session, station_id, n, seats, now) for n in range(SLOTS + 1)]
        opened = update(Slot).where(Slot.id.in_(made[:-1])).values(opens_at=now - timedelta(minutes=1))
        session.execute(opened)
        session.execute(update(Slot).where(Slot.id == made[-1]).values(opens_at=now + timedelta(hours=1)))
    with transactions.transaction(session):
        slots.open_due(session, now)
    with transactions.transaction(session):
        tokens = visits.tokens(make_people(session, [f"p{n}" for n in range(PEOPLE)]).values())
        lasts = {"created_at": now, "expires_at": now + SIGN_IN_LASTS}
        for person, token in tokens.items():
            session.add(SignIn(person_id=person, token_hash=visits.hashed(token), **lasts))
    return Scene(place, session, made[:-1], made[-1], visits.visits(tokens))


def _slot(session: Session, station_id: int, number: int, seats: int, now: datetime) -> int:
    zone = Zone(station_id=station_id, name=f"板块 {number}", capacity=1000)
    session.add(zone)
    session.flush()
    activity = session.scalars(select(Activity.id)).first() or 0
    day = now.date() + timedelta(days=3)
    wish = slots.OneOff(activity, zone.id, day, time(12, 10), 50, seats)
    return slots.add(session, station_id, wish, now - timedelta(days=1)).id


Make = Callable[..., Scene]


@pytest.fixture
def small(database_url: str, session: Session, tmp_path: Path) -> Make:
    """The embedded database."""
    return lambda **more: scene(Ground(database_url, tmp_path), session, **more)


@contextmanager
def own_database(settings: tuple[str, ...], folder: Path) -> Iterator[tuple[postgres.Server, Scene]]:
    """PostgreSQL on its own, to be killed."""
    with postgres.own(memory.MEMORY, settings) as server:
        url = server.url.render_as_string(hide_password=False)
        engine = databases.connect_engine(url)
        databases.upgrade(engine)
        with Session(engine) as session:
            yield server, scene(Ground(url, folder), session)
        engine.dispose()


@contextmanager
def serving(scene: Scene, workers: int, target: str = APP, **env: str) -> Iterator[Server]:
    settings = scene.place.settings() | env
    with servers.serving(Shipped(workers), target, settings, log=scene.place.folder / "log") as server:
        yield server


def kill_one(server: Server, chance: random.Random) -> None:
    """SIGKILL one of the worker processes; another is started in its place."""
    for _ in range(1000):
        mothers = servers.children(server.process.pid)
        if found := sorted(child for mother in mothers for child in servers.children(mother)):
            os.kill(chance.choice(found), signal.SIGKILL)
            return
        sleep(0.01)
    raise AssertionError("no web process is there to be killed")


def rush(server: Server, taps: list[Tap], seed: int, kills: int) -> Rush:
    chance = random.Random(seed)
    when = moments(seed, 20, len(taps) - 60, kills)
    return Rush(server.port, taps, {moment: lambda: kill_one(server, chance) for moment in when})


def the_same_keys_again(server: Server, scene: Scene, taps: list[Tap]) -> None:
    """Everybody's booking once more: the same booking, and the answer says so; the same refusal; nothing new."""
    before = kept(scene)
    again = [Tap(tap.slot, tap.visit) for tap in taps]
    Rush(server.port, again).run()
    assert [tap.said for tap in again] == [tap.said for tap in taps]
    for first, second in zip(taps, again, strict=True):
        if first.said == "booked":
            assert "这一场你已经约上了" in second.words
        elif first.said == "waiting":
            assert place(second) == place(first)
    assert kept(scene) == before


def kept(scene: Scene) -> list[tuple[int, int, str]]:
    scene.session.rollback()
    found = select(Booking.id, Booking.person_id, Booking.state).order_by(Booking.id)
    return [(row.id, row.person_id, row.state) for row in scene.session.execute(found)]


def place(tap: Tap) -> str:
    found = re.search(r"排在第 (\d+) 位", tap.words)
    assert found, tap.words
    return found[1]


def examine(server: Server, scene: Scene, taps: list[Tap]) -> None:
    assert lies(scene.session, taps) == []
    said = [tap.said for tap in taps]
    assert said.count("booked") == SLOTS * SEATS
    assert said.count("no: not_open") == PEOPLE // 7
    assert said.count("waiting") == PEOPLE - SLOTS * SEATS - PEOPLE // 7
    assert scene.sound()
    the_same_keys_again(server, scene, taps)
    assert scene.sound()


@pytest.mark.sqlite
def test_the_only_web_process_killed_again_and_again(small: Make) -> None:
    here = small()
    with serving(here, 1) as server:
        taps = here.taps()
        rush(server, taps, seed=1, kills=3).run()
        assert max(tap.tries for tap in taps) > 1  # some answers were lost, or not sent
        examine(server, here, taps)


@pytest.mark.whole
def test_web_processes_and_postgresql_killed_in_one_rush(tmp_path: Path) -> None:
    with own_database(DURABLE, tmp_path) as (database, here), serving(here, 3) as server:
        taps = here.taps()
        run = rush(server, taps, seed=2, kills=4)
        back = []

        def crash() -> None:
            database.restart_at_once()
            back.append(monotonic())

        run.harms[PEOPLE // 2] = crash
        run.run()
        assert max(tap.tries for tap in taps) > 1
        after = min(tap.answered for tap in taps if tap.answered > back[0])
        assert after - back[0] < BACK
        examine(server, here, taps)


# The controls: breaches must be noticed.


@pytest.mark.whole
def test_control_a_database_that_does_not_wait_for_its_commits_loses_seats(tmp_path: Path) -> None:
    with own_database(FORGETFUL, tmp_path) as (database, here), serving(here, 2) as server:
        taps = here.taps()
        Rush(server.port, taps, {PEOPLE // 2: database.restart_at_once}).run()
        assert any(line.startswith("lost") for line in lies(here.session, taps))


@pytest.mark.sqlite
def test_control_an_answer_before_the_commit_is_detected(small: Make) -> None:
    here = small(seats=1000)
    with serving(here, 1, "tests.support.fake_smtp:app", LIE="early") as server:
        taps = here.taps()
        rush(server, taps, seed=3, kills=1).run()
        assert any(line.startswith("lost") for line in lies(here.session, taps))


@pytest.mark.whole
@pytest.mark.sqlite
def test_control_a_refusal_of_a_committed_booking_is_detected(small: Make) -> None:
    here = small()
    with serving(here, 1, "tests.support.fake_smtp:app", LIE="no") as server:
        taps = here.taps()[:40]
        Rush(server.port, taps).run()
        assert any(line.startswith("refused and yet booked") for line in lies(here.session, taps))
