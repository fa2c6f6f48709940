"""Rare names: ideographs that are newer than most tables of characters go in by a form and come out everywhere."""

from urllib.parse import quote

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import spreadsheets
from booking.db import transactions
from booking.model import Activity, Person
from tests.support.desk_cast import Desk
from tests.support.lunch_hour import LunchHour
from tests.support.worker_cast import Phone
from tests.web.manager.test_wrong_input import ACTIVITY

PROFILE = {"phone": "13812345678", "company": "国贸某公司", "language": "zh_Hans_CN"}
NAMES = ["王\U00031350", "李\U0002ebf0"]


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two people with seats, who write their names themselves."""
    lunch = LunchHour(session, capacity=3)
    for who in ("周明", "李静"):
        lunch.book(who, "Mon 10:00")
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    for who, name in zip(("周明", "李静"), NAMES, strict=True):
        with transactions.transaction(lunch.session) as session:
            session.get_one(Person, lunch.people[who]).email = f"{lunch.people[who]}@example.com"
        answer = Phone(app, lunch, who).post("/account/", "Mon 10:01", data=PROFILE | {"name": f" {name}\u200b "})
        assert name in answer.text
    return Desk(app, lunch)


def test_a_rare_name_is_stored_as_it_was_typed(desk: Desk, session: Session) -> None:
    found = session.scalars(select(Person.name).where(Person.phone != "").order_by(Person.id)).all()
    assert found == NAMES


def test_pages_and_prints_show_it(desk: Desk, lunch: LunchHour) -> None:
    slot = f"slots/{lunch.slot_id}"
    for path in ("people", slot, f"{slot}/print", f"{slot}/cancel", f"{slot}/move"):
        words = desk.words(path, "12:00")
        assert [name in words for name in NAMES] == [True, True], path
    desk.tap(f"{slot}/walk-in", "12:05", name=f"{NAMES[0]}的同事")
    assert f"{NAMES[0]}的同事" in desk.words(slot, "12:06")


def test_a_search_finds_it_by_itself_and_not_its_neighbour(desk: Desk, lunch: LunchHour) -> None:
    for name, other in (NAMES, NAMES[::-1]):
        for sought in (name, name[1], f"{name[1]} {name[0]}", f"　{name} "):
            for path in ("people", f"slots/{lunch.slot_id}"):
                # Of the roster only the search's part: both have seats there.
                page = desk.words(f"{path}?q={quote(sought)}", "12:05")
                found = page.partition("现场来的人")[2] if "slots" in path else page
                assert (name in found, other in found) == (True, False), (path, sought)


def test_sheets_keep_it(desk: Desk, lunch: LunchHour) -> None:
    for path in (f"slots/{lunch.slot_id}/export", "bookings/export?from=2026-11-23&until=2026-11-27"):
        for form in ("", "csv"):
            answer = desk.get(f"{path}{'&' if '?' in path else '?'}form={form}", "12:00")
            cells = {cell for row in spreadsheets.read(answer.data)[0].rows.values() for cell in row}
            assert {*NAMES} < cells, (path, form)


def test_calendar_files_keep_it(app: Flask, desk: Desk, lunch: LunchHour, session: Session) -> None:
    """Where names stand in titles, which are folded at 75 octets and never within a character."""
    title = f"和{NAMES[0]}、{NAMES[1]}老师一起读的一本书，从头读到尾，一个字也不漏"
    with transactions.transaction(session):
        activity_id = session.scalars(select(Activity.id)).first()
    desk.post(f"activities/{activity_id}", "Mon 10:02", **ACTIVITY | {"title": title})
    path = f"/bookings/{lunch.latest('周明').id}/calendar.ics"
    answer = Phone(app, lunch, "周明").get(path, "Mon 10:03")
    (event,) = Calendar.from_ical(answer.data).events
    assert event["SUMMARY"] == title
    for line in answer.data.split(b"\r\n"):
        assert len(line.decode().encode()) <= 75
