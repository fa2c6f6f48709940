"""Metrics for Prometheus, on a port of the scheduler's own process, which the public web server cannot reach.

Every scheduler serves them, the leader and those that wait; each scrape asks the database.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from flask import Flask
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import and_, case, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from booking import clock, monitoring
from booking.extensions import db
from booking.mail import backlog, backoff, held
from booking.model import Letter, SetAside
from booking.telemetry import web_metrics

log = logging.getLogger(__name__)


@contextmanager
def served(app: Flask, leads: Callable[[], bool]) -> Iterator[None]:
    """Serve scrapes from a thread meanwhile, when METRICS_PORT is set."""
    if not (port := app.config["METRICS_PORT"]):
        yield
        return
    try:
        server, thread = start_http_server(port, app.config["METRICS_HOST"], registry=registry(app, leads))
    except OSError as error:  # another scheduler of this host uses the port: running the jobs matters more
        log.warning("no metrics on port %s: %s", port, error)
        yield
        return
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def registry(app: Flask, leads: Callable[[], bool]) -> CollectorRegistry:
    figures = CollectorRegistry()
    figures.register(Figures(app, leads))
    return figures


class Figures(Collector):
    """Reads the database at the moment of the scrape."""

    def __init__(self, app: Flask, leads: Callable[[], bool]) -> None:
        self.app = app
        self.leads = leads

    def collect(self) -> Iterator[Metric]:
        yield _gauge("lunch_scheduler_leads", "1 in the process that runs the jobs", float(self.leads()))
        yield web_metrics.clock_offset()
        with self.app.app_context():
            try:
                session, now = db.session(), clock.now()
                told = [*_jobs(session, now), *_mail(session, now), _aside(session), _read_only(session)]
            except SQLAlchemyError:
                told = []
            finally:
                db.session.remove()
        yield _gauge("lunch_database_answers", "1 when the database answered this scrape", float(bool(told)))
        yield from told

    def describe(self) -> Iterator[Metric]:
        """Nothing is read when the registry is created: the database may not be available yet."""
        return iter(())


def _jobs(session: Session, now: datetime) -> list[Metric]:
    began = _family("lunch_job_last_start_seconds", "When the last run of a job began, in Unix time", "job")
    took = _family("lunch_job_last_seconds", "How long the last run took", "job")
    did = _family("lunch_job_last_did", "How many things the last run did", "job")
    wrong = _family("lunch_job_failed", "1 when the last run had an error", "job")
    late = _family("lunch_job_late", "1 when the job is overdue", "job")
    due = _family("lunch_job_backlog", "What is due and not done", "job")
    for job in monitoring.jobs(session, now, backlog.whole_backlog(session, now)):
        began.add_metric([job.name], job.started_at.timestamp())
        if job.length is not None:
            took.add_metric([job.name], job.length.total_seconds())
        did.add_metric([job.name], job.did)
        wrong.add_metric([job.name], float(bool(job.error)))
        late.add_metric([job.name], float(job.late))
        if job.backlog is not None:
            due.add_metric([job.name], job.backlog)
    return [began, took, did, wrong, late, due]


def _mail(session: Session, now: datetime) -> list[Metric]:
    letters = _family("lunch_letters", "Letters of the last 30 days by state", "state")
    state = case((and_(*held.HELD), "held"), else_=Letter.state)
    for name, count in session.execute(select(state, func.count(Letter.id)).group_by(state)):
        letters.add_metric([name], count)
    kept = _family("lunch_mail_kept", "1 while something keeps all mail from leaving, by what it is", "kind")
    pause = backoff.shown(session)
    for kind in (*backoff.RESTS, "unreachable"):
        kept.add_metric([kind], float(pause is not None and pause.kind == kind))
    left = max(0.0, (pause.until - now).total_seconds()) if pause else 0.0
    return [letters, kept, _gauge("lunch_mail_rest_seconds", "For how much longer no letter is tried", left)]


def _aside(session: Session) -> Metric:
    count = session.scalar(select(func.count(SetAside.id)).where(SetAside.next_try_at.is_(None)))
    return _gauge("lunch_rows_set_aside", "Rows that no job could do, waiting for a person", float(count or 0))


def _read_only(session: Session) -> Metric:
    """A standby, or a primary that was set to take no writes. SQLite cannot be set so."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    setting = session.scalar(select(func.current_setting("transaction_read_only"))) if postgresql else "off"
    return _gauge("lunch_database_read_only", "1 when the database takes no writes", float(setting == "on"))


def _family(name: str, what: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, labels=[label])


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, value=value)
