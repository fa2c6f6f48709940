"""A worker's phone without a browser: every look and press happens at a given time of the lunch hour."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from booking.db import transactions
from booking.model import Person
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import SHANGHAI, LunchHour, at

HTMX = {"HX-Request": "true"}


@dataclass
class Card:
    """What one slot's card says: its data attributes, its words, its whole markup."""

    html: str
    data: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        head = self.html.partition(">")[0]
        self.data = dict(re.findall(r'data-([\w-]+)="([^"]*)"', head))

    @property
    def words(self) -> str:
        return words_of(self.html)

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html)
        assert found, f"no field {name} in {self.html}"
        return found[1]


class Phone:
    """One worker (or, without a name, a stranger) at a station."""

    def __init__(self, app: Flask, lunch: LunchHour, who: str = "") -> None:
        self.lunch, self.client = lunch, app.test_client()
        if who:
            sign_in(self.client, lunch, who)

    def get(self, path: str, clock: str, **options: Any) -> TestResponse:
        with time_machine.travel(when(clock), tick=False):
            return self.client.get(path, **options)

    def post(self, path: str, clock: str, follow: bool = True, **options: Any) -> TestResponse:
        with time_machine.travel(when(clock), tick=False):
            return self.client.post(path, follow_redirects=follow, **options)

    def day(self, clock: str, day: str = "2026-11-24", code: str = "cbd") -> str:
        return self.get(f"/s/{code}?day={day}", clock).text

    def card(self, clock: str, slot_id: int | None = None) -> Card:
        return card_in(self.day(clock), slot_id or self.lunch.slot_id)

    def book(self, clock: str, slot_id: int | None = None, **form: str) -> TestResponse:
        return self.post(f"/slots/{slot_id or self.lunch.slot_id}/book", clock, data={"back": "day"} | form)

    def press(self, clock: str) -> TestResponse:
        """The same tap as htmx sends it."""
        return self.post(f"/slots/{self.lunch.slot_id}/book", clock, data={"back": "day"}, headers=HTMX)

    def give_up(self, who: str, clock: str, **form: str) -> TestResponse:
        return self.post(f"/bookings/{self.lunch.latest(who).id}/give-up", clock, data={"back": "me"} | form)


def when(clock: str) -> datetime:
    """`Mon 10:00` of the lunch hour's week, or a date and a time: `2026-10-05 09:00`."""
    if clock[:4].isdigit():
        return datetime.fromisoformat(clock).replace(tzinfo=SHANGHAI)
    return at(clock)


def sign_in(client: FlaskClient, lunch: LunchHour, who: str, clock: str = "Mon 08:00") -> None:
    """Into the session that this browser has by then."""
    with transactions.transaction(lunch.session) as session:
        token = lasting(session, session.get_one(Person, lunch.people[who]), "phone", at(clock))
    carry(client, token, at(clock))


def card_in(page: str, slot_id: int) -> Card:
    found = re.search(rf'<article [^>]*id="slot-card-{slot_id}".*?</article>', page, re.DOTALL)
    assert found, f"slot {slot_id} has no card on this page"
    return Card(found[0])


def words_of(html: str) -> str:
    """The text of some markup, its spaces made one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()
