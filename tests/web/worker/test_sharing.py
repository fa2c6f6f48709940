"""Sharing: what chats and search engines read of a page, and what they are told to leave alone."""

import json
import re
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Activity, Station
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import Phone

pytestmark = pytest.mark.sqlite
ODD = '</script><b>"瑜伽"\'&amp;'


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def told(page: str) -> dict[str, str]:
    """The properties of the page's head."""
    return dict(re.findall(r'<meta (?:name|property)="((?:og:)?[a-z_]+)" content="([^"]*)">', page))


def test_a_slot_says_what_when_and_where(app: Flask, lunch: LunchHour) -> None:
    page = Phone(app, lunch).get(f"/slots/{lunch.slot_id}", "Mon 10:01").text
    head, address = told(page), f"http://localhost/slots/{lunch.slot_id}"
    assert head["og:title"] == "白领瑜伽课堂 · cbd 白领驿站"
    assert "12:10–13:00" in head["description"] == head["og:description"]
    assert head["og:url"] == address
    assert f'<link rel="canonical" href="{address}">' in page
    with app.test_client().get(head["og:image"].removeprefix("http://localhost")) as picture:
        assert (picture.status_code, picture.mimetype) == (200, "image/png")


def test_an_event_is_valid_json_whatever_the_activity_is_called(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Activity).values(title=ODD))
    lunch.book("周明", "Mon 10:00")
    page = Phone(app, lunch).get(f"/slots/{lunch.slot_id}", "Mon 10:01").text
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    event = json.loads(found)
    assert (event["name"], event["startDate"]) == (ODD, "2026-11-24T12:10:00+08:00")
    assert (event["maximumAttendeeCapacity"], event["remainingAttendeeCapacity"]) == (2, 1)
    assert event["eventStatus"].endswith("EventScheduled")
    lunch.cancel("Mon 11:00")
    page = Phone(app, lunch).get(f"/slots/{lunch.slot_id}", "Mon 11:01").text
    assert "schema.org/EventCancelled" in page


@pytest.mark.parametrize("signed_in", ["", "周明"])
def test_a_stations_page_names_its_own_address_and_no_day(app: Flask, lunch: LunchHour, signed_in: str) -> None:
    west = lunch.other_station("west-2")
    assert west
    for code in ("cbd", "west-2", "cbd"):
        for _ in range(2):
            page = Phone(app, lunch, signed_in).get(f"/s/{code}?day=2026-11-24&open=1", "Mon 10:01").text
            assert told(page)["og:url"] == f"http://localhost/s/{code}"
            assert told(page)["og:title"] == f"{code} 白领驿站"


def test_search_engines_find_open_stations_and_nothing_personal(app: Flask, lunch: LunchHour) -> None:
    lunch.other_station("west")
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Station).where(Station.code == "west").values(closed_at=at("Mon 08:00")))
    client = app.test_client()
    robots = client.get("/robots.txt").text
    assert "Sitemap: http://localhost/sitemap.xml" in robots
    assert {"Disallow: /account", "Disallow: /me", "Disallow: /manage", "Disallow: /admin"} <= set(robots.splitlines())
    places = [place.text for place in ET.fromstring(client.get("/sitemap.xml").text).iter() if place.text]
    assert [place for place in places if place.strip()] == ["http://localhost/s/cbd"]


def test_the_icon_is_where_browsers_look_for_it(app: Flask) -> None:
    icon = app.test_client().get("/favicon.ico")
    assert (icon.status_code, icon.data[:4]) == (200, b"\x00\x00\x01\x00")


def test_the_place_can_be_opened_in_a_map(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Station).values(address='建外大街 1 号 "B1" & 2'))
    page = Phone(app, lunch).get(f"/slots/{lunch.slot_id}", "Mon 10:01").text
    place = quote('建外大街 1 号 "B1" & 2 cbd 白领驿站')
    for address in ("https://uri.amap.com/search?keyword=", "https://maps.apple.com/?q="):
        assert f'<a href="{address}{place}" rel="noopener noreferrer">' in page
