"""Health checks: what monitoring is told."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from alembic import command
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from booking.extensions import db
from booking.model import JobRun, MailPause
from tests.support import databases
from tests.support.statements import heard

pytestmark = pytest.mark.both
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def test_a_living_process_says_so(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready_tells_how_long_ago_the_scheduler_worked(client: FlaskClient, session: Session) -> None:
    session.add(JobRun(name="open", started_at=NOW - timedelta(seconds=13), finished_at=NOW - timedelta(seconds=12)))
    session.commit()
    with time_machine.travel(NOW, tick=False):
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["scheduler_age_seconds"], answer.json["late"]) == ("ok", 12.0, False)


@pytest.mark.parametrize(("lasts", "asked"), [(1000, 1), (0, 3)], ids=["kept", "control"])
def test_ready_asks_the_database_once_however_many_ask(make_app: Callable[..., Flask], lasts: int, asked: int) -> None:
    app = make_app(CACHE_POLL_SECONDS=lasts)
    with app.app_context(), heard(db.engine) as sent:
        answers = [app.test_client().get("/readyz").json for _ in range(3)]
    assert [answer["status"] for answer in answers] == ["ok"] * 3
    assert sum("FROM job_run" in one.text for one in sent) == asked


def test_ready_tells_each_jobs_last_run_length_backlog_and_next_run_but_no_error(
    client: FlaskClient, session: Session
) -> None:
    session.add(JobRun(name="promote", every=2, started_at=NOW, finished_at=NOW + timedelta(seconds=3), error="secret"))
    session.commit()
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        answer = client.get("/readyz")
    assert answer.json["late"]
    assert answer.json["jobs"]["promote"] == {
        "last_run": "2026-11-24T04:00:00+00:00",
        "seconds": 3.0,
        "backlog": 0,
        "next_run": "2026-11-24T04:05:00+00:00",
        "late": True,
        "failed": True,
    }
    assert "secret" not in answer.text


@pytest.mark.sqlite
def test_ready_tells_what_keeps_the_mail_but_not_what_the_server_said(client: FlaskClient, session: Session) -> None:
    until = NOW + timedelta(minutes=5)
    session.add(MailPause(sender="smtp", kind="throttled", since=NOW, until=until, rests=2, reply="secret"))
    session.commit()
    with time_machine.travel(NOW, tick=False):
        answer = client.get("/readyz")
    since, then = "2026-11-24T04:00:00+00:00", "2026-11-24T04:05:00+00:00"
    assert answer.json["mail"] == {"kind": "throttled", "since": since, "rests_until": then}
    assert "secret" not in answer.text


def test_a_scheduler_that_never_ran_does_not_make_the_app_unready(client: FlaskClient) -> None:
    told = {"status": "ok", "scheduler_age_seconds": None, "late": False, "mail": None, "jobs": {}}
    told |= {"clock_offset_seconds": 0.0, "clock_off": False}
    assert client.get("/readyz").json == told


def test_missing_migrations_make_it_unready(client: FlaskClient, engine: Engine) -> None:
    command.downgrade(databases.alembic_config(engine), "base")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "migrations pending")


GONE = {"sqlite": "sqlite:////nowhere/at/all.sqlite3", "postgresql": "postgresql+psycopg://nobody@127.0.0.1:1/nothing"}


def test_a_database_that_is_gone_makes_it_unready(make_app: Callable[..., Flask], backend: str) -> None:
    gone = make_app(SQLALCHEMY_DATABASE_URI=GONE[backend])
    answer = gone.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "database does not answer")
