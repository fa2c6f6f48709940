"""Stations by how near they are."""

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session

from booking import clock
from booking.db import transactions
from booking.model import Station
from booking.queries import station_lookup
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


@pytest.mark.usefixtures("city")
def test_the_page_says_how_far(client: FlaskClient) -> None:
    page = client.get("/stations/near?at=39.909,116.375").text
    assert page.index("西单驿站") < page.index("国贸驿站") < page.index("哈尔滨驿站")
    assert "约 7.3 公里" in page
    assert "不知在哪的驿站" not in page


@pytest.mark.sqlite
@pytest.mark.parametrize("at", ["", "x", "91,0", "0,181", "39.9", "39.9,116.4,1", "1e1,2", "NaN,1", "-" * 200])
def test_what_is_no_place_on_earth_is_not_found(client: FlaskClient, at: str) -> None:
    assert client.get("/stations/near", query_string={"at": at}).status_code == 404


@pytest.mark.sqlite
def test_where_no_station_said_where_it_is_the_page_says_so(client: FlaskClient) -> None:
    assert "附近没有登记了位置的驿站" in client.get("/stations/near?at=39.909,116.375").text


@pytest.mark.sqlite
@pytest.mark.usefixtures("city")
def test_the_phone_is_asked_only_after_a_tap(browser: Browser, live: str) -> None:
    here = {"latitude": 39.91351, "longitude": 116.37412}
    with chromium.opened(browser, live, geolocation=here, permissions=["geolocation"]) as page:
        page.goto("/stations")
        page.get_by_role("button", name="离我近的排前面").click()
        page.wait_for_url("**/stations/near?at=39.914,116.374")  # rounded: nobody needs to know the door
        expect(page.locator(".place").first).to_contain_text("西单驿站")
    with chromium.opened(browser, live) as page:  # this one says no
        page.goto("/stations")
        page.get_by_role("button", name="离我近的排前面").click()
        expect(page.get_by_role("button", name="没有拿到位置，请按名称找")).to_be_visible()
    with chromium.opened(browser, live, java_script_enabled=False) as page:
        page.goto("/stations")
        expect(page.get_by_role("button", name="离我近的排前面")).to_have_count(0)
