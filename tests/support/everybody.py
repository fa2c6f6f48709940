"""The demo at noon for tests that look at every page: who opens what, and browsers that are signed in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import demo, people
from booking.db import transactions
from booking.model import Letter, Person, Station
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import at
from tests.support.snapshots import make_cast, seed_workdays

NOON = at("12:05")
OPEN = (
    "/account/sign-in",
    "/account/register",
    "/account/forgotten",
    "/privacy",
    "/stations",
    "/stations?q=zzz",
    "/offline",
    "/no",
)
OWN = (
    "/me",
    "/me/history",
    "/account/",
    "/account/calendar",
    "/account/password",
    "/account/address",
    "/account/delete",
    "/offline",
    "/parts",
)
ROOMS = (
    "poster scan slots slots/new plans plans/new activities activities/new activities/ready-made zones people calendar "
    "policy history door numbers running week/copy wishes"
)
PAGES = {
    "": ("/s/cbd", "/s/cbd/find?q=zzz", *OPEN),
    "worker": ("/s/cbd", "/s/cbd/find", "/s/cbd/month", "/s/cbd/wishes", *OWN),
    "manager": (
        "/account/second-factor",
        "/manage/",
        "/manage/cbd/",
        "/manage/cbd/week",
        *(f"/manage/cbd/{room}" for room in ROOMS.split()),
    ),
    "admin": (
        "/admin/",
        "/admin/holidays",
        "/admin/jobs",
        "/admin/people",
        "/admin/second-factor",
        "/admin/stations/new",
        "/admin/stations/cbd",
    ),
    "organiser": (
        "/net/",
        *(
            f"/net/bj{page}"
            for page in ("", "/people", "/import", "/units", "/units/new", "/edit", "/policy", "/history")
        ),
        "/net/chaoyang/move",
        "/net/cbd-centre",
        "/net/cbd-centre/close",
    ),
}
# From which pages one of each kind of link is followed.
DEEPER = {
    "": r"/slots/\d+|/s/cbd\?day=[\d-]+",
    "worker": r"/slots/\d+|/s/cbd\?day=[\d-]+",
    "manager": r"/manage/cbd/(?:slots|plans|activities|zones|people|wishes)/\d+",
    "admin": r"/admin/people/\d+",
    "organiser": r"/net/[a-z-]+/stations/[a-z-]+(?:/move)?",
}
MANY = {"worker": 4, "": 2}
FEW = {"worker": 2}  # in `make test`


@dataclass
class Everybody:
    """The demo station on a Tuesday at noon, and its people's browsers."""

    app: Flask
    session: Session
    url: str
    whole: bool = True
    invitation: str = ""

    def load(self) -> None:
        with transactions.transaction(self.session) as rows:
            seed_workdays(rows)
        make_cast(self.session, "demo", lambda: demo.load(self.session, NOON, 8))
        self.invitation = self.invite("invited@example.com")

    def invite(self, email: str) -> str:
        """The address in the letter to somebody who is to manage the station and has no account yet."""
        admin = select(Person.id).where(Person.email == "admin@example.com")
        station = select(Station.id).where(Station.code == "cbd")
        ids = self.session.scalars(station).one(), self.session.scalars(admin).one()
        self.session.rollback()
        people.invite_manager(self.session, ids[0], email, "zh_Hans_CN", NOON, ids[1])
        letter = self.session.scalars(select(Letter).where(Letter.to == email)).one()
        return f"/account/invitation/{letter.details['token']}"

    def speak(self, language: str) -> None:
        with transactions.transaction(self.session) as rows:
            for person in rows.scalars(select(Person).where(Person.email.is_not(None))):
                person.language = language

    def enter(self, page: Page, who: str) -> None:
        """Sign the browser in as the demo's worker, manager or admin; nobody for an empty name."""
        page.context.clear_cookies()
        if not who:
            return
        client = self.signed_in(who)
        cookie = client.get_cookie("lunch")
        assert cookie
        page.context.add_cookies([{"name": "lunch", "value": cookie.value, "url": self.url}])

    def pages(self, who: str, paths: Iterable[str] = ()) -> list[str]:
        """The pages of one audience, or `paths`, and a few of those that they lead to."""
        client, many = self.signed_in(who), (MANY if self.whole else FEW).get(who, 1)
        own = () if who else (self.invitation,)
        found: dict[str, None] = {}
        for path in paths or (*PAGES[who], *own):
            kinds: dict[str, list[str]] = {}
            for link in dict.fromkeys(re.findall(r'href="([^"]+)"', client.get(path).text)):
                if re.fullmatch(DEEPER[who], link):
                    kinds.setdefault(re.sub(r"\d+", "", link), []).append(link)
            found |= dict.fromkeys([path, *(link for same in kinds.values() for link in same[:many])])
        return list(found)

    def signed_in(self, who: str) -> FlaskClient:
        """A browser of the demo's worker, manager or admin; of nobody for an empty name."""
        client = self.app.test_client()
        if not who:
            return client
        with transactions.transaction(self.session) as rows:
            person = rows.scalars(select(Person).where(Person.email == f"{who}@example.com")).one()
            token = lasting(rows, person, "browser", NOON)
        return carry(client, token, NOON)
