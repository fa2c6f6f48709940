"""Clock offset: all hosts go by the database's clock, however wrong their own is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import pytest
from flask import Flask
from sqlalchemy import Engine, Interval, literal, update
from sqlalchemy.orm import Session

from booking import clock
from booking.db import clock_offset, transactions
from booking.jobs import metrics
from booking.model import Slot
from booking.model.base import UtcDateTime
from booking.seats.booking import press
from booking.seats.look import Asked
from tests.support import rush, servers, visits
from tests.support.lunch_hour import LunchHour
from tests.support.servers import APP, Ground, Kind
from tests.web.worker.test_rush_kills import scene

FAST = timedelta(minutes=3)


@pytest.fixture(autouse=True)
def right_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.Offset, "ahead", timedelta())


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Move the clock of this host."""
    return lambda off: monkeypatch.setattr(clock, "on_this_host", lambda: datetime.now(UTC) + off)


@pytest.mark.postgresql
@pytest.mark.parametrize(("off", "ahead", "says"), [(FAST, -180, 1), (-FAST, 180, 1), (timedelta(seconds=1), -1, 0)])
def test_a_host_goes_by_the_databases_clock(
    engine: Engine,
    host: Callable[[timedelta], None],
    caplog: pytest.LogCaptureFixture,
    off: timedelta,
    ahead: float,
    says: int,
) -> None:
    host(off)
    assert clock_offset.measure(engine)
    assert clock.ahead() == pytest.approx(ahead, abs=0.5)
    assert clock.now() == pytest.approx(datetime.now(UTC) - off, abs=timedelta(seconds=0.5))
    assert sum("set it right" in line for line in caplog.messages) == says


@pytest.mark.postgresql
def test_a_clock_that_is_right_is_left_to_run_evenly(engine: Engine, host: Callable[[timedelta], None]) -> None:
    for off in (timedelta(milliseconds=20), timedelta(milliseconds=-20)):
        host(off)
        assert clock_offset.measure(engine)
        assert clock.Offset.ahead == timedelta()


@pytest.mark.postgresql
def test_the_last_measurement_counts_while_the_database_is_away(
    host: Callable[[timedelta], None], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    host(FAST)
    assert clock_offset.measure(engine)
    monkeypatch.setattr(clock_offset, "SLOWEST", 0.0)
    host(-FAST)
    assert not clock_offset.measure(engine)
    assert clock.ahead() == pytest.approx(-180, abs=0.5)


@pytest.mark.postgresql
@pytest.mark.parametrize(("followed", "outcome"), [(True, "not_open"), (False, None)], ids=["measured", "control"])
def test_a_host_whose_clock_jumps_gives_no_seat_early(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch, followed: bool, outcome: str | None
) -> None:
    """Right when it was measured last, then a minute fast: the press's own statement tells."""
    monkeypatch.setattr(clock.Offset, "is_followed", followed)
    real, lunch = datetime.now(UTC), LunchHour(session)
    with transactions.transaction(session) as writing:
        later = real + timedelta(seconds=30) - writing.get_one(Slot, lunch.slot_id).opens_at
        instants = [column for column in Slot.__table__.columns if isinstance(column.type, UtcDateTime)]
        writing.execute(update(Slot).values({column.name: column + literal(later, Interval()) for column in instants}))
    monkeypatch.setattr(clock, "on_this_host", lambda: datetime.now(UTC) + timedelta(minutes=1))
    fast = datetime.now(UTC) + timedelta(minutes=1)
    asked = [Asked(lunch.slot_id, fast, None, person, ahead=timedelta()) for person in lunch.people.values()]
    first, later = press(engine, asked[0]), press(engine, asked[1])
    assert [found.refusal and found.refusal.reason for found in (first, later)] == [outcome] * 2


@pytest.mark.sqlite
def test_on_sqlite_the_hosts_clock_counts(engine: Engine, host: Callable[[timedelta], None]) -> None:
    host(FAST)
    clock_offset.follow(engine)
    assert clock.Offset.ahead == timedelta()


@pytest.mark.parametrize(("ahead", "off"), [(timedelta(seconds=-180), True), (timedelta(seconds=1), False)])
def test_a_host_that_is_off_says_so(app: Flask, monkeypatch: pytest.MonkeyPatch, ahead: timedelta, off: bool) -> None:
    monkeypatch.setattr(clock.Offset, "ahead", ahead)
    told = app.test_client().get("/readyz")
    assert (told.status_code, told.json["clock_off"], told.json["clock_offset_seconds"]) == (
        200,
        off,
        ahead.total_seconds(),
    )
    figure = metrics.registry(app, lambda: True).get_sample_value("booking_clock_offset_seconds")
    assert figure == ahead.total_seconds()


def first_seat(server: servers.Server, slot: int, visit: visits.Visit) -> datetime:
    """When somebody who presses again and again has a seat."""
    for _ in range(300):
        _status, text = rush.asked(server.port, visits.press(slot, visit))
        if 'data-mine="booked"' in text:
            return datetime.now(UTC)
        sleep(0.1)
    raise AssertionError("no seat was given")


class Factory(Kind):
    """A web server that is told how to make the app, without what `wsgi` does beside."""

    def command(self, target: str, port: int) -> list[str]:
        return [*super().command(target, port), "--factory"]


@pytest.mark.whole
@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("kind", "target", "early"),
    [(Kind(workers=1), APP, False), (Factory(workers=1), "booking.app:create_app", True)],
    ids=["by the database's clock", "control"],
)
def test_of_two_hosts_three_minutes_apart_none_gives_a_seat_early(
    database_url: str, session: Session, tmp_path: Path, kind: Kind, target: str, early: bool
) -> None:
    here = scene(Ground(database_url, tmp_path), session)
    fake = {"LD_PRELOAD": str(next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), "FAKETIME": "+180s"}
    settings = here.place.settings(PRESS_LIMIT="1000 per minute")
    with servers.serving(kind, target, settings | fake) as fast, servers.serving(kind, target, settings) as right:
        with transactions.transaction(session):
            opens_at = datetime.now(UTC) + timedelta(seconds=5)
            session.execute(update(Slot).where(Slot.id == here.shut).values(opens_at=opens_at))
        with ThreadPoolExecutor() as threads:
            given = threads.map(first_seat, (fast, right), [here.shut] * 2, here.visits)
            assert [at < opens_at for at in given] == [early, False]
