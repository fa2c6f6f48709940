"""Schema compatibility: code that meets a newer schema goes on where it can, and says so where it cannot."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, event, insert, text
from sqlalchemy.orm import Session

from booking.db import migrating, upgrade_lock
from booking.db.migrating import COMPATIBILITY, NEWEST, OUTDATED, PENDING, STEPS
from booking.db.transactions import transaction
from booking.jobs import scheduler
from tests.support import databases, job_threads
from tests.support.statements import heard

AHEAD = "9998"

FOUND = [
    (NEWEST, "0007", None),
    (NEWEST, None, None),
    (None, None, PENDING),
    ("0010", "0007", PENDING),
    ("9999", "0007", None),
    ("9999", NEWEST, None),
    ("9999", AHEAD, OUTDATED),
    ("9999", None, OUTDATED),
    ("abc1", None, OUTDATED),
]


@pytest.mark.parametrize(("revision", "oldest", "said"), FOUND)
def test_what_code_says_of_the_schema_that_it_finds(
    engine: Engine, revision: str | None, oldest: str | None, said: str | None
) -> None:
    with engine.connect() as connection:
        connection.execute(delete(STEPS))
        connection.execute(delete(COMPATIBILITY))
        if revision:
            connection.execute(insert(STEPS).values(version_num=revision))
        if oldest:
            connection.execute(insert(COMPATIBILITY).values(id=1, oldest_revision=oldest))
        assert migrating.mismatch(connection) == said
        connection.rollback()


def test_a_newer_schema_of_before_there_was_any_word_is_not_served(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("DROP TABLE schema_compatibility"))
        assert migrating.mismatch(connection) == OUTDATED
        connection.rollback()


@contextmanager
def upgraded_by_newer_code(engine: Engine, oldest: str) -> Iterator[None]:
    """Until the end of the block."""

    def write(revision: str, oldest: str) -> None:
        with Session(engine) as session, transaction(session):  # waits in the queue of this process's writers
            session.execute(STEPS.update().values(version_num=revision))
            session.execute(COMPATIBILITY.update().values(oldest_revision=oldest))

    write("9999", oldest)
    try:
        yield
    finally:
        write(NEWEST, "0007")


@pytest.mark.parametrize(("oldest", "status", "said"), [(NEWEST, 200, "ok"), (AHEAD, 503, OUTDATED)])
def test_ready_is_503_only_where_it_cannot_serve(
    client: FlaskClient, engine: Engine, oldest: str, status: int, said: str
) -> None:
    with upgraded_by_newer_code(engine, oldest):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (status, said)


COMMANDS = [
    (NEWEST, ("db", "upgrade"), 0, "Nothing to do: a newer version has upgraded the database"),
    (AHEAD, ("db", "upgrade"), 1, f"Error: {OUTDATED}: use the version that upgraded it"),
    (NEWEST, ("db", "downgrade"), 1, ""),
    (NEWEST, ("tick",), 0, ""),
    (AHEAD, ("tick",), 1, f"Error: {OUTDATED}: use the version that upgraded it"),
]


@pytest.mark.parametrize(
    "command", ["check", "digest --for worker --station cbd --dry-run", "net show cbd", "backup x"]
)
def test_a_command_on_an_older_schema_names_the_remedy(
    make_app: Callable[..., Flask], empty_url: str, tmp_path: Path, command: str
) -> None:
    old = databases.connect_engine(empty_url)
    databases.upgrade(old, "0002")
    old.dispose()
    run = make_app(SQLALCHEMY_DATABASE_URI=empty_url).test_cli_runner()
    ended = run.invoke(args=command.replace("backup x", f"backup {tmp_path}/a").split())
    assert (ended.exit_code, ended.output) == (1, f"Error: {PENDING}: run `flask db upgrade`\n")


@pytest.mark.parametrize(("oldest", "words", "code", "said"), COMMANDS)
def test_what_commands_of_old_code_do(
    app: Flask, engine: Engine, oldest: str, words: tuple[str, ...], code: int, said: str
) -> None:
    with upgraded_by_newer_code(engine, oldest):
        result = app.test_cli_runner().invoke(args=words)
    assert (result.exit_code, said in result.output) == (code, True), result.output


class Alone:
    """The only candidate."""

    def acquire(self) -> bool:
        return True

    holds = acquire

    def release(self) -> None:
        pass


def test_a_scheduler_leads_only_while_its_code_can_serve_the_schema(
    app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    looks: list[str | None] = []
    look = scheduler._mismatch
    monkeypatch.setattr(scheduler, "_mismatch", lambda app: looks.append(look(app)) or looks[-1])
    ending = threading.Event()
    turns = (app, Alone(), ending, threading.Event(), lambda line: said.append(line.split(maxsplit=2)[2]))
    thread = threading.Thread(target=scheduler._take_turns, args=turns)
    with job_threads.ended(), ended_with(thread, ending):
        eventually(lambda: said == ["leads"])
        with upgraded_by_newer_code(engine, AHEAD):
            eventually(lambda: said == ["leads", f"waits: {OUTDATED}"])
        eventually(lambda: said[2:] == ["leads"])
        with upgraded_by_newer_code(engine, NEWEST):
            before = len(looks)
            eventually(lambda: len(looks) > before + 1)
        assert len(said) == 3


@contextmanager
def ended_with(thread: threading.Thread, ending: threading.Event) -> Iterator[None]:
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(60)


def eventually(true: Callable[[], bool]) -> None:
    deadline = monotonic() + 60
    while not true():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.02)


@contextmanager
def upgrading(engine: Engine, capsys: pytest.CaptureFixture[str], said: str) -> Iterator[None]:
    """An upgrade by somebody else, who has said so at the beginning of the block and is done some time after its end."""
    heard_of: list[str] = []
    thread = threading.Thread(target=databases.upgrade, args=[engine])
    thread.start()
    try:
        eventually(lambda: bool(heard_of.append(capsys.readouterr().err)) or said in "".join(heard_of))
        yield
    finally:
        thread.join(60)


def test_a_second_upgrade_waits_for_the_first_and_finds_nothing_to_do(
    empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = databases.connect_engine(empty_url), databases.connect_engine(empty_url)
    said: list[str] = []
    with ExitStack() as stack, first.connect() as connection, upgrade_lock.held(connection, said.append):
        stack.enter_context(upgrading(second, capsys, upgrade_lock.WAITING))
        assert migrating.mismatch(connection) == PENDING
    with heard(first) as sent:
        databases.upgrade(first)
    assert migrating.mismatch_now(first) is None
    assert said == []
    assert [one.text for one in sent if one.text.startswith(("CREATE", "ALTER", "UPDATE", "INSERT"))] == []
    for engine in (first, second):
        engine.dispose()


def test_a_step_that_does_not_get_its_locks_is_tried_again(
    empty_url: str, backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On PostgreSQL somebody reads the table, on SQLite somebody writes to the file."""
    mine, others = databases.connect_engine(empty_url), databases.connect_engine(empty_url)
    if backend == "sqlite":
        event.listen(mine, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout = 1"))
    databases.upgrade(mine, "0009")
    with ExitStack() as stack, others.connect().execution_options(write=True) as holder:
        holder.execute(text("SELECT 1 FROM letter"))
        stack.enter_context(upgrading(mine, capsys, "Somebody holds what is to be changed"))
        assert migrating.mismatch(holder) == PENDING
    assert migrating.mismatch_now(mine) is None
    for engine in (mine, others):
        engine.dispose()
