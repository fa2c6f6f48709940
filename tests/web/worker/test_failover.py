"""Failover in a rush: the primary's host vanishes, and its standby is promoted."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from urllib.request import urlopen

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.support import databases, log_guard, memory, packets, postgres, servers
from tests.support.rush import Rush, lies
from tests.support.servers import APP, Ground, Kind
from tests.web.worker.test_rush_kills import DURABLE, PEOPLE, SEATS, SLOTS, scene, the_same_keys_again

GAP = 12  # seconds without an answer
STILL = 3  # seconds for what needs no database, on a machine that does other things too


@dataclass
class Pair:
    """A primary and its standby, which has everything that was ever acknowledged."""

    primary: postgres.Server
    standby: postgres.Server

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{server.url.port}" for server in (self.primary, self.standby))
        return f"postgresql://postgres@{hosts}/postgres"


@contextmanager
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        primary = stack.enter_context(postgres.own(memory.MEMORY, DURABLE))
        with engine_of(primary) as engine:
            databases.upgrade(engine)
        standby = stack.enter_context(postgres.standby(primary, memory.MEMORY, DURABLE))
        sql(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        sql(primary, "SELECT pg_reload_conf()")
        yield Pair(primary, standby)


@contextmanager
def engine_of(server: postgres.Server) -> Iterator[Engine]:
    engine = databases.connect_engine(server.url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()


def sql(server: postgres.Server, text: str) -> None:
    with psycopg.connect(postgres.plain(server.url), autocommit=True) as connection:
        connection.execute(text.encode())


@dataclass
class Probe:
    """Asks again and again for what needs no database."""

    port: int
    over: Event = field(default_factory=Event)
    longest: float = 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        threads = [Thread(target=self._ask, args=[path]) for path in ("/healthz", "/static/css/app.css")]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()

    def _ask(self, path: str) -> None:
        while not self.over.wait(0.1):
            began = monotonic()
            urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60).close()
            self.longest = max(self.longest, monotonic() - began)


@contextmanager
def scheduling(place: Ground) -> Iterator[Path]:
    """`flask scheduler`; yields the file of what it says."""
    log = place.folder / "scheduler"
    with log.open("wb") as said:
        command = ["setpriv", "--pdeathsig", "KILL", str(servers.BIN / "flask"), "scheduler"]
        process = subprocess.Popen(command, env=servers.environment(place.settings()), stdout=said, stderr=said)
    try:
        wait_for(log, 1)
        yield log
    finally:
        process.terminate()
        process.wait(30)
    log_guard.check(log.read_text())


def wait_for(log: Path, times: int) -> None:
    deadline = monotonic() + 60
    while log.read_text().count(" leads") < times:
        assert monotonic() < deadline, log.read_text()
        sleep(0.1)


@pytest.mark.whole
@pytest.mark.parametrize("phones", [24, 200])
def test_a_primary_that_vanishes_in_a_rush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phones: int) -> None:
    monkeypatch.setattr("tests.support.rush.PHONES", phones)
    with pair() as both, ExitStack() as fault, ExitStack() as stack:
        with engine_of(both.primary) as engine, Session(engine) as session:
            here = scene(Ground(both.url, tmp_path), session)
        taps = here.taps()
        said = stack.enter_context(scheduling(here.place))
        server = stack.enter_context(servers.serving(Kind(workers=1), APP, here.place.settings(), tmp_path / "log"))
        run, probe, gone = Rush(server.port, taps), Probe(server.port), []

        def vanish() -> None:
            gone.append(monotonic())
            fault.enter_context(packets.dropped(both.primary.url.port or 0))
            sql(both.standby, "SELECT pg_promote()")

        run.harms[PEOPLE // 3] = vanish
        with probe.asking():
            run.run()
        session = stack.enter_context(Session(stack.enter_context(engine_of(both.standby))))
        after = replace(here, session=session)
        gap = min(tap.answered for tap in taps if tap.answered > gone[0] + 1) - gone[0]
        assert gap < GAP
        assert probe.longest < STILL
        assert lies(after.session, taps) == []
        assert [tap.said for tap in taps].count("booked") == SLOTS * SEATS
        assert after.sound()
        the_same_keys_again(server, after, taps)
        wait_for(said, 2)
