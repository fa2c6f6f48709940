"""Request log: one line for every request, whoever answers it, with an id that is on the page too, and metrics."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import config
from booking.db import transactions
from booking.extensions import db
from booking.telemetry import logs, slow_statements
from booking.telemetry.repeated import ALLOWED, Repeats
from booking.telemetry.web_metrics import folder_of_server
from tests.support.lunch_hour import LunchHour
from tests.support.servers import Ground, Kind, serving
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone

pytestmark = pytest.mark.sqlite
DAY = "/s/cbd?day=2026-11-24"
TOKEN = "scrape-me-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of the requests of apps that are made after it."""
    written: list[str] = []
    monkeypatch.setattr(logs, "write", written.append)
    monkeypatch.setattr(logs, "_repeats", Repeats())
    return written


@pytest.fixture
def make_logged(make_app: Callable[..., Flask], lines: list[str]) -> Callable[..., Flask]:
    return lambda **settings: make_app(**{"ACCESS_LOG": "all", "METRICS_TOKEN": TOKEN} | settings)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def parsed(line: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in line.split())


def metrics(app: Flask) -> set[str]:
    said = app.test_client().get("/metrics", headers=BEARER).text
    return {line for line in said.splitlines() if not line.startswith("#")}


def test_every_request_is_a_line_also_where_flask_was_not_asked(
    make_logged: Callable[..., Flask], lines: list[str], lunch: LunchHour
) -> None:
    app = make_logged(CACHE_POLL_SECONDS=1000)
    phone = Phone(app, lunch, "周明")
    for _three in range(3):
        phone.get(DAY, "Mon 10:00")
    for _twice in range(2):
        phone.post(f"/slots/{lunch.slot_id}/book", "Mon 10:00", data={"back": "day", "key": "k"}, headers=HTMX)
    phone.client.get("/healthz")
    phone.client.get("/static/css/app.css")
    phone.client.get("/no-such-page")
    phone.client.get("/", headers={"Host": "evil.example"})
    said = [parsed(line) for line in lines]
    me = str(lunch.people["周明"])
    assert {(one["route"], one["lane"], one["status"], one["person"]) for one in said} >= {
        ("worker.station", "app", "200", me),
        ("worker.station", "cache", "200", me),
        ("worker.book", "fast", "200", me),
        ("health.alive", "app", "200", "-"),
        ("static", "app", "200", "-"),
        ("-", "app", "404", me),
        ("-", "app", "421", "-"),
    }
    assert {one["outcome"] for one in said if one["route"] == "worker.book"} == {"booked", "repeated"}
    assert all(float(one["ms"]) >= 0 and one["event"] == "request" for one in said)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said[0]["time"])
    assert len({one["request_id"] for one in said}) == len(said)


def test_a_poll_without_news_is_counted_and_not_logged(
    make_logged: Callable[..., Flask], lines: list[str], lunch: LunchHour
) -> None:
    phone = Phone(make_logged(CACHE_POLL_SECONDS=1000), lunch, "周明")
    tag = phone.get(DAY, "Mon 10:00", headers=HTMX).headers["ETag"]
    polls = [phone.get(DAY, "Mon 10:00", headers=HTMX | {"If-None-Match": tag}) for _three in range(3)]
    assert [poll.status_code for poll in polls] == [304] * 3
    assert [parsed(line)["status"] for line in lines] == ["200", "304"], "only the first 304 is made by the app"
    count = 'lunch_web_request_seconds_count{lane="cache",route="worker.station",status="304"} 2.0'
    assert count in metrics(phone.client.application)


def test_json_has_the_same_keys(make_logged: Callable[..., Flask], lines: list[str], lunch: LunchHour) -> None:
    for how in ("keyvalue", "json"):
        Phone(make_logged(LOG_FORMAT=how), lunch, "周明").book("Mon 10:00")
    plain, packed = (line for line in lines if "worker.book" in line)
    told = json.loads(packed)
    assert list(parsed(plain)) == list(told)
    assert (told["person"], told["status"], told["outcome"]) == (lunch.people["周明"], 303, "repeated")


IDS = [
    (1, "0123456789abcdef", True),
    (1, "3f2b1c9e-8a7d-4e6f-9b0a-1c2d3e4f5a6b", True),
    (0, "0123456789abcdef", False),  # of nobody we trust
    (1, "short", False),
    (1, "x" * 65, False),
    (1, "0123456789 abcdef", False),
    (1, 'id"}\n{"level": "error', False),
    (1, "０１２３４５６７", False),
    (1, "", False),
]


@pytest.mark.parametrize(("proxies", "told", "taken"), IDS)
def test_an_id_is_taken_from_a_trusted_proxy_where_it_is_well_formed(
    make_logged: Callable[..., Flask], lines: list[str], proxies: int, told: str, taken: bool
) -> None:
    client = make_logged(TRUSTED_PROXIES=proxies).test_client()
    answer = client.get("/healthz", environ_overrides={"HTTP_X_REQUEST_ID": told})
    found = answer.headers["X-Request-ID"]
    assert (found == told) == taken
    assert re.fullmatch("[A-Za-z0-9_-]{8,64}", found)
    assert parsed(lines[-1])["request_id"] == found


def test_the_id_is_on_the_error_page_and_in_what_was_logged_meanwhile(
    make_logged: Callable[..., Flask], lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_logged(PROPAGATE_EXCEPTIONS=False)
    caplog.handler.setFormatter(logs.formatter("keyvalue"))

    @app.get("/broken")
    def broken() -> str:
        raise ValueError("no row for someone@localhost 138 0013 8000 张三丰\nDETAIL: Failing row (7, 张三丰)")

    for path, status in (("/broken", 500), ("/no-such-page", 404)):
        answer = app.test_client().get(path)
        assert answer.status_code == status
        assert answer.headers["X-Request-ID"] in answer.text
        assert parsed(lines[-1])["request_id"] == answer.headers["X-Request-ID"]
    (logged,) = caplog.text.splitlines()
    assert parsed(lines[-2])["request_id"] in logged
    assert 'error="ValueError: no row for … … …"' in logged
    assert ":broken" in logged
    assert "张三丰" not in logged


def test_slow_requests_and_failures_are_marked_and_are_all_that_is_logged_where_only_problems_are(
    make_logged: Callable[..., Flask], lines: list[str]
) -> None:
    make_logged(ACCESS_LOG="problems").test_client().get("/healthz")
    assert lines == []
    make_logged(ACCESS_LOG="problems", SLOW_REQUEST_MS=0).test_client().get("/healthz")
    assert (parsed(lines[-1])["slow"], parsed(lines[-1])["level"]) == ("true", "warning")
    make_logged(ACCESS_LOG="off", SLOW_REQUEST_MS=0).test_client().get("/healthz")
    assert len(lines) == 1


def test_a_database_that_is_away_leaves_tens_of_lines_not_thousands(
    make_logged: Callable[..., Flask], lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_logged(PROPAGATE_EXCEPTIONS=False)
    caplog.handler.addFilter(repeats := logs.RepeatFilter(logs._repeats))

    @app.get("/away")
    def away() -> str:
        raise OperationalError("SELECT 1", None, OSError("connection refused"))

    try:
        for _request in range(500):
            assert app.test_client().get("/away").status_code == 503
        assert len([line for line in lines if "status=503" in line]) == ALLOWED
        assert len(caplog.messages) == ALLOWED
        logs.tell_left_out(all_of_them=True)
        left_out = {record.kind: record.left_out for record in caplog.records if hasattr(record, "left_out")}
    finally:
        caplog.handler.removeFilter(repeats)
    assert sorted(left_out.values()) == [500 - ALLOWED] * 2


def test_a_slow_statement_is_logged_without_its_values(
    make_logged: Callable[..., Flask], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_logged()
    monkeypatch.setattr(slow_statements, "_limit", -1.0)
    with app.app_context():
        db.session.execute(text("SELECT :name"), {"name": "周明"})
    (record,) = [record for record in caplog.records if "SELECT" in getattr(record, "statement", "")]
    assert (record.getMessage(), record.statement) == ("slow statement", "SELECT ?")  # type: ignore[attr-defined]


def test_metrics_are_for_who_has_the_token(make_logged: Callable[..., Flask], make_app: Callable[..., Flask]) -> None:
    client = make_logged().test_client()
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer scrape-me"}).status_code == 404
    assert client.get("/metrics", headers=BEARER | {"Host": "10.0.0.7:8000"}).status_code == 200
    for none in ("", "Bearer ", "Bearer"):
        assert make_app().test_client().get("/metrics", headers={"Authorization": none}).status_code == 404


def test_requests_bookings_and_the_cache_are_counted(make_logged: Callable[..., Flask], lunch: LunchHour) -> None:
    app = make_logged(CACHE_POLL_SECONDS=1000)
    phone = Phone(app, lunch, "周明")
    for _three in range(3):
        phone.get(DAY, "Mon 10:00")
    for _twice in range(2):
        phone.post(f"/slots/{lunch.slot_id}/book", "Mon 10:00", data={"back": "day", "key": "k"}, headers=HTMX)
    phone.get(f"/slots/{lunch.slot_id}", "Mon 10:00")
    assert metrics(app) >= {
        "booking_clock_offset_seconds 0.0",
        'lunch_web_bookings_total{outcome="booked"} 1.0',
        'lunch_web_bookings_total{outcome="repeated"} 1.0',
        'lunch_web_request_seconds_count{lane="app",route="worker.station",status="200"} 2.0',
        'lunch_web_request_seconds_count{lane="cache",route="worker.station",status="200"} 1.0',
        'lunch_web_request_seconds_count{lane="app",route="worker.slot",status="200"} 1.0',
    }


@pytest.fixture
def ground(database_url: str, tmp_path: Path) -> Ground:
    return Ground(database_url, tmp_path)


@pytest.mark.both
def test_the_metrics_are_those_of_all_processes(ground: Ground, tmp_path: Path) -> None:
    """Whichever of them answers."""
    log = tmp_path / "log"
    settings = ground.settings(WEB_WORKERS="2", METRICS_TOKEN=TOKEN)
    with serving(Kind(workers=2, threads=4), "wsgi:app", settings, log) as server:
        program = (
            "import sys, urllib.request as r\n"
            "for n in range(60): r.urlopen(sys.argv[1] + '/healthz').close()\n"
            "ask = r.Request(sys.argv[1] + '/metrics', headers={'Authorization': 'Bearer ' + sys.argv[2]})\n"
            "for n in range(4): print(r.urlopen(ask).read().decode())"
        )
        said = subprocess.run(
            [sys.executable, "-c", program, server.url, TOKEN],
            check=True, capture_output=True, text=True, cwd=config.ROOT,
        ).stdout  # fmt: skip
    # Lines are written a moment later, and the last ones when the server ends.
    counts = re.findall(r'lunch_web_request_seconds_count\{.*route="health.alive",status="200"\} (\S+)', said)
    asked = log.read_text().count("route=health.alive")
    assert [float(count) for count in counts] == [asked] * 4
    assert asked > 60


def test_the_counters_of_servers_that_have_ended_are_deleted(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        (tmp_path / "metrics" / str(pid)).mkdir(parents=True)
    found = folder_of_server(tmp_path)
    assert {path.name for path in (tmp_path / "metrics").iterdir()} == {str(os.getpid()), str(os.getppid())}
    assert found.name == str(os.getppid())


def test_a_folder_that_takes_no_counters_fails_no_request(make_logged: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_logged(WEB_WORKERS=2, INSTANCE_PATH=str(tmp_path))
    (tmp_path / "metrics").write_text("in the way")
    assert app.test_client().get("/healthz").status_code == 200
    assert app.test_client().get("/metrics", headers=BEARER).status_code == 404


def test_a_press_that_waited_for_the_opening_is_counted(make_logged: Callable[..., Flask], lunch: LunchHour) -> None:
    """Without JavaScript the browser is sent to a page that presses at the opening."""
    app = make_logged()
    phone = Phone(app, lunch, "周明")
    early = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 09:59:59", follow=False, data={"back": "slot"})
    phone.get(early.headers["Location"], "Mon 10:00")
    assert metrics(app) >= {
        'lunch_web_bookings_total{outcome="not_open"} 1.0',
        'lunch_web_bookings_total{outcome="booked"} 1.0',
    }
