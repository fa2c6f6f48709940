"""Stations by how near they are."""

import html
import math
import re
from collections.abc import Callable
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import clock
from booking.datum import to_wgs
from booking.db import transactions
from booking.model import Station
from booking.queries import station_lookup
from booking.telemetry import logs
from booking.web.worker import station_map
from tests.support import chromium

GUOMAO, XIDAN, HARBIN = (39.9087, 116.4605), (39.9135, 116.3741), (45.8038, 126.5350)


@pytest.fixture
def city(session: Session) -> None:
    """国贸 and 西单 in Beijing, 哈尔滨 far away, one closed and one of which nobody knows where it is."""
    with transactions.transaction(session):
        for code, name, where in (
            ("harbin", "哈尔滨驿站", HARBIN),
            ("xidan", "西单驿站", XIDAN),
            ("guomao", "国贸驿站", GUOMAO),
            ("closed", "关掉的驿站", GUOMAO),
            ("somewhere", "不知在哪的驿站", (None, None)),
        ):
            closed_at = clock.now() if code == "closed" else None
            session.add(Station(code=code, name=name, latitude=where[0], longitude=where[1], closed_at=closed_at))


@pytest.mark.usefixtures("city")
def test_the_nearest_comes_first_with_its_distance(session: Session) -> None:
    found = station_lookup.nearest(session, 39.909, 116.45)
    assert [(station.code, round(km, 1)) for station, km in found] == [
        ("guomao", 0.9),
        ("xidan", 6.5),
        ("harbin", 1050.0),
    ]


def near(client: FlaskClient, at: str) -> TestResponse:
    return client.post("/stations/near", data={"at": at})


@pytest.mark.usefixtures("city")
def test_the_page_says_how_far(client: FlaskClient) -> None:
    page = near(client, "39.909,116.375").text
    names = [page.index(f"<b>{name}</b>") for name in ("西单驿站", "国贸驿站", "哈尔滨驿站")]
    assert names == sorted(names)
    assert "约 510 米 · 步行约 9 分钟" in page
    assert "约 7.3 公里" in page
    assert "步行约 119 分钟" not in page
    assert "不知在哪的驿站" not in page


def test_a_walk_is_longer_than_the_way_through_the_air() -> None:
    assert [station_lookup.walk_minutes(km) for km in (0, 0.05, 0.5, 1, 2)] == [1, 1, 9, 17, 33]


@pytest.mark.sqlite
@pytest.mark.parametrize("at", ["", "x", "91,0", "0,181", "39.9", "39.9,116.4,1", "1e1,2", "NaN,1", "-" * 200])
def test_what_is_no_place_on_earth_is_not_found(client: FlaskClient, at: str) -> None:
    assert near(client, at).status_code == 404


@pytest.mark.sqlite
def test_where_no_station_said_where_it_is_the_page_says_so(client: FlaskClient) -> None:
    assert "附近没有登记了位置的驿站" in near(client, "39.909,116.375").text


@pytest.mark.sqlite
@pytest.mark.usefixtures("city")
def test_the_position_stands_in_no_address_no_page_and_no_log(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(logs, "write", lines.append)
    caplog.set_level("DEBUG")
    client = make_app(ACCESS_LOG="all", SLOW_REQUEST_MS=0, SLOW_STATEMENT_MS=0).test_client()
    page = near(client, "39.909,116.375").text
    assert "worker.near" in "".join(lines)
    for told in (page, *lines, caplog.text):
        assert "39.909" not in told
        assert "116.375" not in told
    assert client.get("/stations/near?at=39.909,116.375").headers["Location"] == "/stations"


@pytest.mark.sqlite
@pytest.mark.usefixtures("city")
def test_a_link_leads_to_the_place_on_maps_of_china_and_tells_nothing_of_the_reader(client: FlaskClient) -> None:
    page = near(client, "39.909,116.375").text
    link = re.search(r'href="(https://uri.amap.com/marker[^"]+)" rel="noreferrer external"', page)
    assert link
    asked = parse_qs(urlsplit(html.unescape(link[1])).query)
    longitude, latitude = map(float, asked["position"][0].split(","))
    assert to_wgs((latitude, longitude), "GCJ-02") == pytest.approx(XIDAN, abs=1e-5)
    assert asked["name"] == ["西单驿站"]


def placed(*around: tuple[float, float]) -> list[Station]:
    """Stations by kilometres to the north and east of 国贸."""
    lat, lon = GUOMAO
    narrow = math.cos(math.radians(lat))
    return [Station(latitude=lat + n / 111.195, longitude=lon + e / 111.195 / narrow) for n, e in around]


def test_the_map_has_north_up_and_its_rings_where_they_say() -> None:
    north, east, south, far = station_map.dots(GUOMAO, placed((0.5, 0), (0, 1), (-1.999, 0), (0, -9)))
    rings = dict(station_map.RINGS)
    assert (north.x, north.y) == (170, pytest.approx(170 - rings[0.5], abs=0.5))
    assert (east.x, east.y) == (pytest.approx(170 + rings[1], abs=0.5), pytest.approx(170, abs=0.1))
    assert (south.x, south.y) == (170, pytest.approx(170 + rings[2], abs=0.5))
    assert (far.x < 170 - rings[2], far.far, south.far) == (True, True, False)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), max_size=20))
def test_every_number_can_be_read(around: list[tuple[float, float]]) -> None:
    dots = station_map.dots(GUOMAO, placed(*around))
    assert [dot.number for dot in dots] == list(range(1, len(around) + 1))
    assert all(0 <= value <= 340 for dot in dots for value in (dot.x - 10, dot.x + 10, dot.y - 10, dot.y + 10))
    gaps = [math.hypot(a.x - b.x, a.y - b.y) for a, b in combinations(dots, 2)]
    assert min(gaps, default=99) > 12


@pytest.mark.sqlite
def test_the_map_of_twenty_is_small(session: Session, client: FlaskClient) -> None:
    with transactions.transaction(session):
        for n, (lat, lon) in enumerate((39.9 + n / 700, 116.4 + n % 5 / 300) for n in range(25)):
            session.add(Station(code=f"s{n}", name=f"第 {n} 驿站", latitude=lat, longitude=lon))
    page = near(client, "39.909,116.405").text
    drawn = page[page.index("<figure") : page.index("</figure>")]
    assert len(drawn.encode()) < 6 * 1024
    assert drawn.count('class="dot') == page.count('class="card place"') == 20


@pytest.mark.sqlite
@pytest.mark.usefixtures("city")
def test_the_phone_is_asked_only_after_a_tap(browser: Browser, live: str) -> None:
    here = {"latitude": 39.91351, "longitude": 116.37412}
    with chromium.opened(browser, live, geolocation=here, permissions=["geolocation"]) as page:
        page.goto("/stations")
        asked: list[str | None] = []
        page.on("request", lambda request: asked.append(request.post_data))
        page.get_by_role("button", name="离我近的排前面").click()
        page.wait_for_url("**/stations/near")
        expect(page.locator(".place").first).to_contain_text("西单驿站")
        assert any("at=39.914%2C116.374" in told for told in asked if told)  # rounded: nobody needs to know the door
    with chromium.opened(browser, live) as page:  # this one says no
        page.goto("/stations")
        page.get_by_role("button", name="离我近的排前面").click()
        expect(page.get_by_role("button", name="没有拿到位置，请按名称找")).to_be_visible()
    with chromium.opened(browser, live, java_script_enabled=False) as page:
        page.goto("/stations")
        expect(page.get_by_role("button", name="离我近的排前面")).to_have_count(0)
