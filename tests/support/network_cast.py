"""The cast of accounts: two stations, two workers, a manager of each, one admin. All have the same password."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask
from flask.testing import FlaskClient
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, people
from booking.db import transactions
from booking.model import Letter, Person, Station
from tests.support.cookies import carry
from tests.support.snapshots import make_cast

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

PASSWORD = "lunch-hour-demo"
# As good a hash as any to sign in with, at a thousandth of the price.
CHEAP = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
KEPT = CHEAP.hash(PASSWORD)
CAST = {"周明": "zhou", "李静": "li", "林经理": "lin", "吴经理": "wu", "何主任": "he"}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) MicroMessenger/8.0.54"


@dataclass
class Network:
    """林经理 runs cbd, 吴经理 runs west, 何主任 is the admin; 周明 and 李静 come for lunch."""

    session: Session
    ids: dict[str, int] = field(default_factory=dict)
    stations: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stations, ids = make_cast(self.session, "network", lambda: _make(self.session))
        self.stations, self.ids = dict(stations), dict(ids)

    def person(self, name: str) -> Person:
        self.session.rollback()
        return self.session.get_one(Person, self.ids[name])

    def station(self, code: str) -> Station:
        self.session.rollback()
        return self.session.get_one(Station, self.stations[code])

    def letters(self, to: str) -> list[Letter]:
        self.session.rollback()
        return list(self.session.scalars(select(Letter).where(Letter.to == to).order_by(Letter.id)))

    def code(self, to: str) -> str:
        """The code in the newest mail to an address."""
        return str(self.letters(to)[-1].details["code"])

    def browser(self, app: Flask, name: str = "") -> FlaskClient:
        """A browser in which that person is signed in, or nobody."""
        client = app.test_client()
        if name:
            with transactions.transaction(self.session) as session:
                token = people.begin(session, session.get_one(Person, self.ids[name]), PHONE, clock.now())
            carry(client, token, clock.now())
        return client


def _make(session: Session) -> tuple[dict[str, int], dict[str, int]]:
    stations, ids = {}, {}
    for code, name in (("cbd", "白领驿站"), ("west", "金融街驿站")):
        station = Station(code=code, name=name)
        session.add(station)
        session.flush()
        stations[code] = station.id
    for name, email in CAST.items():
        admin = name == "何主任"
        person = people.create(session, f"{email}@example.com", name, MONDAY, password_hash=KEPT, is_admin=admin)
        ids[name] = person.id
    people.appoint(session, ids["林经理"], stations["cbd"], MONDAY, ids["何主任"])
    people.appoint(session, ids["吴经理"], stations["west"], MONDAY, ids["何主任"])
    return stations, ids
