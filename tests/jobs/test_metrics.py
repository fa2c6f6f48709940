"""Metrics for Prometheus: on the scheduler's own port, and nowhere else."""

from collections.abc import Callable
from datetime import timedelta
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import generate_latest
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.enqueue import enqueue
from booking.jobs import metrics
from booking.model import JobRun, MailPause, SetAside
from tests.support import postgres
from tests.support.lunch_hour import at

NOON = at("12:00")


def scraped(app: Flask, *, leads: bool = True) -> set[str]:
    with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
        text = generate_latest(metrics.registry(app, lambda: leads)).decode()
    return {line for line in text.splitlines() if not line.startswith("#")}


def test_a_scrape_tells_each_job_the_letters_and_what_is_set_aside(app: Flask, session: Session) -> None:
    with transactions.transaction(session):
        session.add(JobRun(name="promote", every=2, started_at=NOON, finished_at=NOON + timedelta(seconds=2), did=5))
        until = NOON + timedelta(minutes=25)
        session.add(MailPause(sender="smtp", kind="throttled", since=NOON, until=until, rests=3))
        session.add(SetAside(job="promote", row_id=7, tries=3, since=NOON))
        enqueue(session, "code", NOON, to="a@example.com")
    assert scraped(app) >= {
        "lunch_scheduler_leads 1.0",
        "lunch_database_answers 1.0",
        'lunch_job_last_start_seconds{job="promote"} 1.7954928e+09',
        'lunch_job_last_seconds{job="promote"} 2.0',
        'lunch_job_last_did{job="promote"} 5.0',
        'lunch_job_failed{job="promote"} 0.0',
        'lunch_job_late{job="promote"} 1.0',
        'lunch_job_backlog{job="promote"} 0.0',
        'lunch_letters{state="queued"} 1.0',
        "lunch_rows_set_aside 1.0",
        'lunch_mail_kept{kind="throttled"} 1.0',
        'lunch_mail_kept{kind="setup"} 0.0',
        "lunch_mail_rest_seconds 900.0",
    }
    assert "lunch_scheduler_leads 0.0" in scraped(app, leads=False)


def test_without_a_database_a_scrape_says_so(make_app: Callable[..., Flask]) -> None:
    gone = make_app(SQLALCHEMY_DATABASE_URI="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    own = {"lunch_scheduler_leads 1.0", "booking_clock_offset_seconds 0.0"}
    assert scraped(gone) == own | {"lunch_database_answers 0.0"}


def test_the_metrics_port_is_served_locally_and_only_when_set(make_app: Callable[..., Flask]) -> None:
    port = postgres.free_port()
    app = make_app(METRICS_PORT=port)
    assert app.config["METRICS_HOST"] == "127.0.0.1"
    with metrics.served(app, lambda: False), urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"lunch_scheduler_leads 0.0" in answer.read()
    with metrics.served(app, lambda: True), metrics.served(app, lambda: False):
        pass  # a second scheduler of the host goes on without
    with pytest.raises(URLError), metrics.served(make_app(METRICS_PORT=0), lambda: False):
        urlopen(f"http://127.0.0.1:{port}/metrics")


def test_the_web_shows_no_figures(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 404
