"""A manager's browser without a screen: every look and act happens at a given time of the lunch hour."""

import html
import re
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.db import transactions
from booking.model import Activity, Event, Person, Plan, Slot, Station, Zone
from tests.support.cookies import carry, lasting
from tests.support.draw_cast import DrawDay
from tests.support.lunch_hour import LunchHour, at, make_manager
from tests.support.worker_cast import when, words_of

HTMX = {"HX-Request": "true"}


class Desk:
    """The manager of `cbd`, or the person with this id, at some browser. Paths are those below `/manage/cbd/`."""

    def __init__(
        self, app: Flask, lunch: LunchHour | DrawDay, person_id: int | None = None, code: str = "cbd/"
    ) -> None:
        self.lunch, self.client, self.root = lunch, app.test_client(), f"/manage/{code}"
        with transactions.transaction(lunch.session) as session:
            who = session.get_one(Person, person_id or lunch.manager_id)
            token = lasting(session, who, "desk", at("Mon 08:00"))
        carry(self.client, token, at("Mon 08:00"))

    def get(self, path: str, clock: str = "Mon 11:00", **options: Any) -> TestResponse:
        with time_machine.travel(when(clock), tick=False):
            return self.client.get(f"{self.root}{path}", **options)

    def post(self, path: str, clock: str = "Mon 11:00", follow: bool = True, **form: Any) -> TestResponse:
        with time_machine.travel(when(clock), tick=False):
            return self.client.post(f"{self.root}{path}", data=form, follow_redirects=follow)

    def tap(self, path: str, clock: str, target: str = "desk", **form: Any) -> TestResponse:
        """The same act as htmx sends it."""
        headers = HTMX | {"HX-Target": f"div#{target}"}
        with time_machine.travel(when(clock), tick=False):
            return self.client.post(f"{self.root}{path}", data=form, headers=headers)

    def words(self, path: str, clock: str = "Mon 11:00") -> str:
        return words_of(html.unescape(self.get(path, clock).text))


def said(answer: TestResponse) -> str:
    """The words of an answer."""
    return words_of(html.unescape(answer.text))


def refusal(answer: TestResponse) -> str:
    found = re.search(r'data-refusal="(\w+)"', answer.text)
    return found[1] if found else ""


class Cast:
    """Two stations that know nothing of each other, each with a zone, an activity and a plan of its own."""

    def __init__(self, lunch: LunchHour) -> None:
        self.lunch = lunch
        west = lunch.other_station("west")
        with transactions.transaction(lunch.session) as session:
            self.other_manager_id = make_manager(session, west, "吴经理")
        self.other_slot_id = lunch.slot(station_id=west)
        self.cbd = Things(lunch.session, lunch.station_id, lunch.slot_id)
        self.west = Things(lunch.session, west, self.other_slot_id)


class Things:
    """What a station has, by id."""

    def __init__(self, session: Session, station_id: int, slot_id: int) -> None:
        self.station_id, self.slot_id = station_id, slot_id
        self.zone_id = session.scalars(select(Zone.id).where(Zone.station_id == station_id).limit(1)).one()
        self.activity_id = session.scalars(select(Activity.id).where(Activity.station_id == station_id)).one()


def snapshot(session: Session) -> dict[str, object]:
    """What must be the same after an act that changed nothing."""
    session.rollback()
    tables = (Activity, Event, Plan, Slot, Station, Zone)
    rows = {
        kind.__name__: [
            {column.name: getattr(row, column.key) for column in kind.__mapper__.columns}
            for row in session.scalars(select(kind).order_by(kind.id))
        ]
        for kind in tables
    }
    session.rollback()
    return rows
