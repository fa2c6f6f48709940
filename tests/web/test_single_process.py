"""Single process: one web process serves a SQLite database, a second waits for a hand-over and then refuses."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click import ClickException
from flask import Flask
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from booking.db import sqlite_file
from booking.web import single_process
from tests.support.lunch_hour import LunchHour
from tests.support.servers import Ground, Kind, environment, serving

ONE = Kind("granian", 1, 4)


@pytest.fixture
def claimed() -> Iterator[list[Flask]]:
    """What this process has claimed, given up at the end."""
    apps: list[Flask] = []
    yield apps
    for app in apps:
        app.extensions["web_lock"].release()


@pytest.mark.sqlite
def test_a_second_process_refuses_after_the_time_of_a_hand_over(
    make_app: Callable[..., Flask], claimed: list[Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_process, "HAND_OVER", 0.3)
    first, second = make_app(), make_app()
    single_process.claim(first)
    claimed.append(first)
    with pytest.raises(ClickException, match="Another web process serves"):
        single_process.claim(second)
    # The parent that began it begins another: that one knows, and does not wait again.
    monkeypatch.setattr(single_process, "HAND_OVER", 3600)
    with pytest.raises(ClickException, match="Another web process serves"):
        single_process.claim(second)


@pytest.mark.sqlite
def test_a_second_process_serves_as_soon_as_the_first_has_ended(
    make_app: Callable[..., Flask], claimed: list[Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()
    monkeypatch.setattr(single_process, "sleep", lambda _seconds: looked.set())
    monkeypatch.setattr(single_process, "HAND_OVER", 10**6)
    first, second = make_app(), make_app()
    single_process.claim(first)
    waits = threading.Thread(target=single_process.claim, args=(second,))
    waits.start()
    assert looked.wait(30)
    first.extensions["web_lock"].release()
    waits.join(30)
    claimed.append(second)
    assert second.extensions["web_lock"].holds()


@pytest.mark.sqlite
def test_the_successor_of_the_same_server_serves_beside_the_one_that_ends(
    make_app: Callable[..., Flask], claimed: list[Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after HUP. It has the lock as soon as the other has ended; of another server's process it knows nothing."""
    monkeypatch.setattr(single_process, "HAND_OVER", 0.3)
    monkeypatch.setattr(single_process, "RELOADED", -1)
    first, second = make_app(), make_app()
    single_process.claim(first)
    single_process.claim(second)
    claimed.append(second)
    lock = second.extensions["web_lock"]
    assert not lock.holds()
    first.extensions["web_lock"].release()
    (follower,) = (thread for thread in threading.enumerate() if thread.name == "web-lock")
    follower.join(30)
    assert lock.holds()
    lock.note("served 1")
    with pytest.raises(ClickException, match="Another web process serves"):
        single_process.claim(make_app())


@pytest.mark.postgresql
def test_any_number_serves_postgresql(make_app: Callable[..., Flask]) -> None:
    for app in (make_app(), make_app()):
        single_process.claim(app)


@pytest.mark.sqlite
def test_commands_and_the_scheduler_run_beside_it(
    make_app: Callable[..., Flask], claimed: list[Flask], database_url: str
) -> None:
    app = make_app()
    single_process.claim(app)
    claimed.append(app)
    assert app.test_cli_runner().invoke(args=["tick"]).exit_code == 0
    path = Path(make_url(database_url).database or "")
    assert sqlite_file.scheduler_lock(path).acquire()


@pytest.mark.sqlite
def test_a_server_that_ends_leaves_everything_in_the_file(session: Session, database_url: str, tmp_path: Path) -> None:
    """Where the file alone is copied afterwards, nothing is missing."""
    lunch = LunchHour(session)
    wal = Path(f"{make_url(database_url).database}-wal")
    with serving(ONE, "wsgi:app", Ground(database_url, tmp_path).settings()) as server:
        lunch.book("周明", "Mon 10:00")
        session.close()
        assert wal.stat().st_size > 0
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)
    assert not wal.exists() or wal.stat().st_size == 0


@pytest.mark.sqlite
@pytest.mark.whole
def test_a_second_server_ends_with_a_sentence(session: Session, database_url: str, tmp_path: Path) -> None:
    settings = Ground(database_url, tmp_path).settings()
    with serving(ONE, "wsgi:app", settings) as server:
        command = [*ONE.command("wsgi:app", server.port + 1), "--respawn-failed-workers"]
        second = subprocess.run(
            command, env=environment(settings), capture_output=True, text=True, check=False, timeout=300
        )
        assert "Error: Another web process serves" in second.stderr
        assert "Traceback" not in second.stderr
