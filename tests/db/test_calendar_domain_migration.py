"""Calendar domain: the UIDs of events stay what calendars know, whatever becomes of PUBLIC_URL."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from alembic import command
from flask import Flask
from icalendar import Calendar
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import calendar_files
from booking.mail import invites
from booking.model import CalendarDomain
from tests.support import databases
from tests.support.lunch_hour import LunchHour

BEFORE = "0007"


def upgrade_from(engine: Engine, revision: str) -> None:
    command.downgrade(databases.alembic_config(engine), revision)
    databases.upgrade(engine)


def uid_of(app: Flask, lunch: LunchHour, who: str, url: str) -> str:
    app.config["PUBLIC_URL"] = url
    with app.app_context():
        told = invites.entries(lunch.session, [lunch.latest(who)])
    (event,) = Calendar.from_ical(calendar_files.calendar(told)).events
    lunch.session.rollback()
    return str(event["UID"])


def test_the_uids_that_were_sent_stay_through_the_upgrade_and_a_new_address(
    app: Flask, engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    lunch = LunchHour(session)
    for who in ("周明", "李静"):
        lunch.book(who, "Mon 10:00")
    monkeypatch.setenv("PUBLIC_URL", "https://Lunch.example.com:8443")
    upgrade_from(engine, BEFORE)
    monkeypatch.setenv("PUBLIC_URL", "https://noon.example.org")
    databases.upgrade(engine)
    for who in ("周明", "李静"):
        for url in ("https://lunch.example.com:8443", "https://noon.example.org"):
            assert uid_of(app, lunch, who, url) == f"booking-{lunch.latest(who).id}@lunch.example.com"


def test_without_a_seat_nothing_was_sent_and_the_domain_is_drawn_once(
    app: Flask, engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "http://127.0.0.1:8000")
    upgrade_from(engine, BEFORE)
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    first, again = (uid_of(app, lunch, "周明", f"https://{n}.example.com") for n in "ab")
    assert first == again
    assert UUID(first.partition("@")[2]).version == 4


def test_two_that_need_it_first_get_the_same(engine: Engine) -> None:
    both = Barrier(2)

    def draw(_: int) -> str:
        with Session(engine) as session:
            session.scalar(select(CalendarDomain.name))
            both.wait(10)
            return calendar_files.draw_domain(session)

    with ThreadPoolExecutor(2) as threads:
        names = set(threads.map(draw, range(2)))
    with Session(engine) as session:
        assert session.scalar(select(func.count(CalendarDomain.id))) == len(names) == 1
        assert calendar_files.uid_domain(session) in names
