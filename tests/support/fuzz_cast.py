"""The world of the fuzz: a lunch hour in which everything has happened once, and its readers at their browsers."""

import random
import re
from collections import defaultdict
from datetime import date, datetime, time
from typing import Any
from urllib.parse import quote, urlsplit

import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import run_wsgi_app

import config
from booking import people, spreadsheets, stations
from booking.db import transactions
from booking.mail import links
from booking.model import (
    Activity,
    Booking,
    Event,
    Letter,
    Person,
    Plan,
    PlanException,
    SetAside,
    Slot,
    Station,
    Strike,
    Zone,
)
from booking.web.forms import rows
from tests.support import event_kinds, odd
from tests.support.cookies import carry
from tests.support.fuzz_requests import Request, forms_of, where
from tests.support.lunch_hour import LONG_BEFORE, LunchHour, at, make_manager, make_people, tick

BEGIN, END = at("Mon 12:20"), at("Tue 13:30")
READERS = ("stranger", "worker", "manager", "other manager", "admin")
ODD_NAMES = ("\u202e周\u202c明", "<b>李静</b>", "𰀀𱍐", "مرحبا", "长" * 40, "a'\"&{{x}}", "=1+1", "%(x)s")
ASKED = re.compile(r'request\.(?:args|values|form)\.get\("(\w+)"')
CHANGED: tuple[Any, ...] = (
    ["name", "address"],
    {"name": ["a", "b"], "capacity": ["", "5"]},
    {},
    [],
    ["gone"],
    {"gone": ["", "x"]},
)

NOTICE = '{"year": 2027, "papers": [], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}'


class Fuzz:
    """Sends requests that are all made from the seed; what answers with 500, or raises, is in `found`."""

    def __init__(self, app: Flask, session: Session, seed: int) -> None:
        self.app, self.session, self.seed = app, session, seed
        self.found: dict[str, Request] = {}
        self.statuses: defaultdict[int, int] = defaultdict(int)
        self.rules = [(method, rule) for rule in app.url_map.iter_rules() for method in sorted(rule.methods or ())]
        self.version = [(method, rule) for method, rule in self.rules if method == "POST"]
        self.asked = sorted(
            {name for file in (config.ROOT / "booking/web").rglob("*.py") for name in ASKED.findall(file.read_text())}
        )
        self.forms: dict[str, dict[str, str]] = {}
        self.cookies: dict[str, str] = {}
        self.lunch = LunchHour(session, capacity=3)
        self._furnish()

    def run(self, count: int) -> None:
        with time_machine.travel(BEGIN, tick=False) as clock:
            self._settle(BEGIN)
            self._look_round()
            for number in range(count):
                now = BEGIN + (END - BEGIN) * number / count
                clock.move_to(now)
                if number % 40 == 0:
                    self._settle(now)
                self.app.config["WTF_CSRF_ENABLED"] = number % 10 == 9
                self._send(self._make(random.Random(f"{self.seed}/{number}")))
            clock.move_to(END)
            self._settle(END)

    def sent(self) -> int:
        """How many requests were answered, and that they reached what they were made for."""
        assert {200, 303, 404, 422} <= self.statuses.keys(), self.statuses
        return sum(self.statuses.values()) + len(self.found)

    # The world

    def _furnish(self) -> None:
        lunch, session = self.lunch, self.session
        for name in ("周明", "李静", "王磊", "陈晨", "刘洋"):
            lunch.book(name, "Mon 10:00")
        lunch.book("孙悦", "Mon 10:00", lunch.slot("Mon 12:10"))  # who does not come
        self.west = lunch.other_station("west")
        with transactions.transaction(session):
            self.ids = {
                "worker": lunch.people["周明"],
                "manager": lunch.manager_id,
                "other manager": make_manager(session, self.west, "吴经理"),
                "admin": make_people(session, ["何主任"])["何主任"],
            }
            session.get_one(Person, self.ids["admin"]).is_admin = True
            self._odd_texts(session)
            self._programme(session)
        for starts in ("12:10", "13:10"):
            lunch.slot(starts, 2)
        lunch.slot("12:15", 2, station_id=self.west)
        with transactions.transaction(session):
            self._every_kind_of_event(session)

    def _odd_texts(self, session: Session) -> None:
        for person, name in zip(session.scalars(select(Person).order_by(Person.id)), ODD_NAMES, strict=False):
            person.name, person.company, person.phone = name, name, "13800138000"
            person.language = random.Random(name).choice(("zh_Hans_CN", "en"))
        for station, name in zip(session.scalars(select(Station)), ODD_NAMES[1:], strict=False):
            station.name, station.name_en, station.address = name, name, name
        for activity in session.scalars(select(Activity)):
            activity.title, activity.host, activity.bring = ODD_NAMES[2], ODD_NAMES[0], ODD_NAMES[5]

    def _programme(self, session: Session) -> None:
        station_id, slot = self.lunch.station_id, session.get_one(Slot, self.lunch.slot_id)
        activity = session.scalars(select(Activity).where(Activity.station_id == station_id)).one()
        hours = {
            "weekdays": "5",
            "starts": time(12, 10),
            "minutes": 50,
            "capacity": 10,
            "valid_from": date(2026, 11, 27),
        }
        plan = Plan(station_id=station_id, activity_id=activity.id, zone_id=slot.zone_id, **hours)
        session.add(plan)
        session.flush()
        session.add(PlanException(plan_id=plan.id, date=date(2026, 12, 4), skip=True))
        session.add(SetAside(job="promote", row_id=slot.id, station_id=station_id, since=LONG_BEFORE))
        made = {"created_at": LONG_BEFORE, "next_try_at": LONG_BEFORE}
        session.add(Letter(kind="code", message_id="failed", state="failed", **made))

    def _every_kind_of_event(self, session: Session) -> None:
        """Each with and without a booking, with details of every shape; none of them changes a state."""
        booking_id = session.scalars(select(Booking.id).order_by(Booking.id)).first()
        of = {"station_id": self.lunch.station_id, "person_id": self.ids["worker"], "actor_id": self.ids["manager"]}
        lasting = event_kinds.written() - {"appointed", "dismissed", "cancelled", "skipped", "standby"}
        lasting -= {"second_factor_on", "mail_stopped", "door_helper_granted", "door_helper_ended"}
        lasting -= {"followed", "unfollowed", "privacy_agreed", "manager_invited", "invitation_accepted"}
        lasting -= {
            "invitation_withdrawn",
            "entered",
            "left",
            "paired",
            "parted",
            "frozen",
            "drawn",
            "passed_over",
            "draw_void",
            "value_typed",
        }
        for number, kind in enumerate(sorted(lasting)):
            details = {"changed": CHANGED[number % len(CHANGED)]} if number % 3 else {}
            session.add(Event(kind=kind, at=LONG_BEFORE, reason=ODD_NAMES[1], details=details, **of))
            session.add(Event(kind=kind, at=LONG_BEFORE, details={"name": ODD_NAMES[0]}, booking_id=booking_id, **of))

    def _settle(self, now: datetime) -> None:
        """What the clock does, and what keeps the fuzz from locking itself out: nobody closed, dismissed, signed out."""
        session = self.session
        session.rollback()
        tick(session, now)
        with transactions.transaction(session):
            for station_id in (self.lunch.station_id, self.west):
                stations.reopen_station(session, station_id, now, self.ids["admin"])
            for reader, person_id in self.ids.items():
                self._admit(session, reader, person_id, now)
            people.appoint(session, self.ids["manager"], self.lunch.station_id, now, self.ids["admin"])
            people.appoint(session, self.ids["other manager"], self.west, now, self.ids["admin"])
        self.values = self._values()
        session.rollback()

    def _admit(self, session: Session, reader: str, person_id: int, now: datetime) -> None:
        people.enable(session, person_id, now, self.ids["admin"])
        token = people.begin(session, session.get_one(Person, person_id), "fuzz", now)
        cookie = carry(self.app.test_client(), token, now).get_cookie("lunch")
        self.cookies[reader] = f"lunch={cookie.value}" if cookie else ""

    def _values(self) -> dict[str, list[str]]:
        """What is there for each variable of an address."""
        session = self.session
        kinds = {"slot": Slot, "booking": Booking, "person": Person, "zone": Zone, "activity": Activity}
        kinds |= {"plan": Plan, "strike": Strike, "aside": SetAside, "letter": Letter}
        ids = {f"{name}_id": [str(n) for n in session.scalars(select(kind.id))] for name, kind in kinds.items()}  # type: ignore[attr-defined]
        with self.app.app_context():
            stop = links.stop(self.ids["worker"], "worker_digest").rpartition("/")[2]
        return ids | {
            "code": ["cbd", "cbd", "west"],
            "ticket": list(session.scalars(select(Booking.ticket))),
            "token": [stop],
            "letter": ["confirmed", "code"],
            "tongue": ["zh", "en"],
            "form": ["page", "text"],
            "kind": list(rows.COLUMNS),
            "day": ["2026-12-04", "2026-11-27"],
            "filename": ["css/app.css", "js/app.js", "icons.svg"],
        }

    # The requests

    def _look_round(self) -> None:
        """Every page, for its forms."""
        for rule in (rule for method, rule in self.rules if method == "GET"):
            reader = "admin" if rule.rule.startswith(("/manage", "/admin")) else "worker"
            path = self._path(rule, {name: values[0] for name, values in self.values.items() if values})
            self._send(Request(reader, "GET", path, "", self._own(reader), b""))

    def _make(self, chance: random.Random) -> Request:
        method, rule = chance.choice(self.rules if chance.random() < 0.7 else self.version)
        if chance.random() < 0.02:
            method = chance.choice(("PUT", "DELETE", "OPTIONS", "HEAD", "POST", "PROPFIND", "x"))
        path = self._path(rule, {name: self._value(chance, name) for name in rule.arguments})
        if chance.random() < 0.03:
            path += chance.choice(("/", "//", "/..", "%00", "%ff", "%2f", ";x", "/" + odd.raw(chance)))
        query = ""
        if chance.random() < 0.5:
            names = [
                chance.choice(self.asked) if chance.random() < 0.9 else odd.raw(chance)
                for _ in range(chance.choice((1, 1, 2, 4)))
            ]
            query = chance.choice(("&", "&", "&", ";", "&&")).join(f"{name}={odd.raw(chance)}" for name in names)
        reader = self._reader(chance, rule)
        headers = self._own(reader)
        body = b""
        if method == "POST":
            headers["Content-Type"], body = odd.body(chance, self.forms.get(rule.rule, {}), self._files(chance, rule))
        if chance.random() < 0.3:
            headers |= {"HX-Request": "true"}
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            name, value = odd.header(chance)
            headers[name] = f"{headers.get(name, '')}; {value}" if name == "Cookie" else value
        return Request(reader, method, path, query, headers, body)

    def _reader(self, chance: random.Random, rule: Rule) -> str:
        """Mostly somebody to whom the page is open."""
        if chance.random() < 0.3:
            return chance.choice(READERS)
        if rule.rule.startswith("/admin"):
            return "admin"
        return chance.choice(
            ("manager", "admin") if rule.rule.startswith("/manage") else ("worker", "worker", "manager")
        )

    def _own(self, reader: str) -> dict[str, str]:
        return {"Cookie": self.cookies[reader]} if reader in self.cookies else {}

    def _path(self, rule: Rule, values: dict[str, str]) -> str:
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: values.get(name[1], "1"), rule.rule)

    def _value(self, chance: random.Random, name: str) -> str:
        known = self.values.get(name, [])
        if known and chance.random() < 0.8:
            return quote(chance.choice(known))
        return (
            quote(chance.choice(odd.IDS))
            if name.endswith("_id")
            else chance.choice((odd.raw(chance), quote(chance.choice(odd.TOKENS))))
        )

    def _files(self, chance: random.Random, rule: Rule) -> dict[str, bytes]:
        if chance.random() < 0.1:
            return {}
        if rule.rule == "/admin/holidays":
            return {"file": odd.damaged(chance, NOTICE.encode(chance.choice(("utf-8-sig", "gb18030", "utf-16"))))}
        if not rule.rule.endswith("/import/<kind>"):
            return {}
        table = spreadsheets.Table("x", ["名称", "类别"], [["瑜伽", "瑜伽"], [odd.text(chance)[:80], "其他"]])
        whole = spreadsheets.write_xlsx([table]) if chance.random() < 0.7 else spreadsheets.write_csv(table)
        return {"sheet": odd.damaged(chance, whole) if chance.random() < 0.9 else whole}

    def _send(self, request: Request) -> None:
        try:
            parts, status, headers = run_wsgi_app(self.app.wsgi_app, request.environ(), buffered=True)
            page = b"".join(parts)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is found
            self._note(request, where(error))
            self.session.rollback()
            return
        code = int(status.split()[0])
        self.statuses[code] += 1
        if code >= 500:
            self._note(request, f"{status} {request.path}")
        if code in (200, 422) and "text/html" in headers.get("Content-Type", "") and b"<form" in page:
            self._keep_forms(request.path, page.decode())

    def _note(self, request: Request, what: str) -> None:
        self.found.setdefault(what, request)

    def _keep_forms(self, path: str, page: str) -> None:
        urls = self.app.url_map.bind("localhost")
        for action, fields in forms_of(page, path):
            try:
                rule, _ = urls.match(urlsplit(action).path, method="POST", return_rule=True)
            except (HTTPException, ValueError):
                continue
            self.forms.setdefault(rule.rule, fields)
