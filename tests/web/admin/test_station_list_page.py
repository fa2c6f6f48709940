"""The page where an admin lands: every station as a row, sorted and filtered by links alone."""

import html
import re
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Station, StationDayTotals
from tests.support.network_cast import MONDAY, Network

pytestmark = pytest.mark.sqlite
CODE = re.compile(r'scope="row"><a class="title" href="/admin/stations/([\w-]+)"')
TODAY = date(2026, 11, 23)


@pytest.fixture
def network(session: Session) -> Network:
    """cbd was full last week, west has held nothing for four weeks, and gone is closed."""
    network = Network(session)
    with transactions.transaction(session):
        gone = Station(code="gone", name="旧驿站", closed_at=MONDAY)
        session.add(gone)
        session.flush()
        for code, station_id in {**network.stations, "gone": gone.id}.items():
            some = code == "cbd"
            told = {"slots": 2, "seats": 20, "visits": 18, "expected": 20, "no_shows": 2}
            for n in range(1, 28):
                counts = told if some else dict.fromkeys(told, 0)
                session.add(StationDayTotals(date=TODAY - timedelta(n), station_id=station_id, **counts))
    return network


def look(network: Network, app: Flask, query: str = "", person: str = "何主任") -> str:
    with time_machine.travel(MONDAY, tick=False):
        return html.unescape(network.browser(app, person).get(f"/admin/{query}").text)


def test_an_admin_lands_on_the_stations_and_the_silent_one_says_what_to_do(network: Network, app: Flask) -> None:
    page = look(network, app)
    assert CODE.findall(page) == ["west", "cbd"]
    west, cbd = page.split("<tr")[2:4]
    assert "近 4 周没有开过场次。" in west
    assert 'href="mailto:wu@example.com?subject=' in west
    assert "没有开放" in west
    assert ("90%" in cbd, "10%" in cbd, "正常" in cbd) == (True, True, True)
    assert "近 30 天没有" in cbd
    network.browser(app, "林经理")  # signs in now
    assert "近 30 天没有" not in look(network, app).split("<tr")[3]


QUERIES = {
    "?sort=name": ["cbd", "west"],
    "?sort=-name": ["west", "cbd"],
    "?state=attention": ["west"],
    "?state=closed": ["gone"],
    "?state=opened": [],
    "?q=白领": ["cbd"],
    "?q=白领&state=attention": [],
    "?sort=nonsense&state=nonsense&page=99": ["west", "cbd"],
    "?sort=--name": ["west", "cbd"],
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_sorts_and_filters(network: Network, app: Flask, query: str) -> None:
    assert CODE.findall(look(network, app, query)) == QUERIES[query]


def test_the_heads_sort_both_ways_and_keep_the_filter(network: Network, app: Flask) -> None:
    first = look(network, app, "?state=attention&q=驿站")
    assert "aria-sort" not in first
    (link,) = re.findall(r'<th scope="col"><a href="([^"]+)">上次登录', first)
    assert link.endswith("&state=attention&sort=sign_in")
    again = look(network, app, "?sort=sign_in")
    assert re.findall(r'aria-sort="(\w+)"', again) == ["ascending"]
    assert 'href="/admin/?sort=-sign_in"' in again
    assert re.findall(r'aria-sort="(\w+)"', look(network, app, "?sort=-sign_in")) == ["descending"]


def test_nobody_but_an_admin_sees_the_list(network: Network, app: Flask) -> None:
    with time_machine.travel(MONDAY, tick=False):
        assert network.browser(app, "林经理").get("/admin/").status_code == 404


def test_an_admin_lands_there_after_signing_in(network: Network, app: Flask) -> None:
    client: FlaskClient = app.test_client()
    told = {"email": "he@example.com", "password": "lunch-hour-demo", "next": "/"}
    assert client.post("/account/sign-in", data=told).headers["Location"] == "/admin/"
