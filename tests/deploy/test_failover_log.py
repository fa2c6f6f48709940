"""The log of a failover: tens of lines, not thousands."""

import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from tests.support import databases, memory, postgres
from tests.support.servers import Ground, Kind, serving

pytestmark = [pytest.mark.whole, pytest.mark.postgresql]
REQUESTS = 600


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_a_database_that_goes_away_and_comes_back_leaves_tens_of_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with postgres.own(memory.MEMORY, postgres.FAST) as database:
        engine = databases.connect_engine(url := database.url.render_as_string(hide_password=False))
        databases.upgrade(engine)
        engine.dispose()
        settings = Ground(url, tmp_path).settings(ACCESS_LOG="problems", WEB_WORKERS="1")
        with serving(Kind(workers=1, threads=16), "wsgi:app", settings, log) as server:
            assert status_of(f"{server.url}/") == 200
            database.stop()
            away = Counter(status_of(f"{server.url}/") for _request in range(REQUESTS))
            database.start()
            assert status_of(f"{server.url}/") == 200
    assert away == {503: REQUESTS}
    lines = [line for line in log.read_text().splitlines() if line.startswith("time=")]
    assert 2 <= len(lines) <= 40
    assert lines == log.read_text().splitlines()
