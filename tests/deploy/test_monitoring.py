"""Monitoring: the alert rules and the dashboard ask for metrics that exist, and every alert has its line in the runbook."""

import json
import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from prometheus_client import generate_latest
from sqlalchemy.orm import Session

import config
from booking.db import transactions
from booking.enqueue import enqueue
from booking.jobs import metrics
from booking.model import JobRun
from booking.telemetry.request_context import RequestContext
from booking.telemetry.web_metrics import WebMetrics
from tests.support.lunch_hour import at

FOLDER = config.ROOT / "deploy" / "monitoring"
RULES = FOLDER / "lunch-hour.rules.yml"
OURS = re.compile(r"\b(?:lunch|booking)_\w+")
LABELS = re.compile(r"\bby \(([^)]*)\)|\{(\w+)[!=~]")
OF_PROMETHEUS = {"exported_job", "instance", "job", "le"}


@cache
def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    return found


def queries() -> list[str]:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.fixture
def exposed(app: Flask, session: Session) -> str:
    """What a scheduler and a web server tell, at work."""
    with transactions.transaction(session):
        session.add(JobRun(name="promote", every=2, started_at=at("12:00"), finished_at=at("12:00"), did=5))
        enqueue(session, "code", at("12:00"), to="a@example.com")
    web, request = WebMetrics(), RequestContext("0123456789abcdef")
    request.outcome, request.waits = "booked", [("turn", 0.1)]
    web.request(request, 0.1)
    return (generate_latest(metrics.registry(app, lambda: True)) + web.text()).decode()


@pytest.mark.sqlite
def test_every_query_asks_for_a_metric_and_labels_that_exist(exposed: str) -> None:
    known = set(re.findall(r"^# TYPE (\w+) ", exposed, re.MULTILINE)) | set(OURS.findall(exposed))
    labels = set(re.findall(r"[{,](\w+)=\"", exposed)) | OF_PROMETHEUS
    for query in queries():
        named = OURS.findall(query)
        assert named or "up{" in query
        assert [name for name in named if name not in known] == [], query
        asked = {label.strip() for group in LABELS.findall(query) for label in ",".join(group).split(",") if label}
        assert asked <= labels, query


@pytest.mark.sqlite
def test_every_alert_has_a_line_in_the_runbook() -> None:
    runbook = (config.ROOT / "docs" / "operations.md").read_text().partition("## The runbook for 10:00")[2]
    assert [rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in runbook] == []


@pytest.mark.sqlite
def test_what_can_stop_a_lunch_hour_has_an_alert() -> None:
    wanted = ["NoLeader", "JobLate", "Backlog", "ClockSkew", "ReadOnly", "Errors", "Slow"]
    assert {f"Lunch{name}" for name in wanted} <= {rule["alert"] for rule in rules()}


FIRES = [
    # alert, series and its values at each minute, whether it fires after five
    ("LunchNoLeader", 'lunch_scheduler_leads{instance="a"}', "0x10", True),
    ("LunchNoLeader", 'lunch_scheduler_leads{instance="a"}', "1x10", False),
    ("LunchNoLeader", "other", "1x10", True),
    ("LunchJobLate", 'lunch_job_late{exported_job="promote"}', "1x10", True),
    ("LunchJobLate", 'lunch_job_late{exported_job="promote"}', "0x10", False),
    ("LunchReadOnly", "lunch_database_read_only", "1x10", True),
    ("LunchClockSkew", 'booking_clock_offset_seconds{instance="a"}', "-3x10", True),
    ("LunchClockSkew", 'booking_clock_offset_seconds{instance="a"}', "1x10", False),
    ("LunchErrors", 'lunch_web_request_seconds_count{status="503"}', "0+60x10", True),
    ("LunchErrors", 'lunch_web_request_seconds_count{status="200"}', "0+60x10", False),
    ("LunchSlow", 'lunch_web_request_seconds_bucket{route="worker.book",le="+Inf"}', "0+60x10", False),
]


@pytest.mark.whole
@pytest.mark.sqlite
def test_promtool_accepts_the_rules_and_they_fire_when_they_should(tmp_path: Path) -> None:
    subprocess.run(["promtool", "check", "rules", str(RULES)], check=True)
    subprocess.run(["promtool", "check", "config", "--syntax-only", str(FOLDER / "prometheus.yml")], check=True)
    for number, (alert, series, values, fires) in enumerate(FIRES):
        case = {
            "rule_files": [str(RULES)],
            "evaluation_interval": "15s",
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [{"series": series, "values": values}],
                    "promql_expr_test": [
                        {
                            "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                            "eval_time": "5m",
                            "exp_samples": [{"labels": "{}", "value": int(fires)}],
                        }
                    ],
                }
            ],
        }
        (file := tmp_path / f"{number}.yml").write_text(yaml.safe_dump(case))
        told = subprocess.run(["promtool", "test", "rules", str(file)], check=False, capture_output=True, text=True)
        assert told.returncode == 0, (alert, series, values, told.stdout + told.stderr)


@pytest.mark.postgresql
def test_a_database_that_takes_no_writes_is_told(make_app: Callable[..., Flask]) -> None:
    for setting, told in (("off", "0.0"), ("on", "1.0")):
        options = {"connect_args": {"options": f"-c default_transaction_read_only={setting}"}}
        app = make_app(SQLALCHEMY_ENGINE_OPTIONS=options)
        said = generate_latest(metrics.registry(app, lambda: True)).decode()
        assert f"lunch_database_read_only {told}" in said
