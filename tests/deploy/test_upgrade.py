"""Upgrades with traffic: old and new code side by side on one database, while its schema changes under them."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import config
from booking.db import upgrade_lock
from booking.db.migrating import OUTDATED, PENDING
from tests.support import log_guard, next_release, servers, visits
from tests.support.rush import Rush, Tap, asked, lies
from tests.support.servers import APP, BIN, Ground, Kind, Server, environment
from tests.web.worker.test_rush_kills import Scene, scene

PATIENCE = 120  # seconds, on a machine that does other things too
SMALL = 160  # people
OK = (200, "ok")


@pytest.fixture
def whole(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether at full size. Else with fewer phones, so that the upgrade is soon done."""
    is_whole = bool(request.config.getoption("--whole"))
    if not is_whole:
        monkeypatch.setattr("tests.support.rush.PHONES", 6)
    return is_whole


@dataclass
class Presses:
    """The taps of a rush that lasts until it is over: everybody's first one, and between them the same ones again."""

    first: list[Tap]
    made: list[Tap] = field(default_factory=list)
    over: bool = False

    def __iter__(self) -> Iterator[Tap]:
        for n, tap in enumerate(self.first):
            yield self._noted(tap)
            if not self.over:
                yield from (self._noted(Tap(one.slot, one.visit)) for one in self.first[max(0, n - 3) : n])
        for one in cycle(self.first):
            if self.over:
                return
            yield self._noted(Tap(one.slot, one.visit))

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Press until the end of the block, however that ends."""
        try:
            yield
        finally:
            self.over = True

    def _noted(self, tap: Tap) -> Tap:
        self.made.append(tap)
        return tap


@dataclass
class Release:
    """One version of the app on the database of a scene."""

    tree: Path
    here: Scene
    name: str

    @property
    def settings(self) -> dict[str, str]:
        return self.here.place.settings(PRESS_LIMIT="100000 per minute")

    @property
    def log(self) -> Path:
        """What its commands say."""
        return self.here.place.folder / f"{self.name}.log"

    @contextmanager
    def serving(self) -> Iterator[Server]:
        log = self.here.place.folder / f"{self.name}-web.log"
        with servers.serving(Kind(workers=1), APP, self.settings, log, self.tree) as server:
            yield server

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A `flask` command."""
        command = ["setpriv", "--pdeathsig", "KILL", str(BIN / "flask"), *words]
        with self.log.open("ab") as said:
            process = subprocess.Popen(
                command, cwd=self.tree, env=environment(self.settings, self.tree), stdout=said, stderr=said
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)
        log_guard.check(self.log.read_text())

    def says(self, words: str) -> None:
        until(lambda: words in self.log.read_text(), True)

    def upgrade(self) -> None:
        with self.running("db", "upgrade") as process:
            assert process.wait(PATIENCE) == 0, self.log.read_text()


def until(told: Callable[[], object], wanted: object) -> None:
    deadline = monotonic() + PATIENCE
    while (now := told()) != wanted:
        assert monotonic() < deadline, now
        sleep(0.02)


def ready(server: Server) -> tuple[int, str]:
    status, answer = asked(server.port, visits.get("/readyz"))
    return status, json.loads(answer)["status"]


@contextmanager
def held(engine: Engine, table: str) -> Iterator[None]:
    """Somebody reads the table in a transaction that does not end."""
    with engine.connect() as reader:
        reader.execute(text(f"SELECT FROM {table} LIMIT 1"))
        yield


def upgrade_in_a_rush(release: Release, engine: Engine, rush: Rush, times: int) -> None:
    """Several upgrades at once, and a reader whom the step has to wait for: those who press wait for none of them."""
    with ExitStack() as stack:
        with held(engine, "person"):
            started = [stack.enter_context(release.running("db", "upgrade")) for _ in range(times)]
            release.says("Somebody holds what")
            if times > 1:
                release.says(upgrade_lock.WAITING)
            answers = rush.answers
            until(lambda: rush.answers > answers + 20, True)
        assert {process.wait(PATIENCE) for process in started} == {0}, release.log.read_text()


@pytest.mark.whole
@pytest.mark.postgresql
def test_old_and_new_code_side_by_side_through_a_step_under_a_rush(
    database_url: str, engine: Engine, session: Session, tmp_path: Path, catalogues: None, whole: bool
) -> None:
    here = scene(Ground(database_url, tmp_path), session)
    parts = [here.taps()[n : None if whole else SMALL : 4] for n in range(4)]
    old = Release(config.ROOT, here, "old")
    new = Release(next_release.expanded(tmp_path / "expanded"), here, "new")
    with old.serving() as before, new.serving() as after, ExitStack() as stack:
        if whole:
            stack.enter_context(old.running("scheduler"))
            old.says(" leads")
        assert (ready(before), ready(after)) == (OK, (503, PENDING))
        assert f"not ready: {PENDING}" in (tmp_path / "new-web.log").read_text()
        presses = Presses(parts[0])
        during = Rush(before.port, presses)

        def step() -> None:
            with presses.going_on():
                upgrade_in_a_rush(new, engine, during, times=2 if whole else 1)
                until(lambda: ready(after), OK)

        during.harms[10] = step
        during.run()
        together(Rush(before.port, parts[1]), Rush(after.port, parts[2]))
        assert ready(before) == OK
        made = [*presses.made, *parts[1], *parts[2]]
        assert {tap.tries for tap in made} == {1}
        assert lies(session, made) == []
        assert here.sound()

        Release(next_release.contracted(tmp_path / "contracted"), here, "contract").upgrade()
        until(lambda: ready(before), (503, OUTDATED))
        if whole:
            old.says(f" waits: {OUTDATED}")
            assert old.log.read_text().count(" leads") == 1
        assert ready(after) == OK
        Rush(after.port, parts[3][0::2]).run()
        assert lies(session, [*made, *parts[3][0::2]]) == []
        with pytest.raises(AssertionError, match="500"):  # the control: a rush notices code that cannot serve
            Rush(before.port, parts[3][1::2]).run()


def together(*rushes: Rush) -> None:
    wrong: list[Any] = []

    def run(rush: Rush) -> None:
        try:
            rush.run()
        except AssertionError as error:
            wrong.append(error)

    threads = [Thread(target=run, args=[rush]) for rush in rushes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
