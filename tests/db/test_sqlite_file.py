"""SQLite's file in trouble: a calm page for who reads, a sentence for who operates, and a stack trace for nobody."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, make_url
from sqlalchemy.orm import Session

import config
from booking.db import sqlite_file
from booking.extensions import db
from tests.support import databases
from tests.support.lunch_hour import LunchHour
from tests.support.worker_cast import Phone

pytestmark = pytest.mark.sqlite


@pytest.fixture
def moved(database_url: str, tmp_path: Path) -> Iterator[Path]:
    """A database in a folder of its own, with a lunch hour in it."""
    folder = tmp_path / "station"
    folder.mkdir()
    shutil.copyfile(str(make_url(database_url).database), folder / "lunch.sqlite3")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def lunch(moved: Path) -> Iterator[LunchHour]:
    engine = databases.connect_engine(f"sqlite:///{moved}/lunch.sqlite3")
    with Session(engine) as session:
        yield LunchHour(session)
    engine.dispose()


@pytest.fixture
def phone(make_app: Callable[..., Flask], moved: Path, lunch: LunchHour) -> Phone:
    app = make_app(SQLALCHEMY_DATABASE_URI=f"sqlite:///{moved}/lunch.sqlite3", WRITE_ATTEMPTS_SYNC=False)
    app.jinja_env.bytecode_cache = None  # files of the tests' own
    return Phone(app, lunch, "周明")


@contextmanager
def limited() -> Iterator[None]:
    """No file may grow over a kilobyte, which is how a full disk looks to whoever writes."""
    was, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def read_only(app: Flask) -> Iterator[None]:
    """As on a disk that was mounted so."""
    with app.app_context():
        event.listen(db.engine, "connect", be_read_only)
        db.engine.dispose()
    yield


def be_read_only(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


@pytest.mark.parametrize("harm", [lambda _app: limited(), read_only], ids=["full", "read-only"])
def test_a_file_that_takes_nothing_is_read_and_a_press_is_answered_calmly(
    phone: Phone, caplog: pytest.LogCaptureFixture, harm: Callable[[Flask], AbstractContextManager[None]]
) -> None:
    for clock in ("Mon 09:59", "Mon 10:00"):
        assert phone.get("/s/cbd?day=2026-11-24", clock).status_code == 200
    with harm(phone.client.application):
        assert phone.get("/s/cbd?day=2026-11-24", "Mon 10:00").status_code == 200
        for press in (phone.press, phone.book):
            answer = press("Mon 10:01")
            assert answer.status_code == 503
            assert "Traceback" not in answer.text
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_folder_that_was_moved_away_is_a_calm_page_until_it_is_back(
    phone: Phone, moved: Path, lunch: LunchHour, caplog: pytest.LogCaptureFixture
) -> None:
    lunch.session.close()
    app = phone.client.application
    moved.rename(moved.with_name("elsewhere"))
    with app.app_context():
        db.engine.dispose()
    for answer in (
        phone.get("/s/cbd?day=2026-11-25", "Mon 10:00"),
        phone.press("Mon 10:00"),
        phone.get("/readyz", "Mon 10:00"),
    ):
        assert answer.status_code == 503
        assert "Traceback" not in answer.text
    assert [record for record in caplog.records if record.exc_info] == []
    moved.with_name("elsewhere").rename(moved)
    assert phone.press("Mon 10:01").status_code == 200


def folder_is_gone(path: Path) -> None:
    shutil.rmtree(path.parent)


def file_is_gone(path: Path) -> None:
    path.unlink()


def is_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def is_no_database(path: Path) -> None:
    path.write_bytes(b"no database" * 999)


def is_damaged(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)


TROUBLES: list[tuple[Callable[[Path], None], str]] = [
    (folder_is_gone, "There is no folder"),
    (file_is_gone, "There is no database"),
    (is_a_folder, "cannot be opened"),
    (is_no_database, "is no SQLite database: restore a backup with `flask restore`"),
    (is_damaged, "is damaged: restore a backup with `flask restore`"),
]


@pytest.mark.parametrize(("harm", "said"), TROUBLES)
def test_a_start_on_a_file_that_cannot_serve_is_one_sentence(
    moved: Path, harm: Callable[[Path], None], said: str
) -> None:
    path = moved / "lunch.sqlite3"
    assert sqlite_file.try_out(path) is None
    sqlite_file.remove_leftovers(path)
    harm(path)
    told = sqlite_file.try_out(path) or ""
    assert said in told
    assert str(moved) in told
    assert "\n" not in told


def test_a_start_on_a_full_disk_is_one_sentence(moved: Path) -> None:
    with limited():
        told = sqlite_file.try_out(moved / "lunch.sqlite3") or ""
    assert "disk is full" in told


def test_a_start_beside_a_process_that_writes_goes_on(moved: Path) -> None:
    with closing(sqlite3.connect(moved / "lunch.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert sqlite_file.try_out(moved / "lunch.sqlite3") is None


@pytest.mark.parametrize("command", ["scheduler", "check", "backup x"])
def test_a_command_on_a_folder_that_is_gone_ends_in_one_sentence(tmp_path: Path, command: str) -> None:
    env = {"DATABASE_URL": f"sqlite:///{tmp_path}/gone/lunch.sqlite3", "INSTANCE_PATH": str(tmp_path / "instance")}
    line = [sys.executable, "-m", "flask", "--app", "wsgi", *command.split()]
    ended = subprocess.run(line, env=env, cwd=config.ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1


ON_NO_FILE = [
    "backup x",
    "check",
    "create-user a@example.com --role admin",
    "demo",
    "digest --for worker --station cbd --dry-run",
    "net show cbd",
    "reset-second-factor a@example.com",
    "tick",
    "workdays import setup.cfg",
]


@pytest.mark.parametrize("command", ON_NO_FILE)
def test_a_command_on_a_file_that_is_missing_makes_none(
    make_app: Callable[..., Flask], tmp_path: Path, command: str
) -> None:
    path = tmp_path / "lunch.sqlite3"
    run = make_app(SQLALCHEMY_DATABASE_URI=f"sqlite:///{path}").test_cli_runner()
    ended = run.invoke(args=command.split())
    assert (ended.exit_code, ended.output) == (1, f"Error: {sqlite_file.missing(path)}\n")
    assert not path.exists()


def test_only_its_owner_may_read_a_database_that_is_new(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    path = tmp_path / "lunch.sqlite3"
    was = os.umask(0o022)
    try:
        made = make_app(SQLALCHEMY_DATABASE_URI=f"sqlite:///{path}").test_cli_runner().invoke(args=["db", "upgrade"])
    finally:
        os.umask(was)
    assert made.exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_stands_in_the_wal_moves_into_the_file(moved: Path, lunch: LunchHour) -> None:
    path = moved / "lunch.sqlite3"
    lunch.book("周明", "Mon 10:00")
    lunch.session.close()
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
    sqlite_file.checkpoint(path)
    assert path.with_name(f"{path.name}-wal").stat().st_size == 0
