"""Permissions: every route, requested by seven readers. A route without a row here fails.

To add a route, add a row: the method and the rule as `app.url_map` has them, and what the seven get, in the order of
READERS. `ask` is a redirect to the sign-in page; a number is a status. POSTs are sent with an empty form, so `422` or a
redirect means that access was granted, and `404` that it was not. A new variable of a rule gets its value in
`World.values`. The pages of a network's nodes have a table of their own: `test_network_roles`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from booking import network
from booking.db import transactions
from booking.model import (
    Activity,
    ActivityWish,
    AttendanceProof,
    Booking,
    DoorArrival,
    DoorHelper,
    Draw,
    DrawEntry,
    Letter,
    Node,
    Notice,
    Person,
    Plan,
    PlanException,
    ServiceRequest,
    SetAside,
    Slot,
    Station,
    Strike,
    WatchLink,
)
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import LONG_BEFORE, LunchHour, at, make_manager, make_people

NOW = at("Tue 12:05")
READERS = ("anonymous", "worker", "other worker", "manager", "other station's manager", "admin", "door helper")

PUBLIC = "200 200 200 200 200 200 200"
SIGNED_IN = "ask 200 200 200 200 200 200"
OWN_FORM = "ask 422 422 422 422 422 422"
ADMIN = "ask 404 404 404 404 200 404"
ADMIN_ACTS = "ask 404 404 404 404 303 404"
ADMIN_FORM = "ask 404 404 404 404 422 404"
MANAGER = "ask 404 404 200 404 200 404"
MANAGER_ACTS = "ask 404 404 303 404 303 404"
MANAGER_TOO_LATE = "ask 404 404 409 404 409 404"
MANAGER_FORM = "ask 404 404 422 404 422 404"
STAFF_OWN = "ask 404 404 200 200 200 404"
STAFF_ACTS = "ask 404 404 303 303 303 404"
STAFF_FORM = "ask 404 404 422 422 422 404"
NOT_FOUND = "404 404 404 404 404 404 404"
OPEN_FORM = "422 422 422 422 422 422 422"
LEADS_ON = "303 303 303 303 303 303 303"
CHECKIN = "ask 404 404 200 404 200 200"
CHECKIN_ACTS = "ask 404 404 303 404 303 303"
CHECKIN_FORM = "ask 404 404 422 404 422 422"
OWN_ACTS = "ask 303 303 303 303 303 303"

TABLE: dict[str, str] = {
    "GET /": PUBLIC,
    "GET /activities/<int:activity_id>/follow": OWN_ACTS,
    "POST /activities/<int:activity_id>/follow": OWN_ACTS,
    "POST /activities/<int:activity_id>/unfollow": OWN_ACTS,
    "GET /account/": SIGNED_IN,
    "POST /account/": OWN_FORM,
    "GET /account/address": SIGNED_IN,
    "POST /account/address": OWN_FORM,
    "POST /account/address/again": OWN_ACTS,
    "GET /account/address/finish": OWN_ACTS,
    "POST /account/address/finish": OWN_ACTS,
    "GET /account/address/prove": OWN_ACTS,
    "POST /account/address/prove": OWN_ACTS,
    "GET /account/calendar": SIGNED_IN,
    "POST /account/calendar": OWN_ACTS,
    "POST /account/calendar/stop": OWN_ACTS,
    "GET /privacy": PUBLIC,
    "POST /account/consent": OWN_ACTS,
    "POST /account/confirm": OWN_ACTS,
    "GET /account/delete": SIGNED_IN,
    "POST /account/delete": OWN_FORM,
    "GET /account/export": SIGNED_IN,
    "GET /account/forgotten": PUBLIC,
    "POST /account/forgotten": OPEN_FORM,
    "GET /account/forgotten/finish": LEADS_ON,
    "POST /account/forgotten/finish": LEADS_ON,
    "POST /account/language": "400 400 400 400 400 400 400",
    "GET /account/invitation/<token>": NOT_FOUND,
    "POST /account/invitation/<token>": NOT_FOUND,
    "GET /account/password": SIGNED_IN,
    "POST /account/password": OWN_FORM,
    "GET /account/register": PUBLIC,
    "POST /account/register": OPEN_FORM,
    "GET /account/register/finish": LEADS_ON,
    "POST /account/register/finish": LEADS_ON,
    "GET /account/second-factor": STAFF_OWN,
    "POST /account/second-factor": STAFF_FORM,
    "POST /account/second-factor/off": STAFF_ACTS,
    "GET /account/second-factor/recovery-codes": STAFF_ACTS,
    "POST /account/second-factor/recovery-codes": STAFF_ACTS,
    "GET /account/sign-in": "200 303 303 303 303 303 303",
    "POST /account/sign-in": OPEN_FORM,
    "GET /account/sign-in/code": LEADS_ON,
    "POST /account/sign-in/code": OPEN_FORM,
    "GET /account/sign-in/finish": LEADS_ON,
    "POST /account/sign-in/finish": LEADS_ON,
    "GET /account/sign-in/second-step": LEADS_ON,
    "POST /account/sign-in/second-step": LEADS_ON,
    "POST /account/sign-ins/end-others": OWN_ACTS,
    "POST /account/sign-out": LEADS_ON,
    "GET /admin/holidays": ADMIN,
    "POST /admin/holidays": ADMIN_FORM,
    "POST /admin/holidays/import": ADMIN_FORM,
    "POST /admin/jobs/mail/again": ADMIN_ACTS,
    "POST /admin/letters/held/discard": ADMIN_ACTS,
    "POST /admin/letters/held/let-go": ADMIN_ACTS,
    "GET /admin/": ADMIN,
    "GET /admin/jobs": ADMIN,
    "POST /admin/jobs/aside/<int:aside_id>/again": ADMIN_ACTS,
    "POST /admin/jobs/letters/<int:letter_id>/again": ADMIN_ACTS,
    "GET /admin/letters": ADMIN,
    "GET /admin/letters/style.css": ADMIN,
    "GET /admin/letters/<letter>/<tongue>/<form>": ADMIN,
    "GET /admin/people": ADMIN,
    "GET /admin/people/<int:person_id>": ADMIN,
    "POST /admin/people/<int:person_id>/disable": ADMIN_FORM,
    "POST /admin/people/<int:person_id>/enable": ADMIN_ACTS,
    "POST /admin/people/<int:person_id>/second-factor/reset": ADMIN_ACTS,
    "GET /admin/second-factor": ADMIN,
    "POST /admin/second-factor": ADMIN_FORM,
    "GET /admin/stations/<code>": ADMIN,
    "POST /admin/stations/<code>": ADMIN_FORM,
    "POST /admin/stations/<code>/close": ADMIN_FORM,
    "POST /admin/stations/<code>/invitations/<int:invitation_id>/resend": ADMIN_ACTS,
    "POST /admin/stations/<code>/invitations/<int:invitation_id>/withdraw": ADMIN_ACTS,
    "POST /admin/stations/<code>/managers": ADMIN_FORM,
    "POST /admin/stations/<code>/managers/<int:person_id>/dismiss": ADMIN_ACTS,
    "POST /admin/stations/<code>/reopen": ADMIN_ACTS,
    "GET /admin/stations/new": ADMIN,
    "POST /admin/stations/new": ADMIN_FORM,
    "GET /bookings/<int:booking_id>/calendar.ics": "ask 200 404 404 404 404 404",
    "POST /bookings/<int:booking_id>/calendar/mail": "ask 303 404 404 404 404 404",
    "GET /cal/<token>.ics": NOT_FOUND,
    "GET /draws/<int:draw_id>": PUBLIC,
    "GET /draws/<int:draw_id>/list.json": PUBLIC,
    "GET /draws/check.py": PUBLIC,
    "POST /draws/<int:draw_id>/value": "ask 422 404 422 404 422 404",
    "GET /draws/<int:draw_id>/value": LEADS_ON,
    "GET /s/<code>/draws": PUBLIC,
    "GET /slots/<int:slot_id>/watch": PUBLIC,
    "POST /slots/<int:slot_id>/watch": PUBLIC,
    "POST /slots/<int:slot_id>/enter": OWN_ACTS,
    "GET /slots/<int:slot_id>/enter": LEADS_ON,
    "GET /entries/<int:entry_id>/wishes": LEADS_ON,
    "POST /entries/<int:entry_id>/wishes": "ask 303 404 404 404 404 404",
    "GET /entries/<int:entry_id>/invite": LEADS_ON,
    "POST /entries/<int:entry_id>/invite": "ask 303 404 404 404 404 404",
    "GET /draws/<int:draw_id>/join": LEADS_ON,
    "POST /draws/<int:draw_id>/join": OWN_ACTS,
    "GET /entries/<int:entry_id>/leave": LEADS_ON,
    "POST /entries/<int:entry_id>/leave": "ask 303 404 404 404 404 404",
    "GET /bookings/<int:booking_id>/give-up": LEADS_ON,
    "POST /bookings/<int:booking_id>/give-up": "ask 303 404 404 404 404 404",
    "POST /bookings/<int:booking_id>/rate": "ask 422 404 404 404 404 404",
    "GET /bookings/<int:booking_id>/rating": "ask 404 404 404 404 404 404",
    "POST /bookings/<int:booking_id>/rating": "ask 404 404 404 404 404 404",
    "GET /door/<code>": "403 403 403 403 403 403 403",
    "GET /door/<code>/in": SIGNED_IN,
    "POST /door/<code>/in": OWN_FORM,
    "POST /door/<code>/unpair": LEADS_ON,
    "GET /door/<code>/touch": "403 403 403 403 403 403 403",
    "POST /door/<code>/touch": "403 403 403 403 403 403 403",
    "GET /door/<code>/touch/name": "403 403 403 403 403 403 403",
    "POST /door/<code>/touch/name": "403 403 403 403 403 403 403",
    "GET /door/<code>/touch/said": "403 403 403 403 403 403 403",
    "GET /healthz": PUBLIC,
    "GET /parts": PUBLIC,
    "GET /pictures/<name>/<any(card, large):size>.jpg": NOT_FOUND,
    "POST /letters/again/<token>": NOT_FOUND,
    "GET /letters/stop/<token>": NOT_FOUND,
    "POST /letters/stop/<token>": NOT_FOUND,
    "GET /letters/unfollow/<token>": NOT_FOUND,
    "POST /letters/unfollow/<token>": NOT_FOUND,
    "POST /letters/follow/<token>": NOT_FOUND,
    "GET /letters/rate/<token>": NOT_FOUND,
    "POST /letters/rate/<token>": NOT_FOUND,
    "GET /manage/": "ask 200 200 303 303 200 303",
    "GET /manage/<code>/": CHECKIN,
    "GET /manage/<code>/slots/<int:slot_id>/message": MANAGER,
    "POST /manage/<code>/slots/<int:slot_id>/message": MANAGER_FORM,
    "POST /manage/<code>/slots/<int:slot_id>/message/<int:event_id>/withdraw": MANAGER_TOO_LATE,
    "GET /manage/<code>/bookings/<int:booking_id>/remove": MANAGER,
    "POST /manage/<code>/bookings/<int:booking_id>/remove": MANAGER_FORM,
    "POST /manage/<code>/bookings/<int:booking_id>/put-back": MANAGER_TOO_LATE,
    "POST /manage/<code>/slots/<int:slot_id>/note": MANAGER_ACTS,
    "POST /manage/<code>/slots/<int:slot_id>/watch": MANAGER_ACTS,
    "POST /manage/<code>/slots/<int:slot_id>/reserve": MANAGER_FORM,
    "GET /manage/<code>/activities/ready-made": MANAGER,
    "POST /manage/<code>/activities/ready-made": MANAGER_FORM,
    "GET /manage/<code>/week": MANAGER,
    "GET /manage/<code>/activities": MANAGER,
    "GET /manage/<code>/activities/<int:activity_id>": MANAGER,
    "POST /manage/<code>/activities/<int:activity_id>": MANAGER_FORM,
    "POST /manage/<code>/activities/<int:activity_id>/retire": "ask 404 404 409 404 409 404",
    "GET /manage/<code>/activities/new": MANAGER,
    "POST /manage/<code>/activities/new": MANAGER_FORM,
    "POST /manage/<code>/arrivals/<int:arrival_id>/check-in/<int:booking_id>": CHECKIN_ACTS,
    "POST /manage/<code>/slots/<int:slot_id>/arrivals/<int:arrival_id>/settle": CHECKIN_ACTS,
    "POST /manage/<code>/bookings/<int:booking_id>/check-in": CHECKIN_ACTS,
    "POST /manage/<code>/bookings/<int:booking_id>/undo": CHECKIN_ACTS,
    "POST /manage/<code>/bookings/<int:booking_id>/not-here": CHECKIN_ACTS,
    "GET /manage/<code>/calendar": MANAGER,
    "POST /manage/<code>/calendar": MANAGER_FORM,
    "GET /manage/<code>/scan": CHECKIN,
    "POST /manage/<code>/door-helpers": MANAGER_FORM,
    "POST /manage/<code>/door-helpers/<int:person_id>/renew": MANAGER_ACTS,
    "POST /manage/<code>/door-helpers/<int:person_id>/end": MANAGER_ACTS,
    "GET /manage/<code>/door": MANAGER,
    "POST /manage/<code>/door/pair": MANAGER_ACTS,
    "POST /manage/<code>/door/renew": MANAGER_ACTS,
    "GET /manage/<code>/history": MANAGER,
    "GET /manage/<code>/bookings/export": MANAGER,
    "GET /manage/<code>/import/<kind>": MANAGER,
    "POST /manage/<code>/import/<kind>": MANAGER_FORM,
    "GET /manage/<code>/import/<kind>/template": MANAGER,
    "GET /manage/<code>/numbers": MANAGER,
    "GET /manage/<code>/numbers/export": MANAGER,
    "POST /manage/<code>/numbers/headline": MANAGER_ACTS,
    "GET /manage/<code>/slots/<int:slot_id>/export": MANAGER,
    "GET /manage/<code>/people": MANAGER,
    "GET /manage/<code>/people/<int:person_id>": MANAGER,
    "POST /manage/<code>/people/<int:person_id>/phone": MANAGER,
    "GET /manage/<code>/poster": MANAGER,
    "GET /manage/<code>/plans": MANAGER,
    "GET /manage/<code>/plans/<int:plan_id>": MANAGER,
    "POST /manage/<code>/plans/<int:plan_id>": MANAGER_FORM,
    "GET /manage/<code>/plans/<int:plan_id>/dates": MANAGER,
    "POST /manage/<code>/plans/<int:plan_id>/dates": MANAGER_FORM,
    "POST /manage/<code>/plans/<int:plan_id>/dates/<day>/take-back": MANAGER_ACTS,
    "GET /manage/<code>/plans/<int:plan_id>/stop": MANAGER,
    "POST /manage/<code>/plans/<int:plan_id>/stop": MANAGER_ACTS,
    "GET /manage/<code>/plans/new": MANAGER,
    "POST /manage/<code>/plans/new": MANAGER_FORM,
    "GET /manage/<code>/policy": MANAGER,
    "POST /manage/<code>/policy": MANAGER_FORM,
    "GET /manage/<code>/slots": MANAGER,
    "GET /manage/<code>/wishes": MANAGER,
    "GET /manage/<code>/wishes/export": MANAGER,
    "GET /manage/<code>/wishes/<int:wish_id>": MANAGER,
    "POST /manage/<code>/wishes/<int:wish_id>/plan": MANAGER_ACTS,
    "POST /manage/<code>/wishes/<int:wish_id>/hold": MANAGER_FORM,
    "POST /manage/<code>/wishes/<int:wish_id>/decline": MANAGER_FORM,
    "POST /manage/<code>/wishes/<int:wish_id>/merge": MANAGER_FORM,
    "POST /manage/<code>/wishes/<int:wish_id>/remove": MANAGER_FORM,
    "GET /manage/<code>/notices": MANAGER,
    "GET /manage/<code>/notices/new": MANAGER,
    "POST /manage/<code>/notices/new": MANAGER_FORM,
    "GET /manage/<code>/notices/<int:notice_id>": MANAGER,
    "POST /manage/<code>/notices/<int:notice_id>": MANAGER_FORM,
    "POST /manage/<code>/notices/<int:notice_id>/end": MANAGER_ACTS,
    "GET /manage/<code>/requests": MANAGER,
    "GET /manage/<code>/requests/export": MANAGER,
    "GET /manage/<code>/requests/<int:request_id>": MANAGER,
    "POST /manage/<code>/requests/<int:request_id>/take-up": MANAGER_FORM,
    "POST /manage/<code>/requests/<int:request_id>/pass-on": MANAGER_FORM,
    "POST /manage/<code>/requests/<int:request_id>/solve": MANAGER_FORM,
    "GET /manage/<code>/running": MANAGER,
    "POST /manage/<code>/running/<int:aside_id>/again": MANAGER_ACTS,
    "GET /manage/<code>/slots/<int:slot_id>": CHECKIN,
    "POST /manage/<code>/slots/<int:slot_id>/release": MANAGER_ACTS,
    "POST /manage/<code>/slots/<int:slot_id>/all-came": MANAGER_TOO_LATE,
    "POST /manage/<code>/slots/<int:slot_id>/take-back": MANAGER_ACTS,
    "POST /manage/<code>/slots/<int:slot_id>/host": MANAGER_ACTS,
    "POST /manage/<code>/slots/<int:slot_id>/fell-through": MANAGER_TOO_LATE,
    "GET /manage/<code>/slots/<int:slot_id>/cancel": MANAGER,
    "GET /manage/<code>/put-away": MANAGER,
    "POST /manage/<code>/zones/<int:zone_id>/reopen": MANAGER_ACTS,
    "POST /manage/<code>/activities/<int:activity_id>/offer-again": MANAGER_ACTS,
    "POST /manage/<code>/plans/<int:plan_id>/resume": MANAGER_ACTS,
    "POST /manage/<code>/slots/<int:slot_id>/bring-back": MANAGER_ACTS,
    "POST /manage/<code>/slots/<int:slot_id>/cancel": MANAGER_FORM,
    "POST /manage/<code>/slots/<int:slot_id>/capacity": MANAGER_FORM,
    "GET /manage/<code>/slots/<int:slot_id>/forgive": MANAGER,
    "POST /manage/<code>/slots/<int:slot_id>/forgive": MANAGER_FORM,
    "GET /manage/<code>/slots/<int:slot_id>/move": MANAGER,
    "POST /manage/<code>/slots/<int:slot_id>/move": MANAGER_FORM,
    "GET /manage/<code>/slots/<int:slot_id>/print": MANAGER,
    "POST /manage/<code>/slots/<int:slot_id>/stand-by": CHECKIN_FORM,
    "POST /manage/<code>/slots/<int:slot_id>/walk-in": CHECKIN_FORM,
    "GET /manage/<code>/slots/new": MANAGER,
    "POST /manage/<code>/slots/new": MANAGER_FORM,
    "POST /manage/<code>/strikes/<int:strike_id>/forgive": MANAGER_FORM,
    "POST /manage/<code>/taps": CHECKIN_FORM,
    "GET /manage/<code>/tickets/<ticket>": CHECKIN,
    "POST /manage/<code>/tickets/<ticket>": CHECKIN,
    "GET /manage/<code>/week/copy": MANAGER,
    "POST /manage/<code>/week/copy": MANAGER_ACTS,
    "GET /manage/<code>/zones": MANAGER,
    "POST /manage/<code>/zones": MANAGER_FORM,
    "GET /manage/<code>/zones/<int:zone_id>": MANAGER,
    "POST /manage/<code>/zones/<int:zone_id>": MANAGER_FORM,
    "POST /manage/<code>/zones/<int:zone_id>/close": "ask 404 404 409 404 409 404",
    "GET /me": SIGNED_IN,
    "GET /me/attendance": SIGNED_IN,
    "POST /me/attendance": OWN_FORM,
    "POST /me/attendance/<int:proof_id>/end": "ask 303 404 404 404 404 404",
    "GET /me/history": SIGNED_IN,
    "GET /v/<code>": NOT_FOUND,
    "GET /offline": PUBLIC,
    "GET /favicon.ico": PUBLIC,
    "GET /robots.txt": PUBLIC,
    "GET /sitemap.xml": PUBLIC,
    "GET /sw.js": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /s/<code>": PUBLIC,
    "GET /s/<code>/find": PUBLIC,
    "GET /s/<code>/headline": NOT_FOUND,
    "GET /s/<code>/month": PUBLIC,
    "GET /s/<code>/wishes": PUBLIC,
    "POST /s/<code>/wishes": OWN_FORM,
    "POST /s/<code>/wishes/<int:wish_id>/want": OWN_ACTS,
    "POST /s/<code>/wishes/<int:wish_id>/take-back": OWN_ACTS,
    "GET /s/<code>/notices": PUBLIC,
    "GET /s/<code>/requests": SIGNED_IN,
    "POST /s/<code>/requests": OWN_FORM,
    "POST /requests/<int:request_id>/rate": "ask 422 404 404 404 404 404",
    "POST /requests/<int:request_id>/withdraw": "ask 303 404 404 404 404 404",
    "GET /slots/<int:slot_id>": PUBLIC,
    "GET /slots/<int:slot_id>/opening": OWN_ACTS,
    "GET /slots/<int:slot_id>/book": LEADS_ON,
    "POST /slots/<int:slot_id>/book": OWN_ACTS,
    "GET /slots/<int:slot_id>/standby": LEADS_ON,
    "GET /slots/<int:slot_id>/signed-in": "ask 303 303 303 303 303 303",
    "POST /slots/<int:slot_id>/signed-in/forget": LEADS_ON,
    "POST /slots/<int:slot_id>/standby": OWN_ACTS,
    "GET /stations": PUBLIC,
    "GET /stations/near": LEADS_ON,
    "POST /stations/near": NOT_FOUND,
}


def _centre(session: Session, code: str, station: Station) -> None:
    """A centre of a city, which nobody oversees, with this station."""
    above: Node | None = None
    for level, name in (("city", "city"), ("district", "district"), ("centre", code)):
        details = network.NodeDetails(name)
        above = network.add_node.inside(session, above, level, name, details, LONG_BEFORE, None)
    station.centre_id = above.id if above else None


@dataclass
class World:
    """Tuesday, 12:05 at cbd: 周明 has a seat, 李静 none, 王磊 missed one; west is another station."""

    lunch: LunchHour
    app: Flask

    def __post_init__(self) -> None:
        lunch, self.tokens = self.lunch, dict[str, str]()
        west = lunch.other_station("west")
        for name in ("周明", "王磊"):
            lunch.book(name, "Mon 11:00")
        with transactions.transaction(lunch.session) as session:
            self.readers = {
                "anonymous": 0,
                "worker": lunch.people["周明"],
                "other worker": lunch.people["李静"],
                "manager": lunch.manager_id,
                "other station's manager": make_manager(session, west, "吴经理"),
                "admin": make_people(session, ["何主任"])["何主任"],
                "door helper": make_people(session, ["许助手"])["许助手"],
            }
            session.get_one(Person, self.readers["admin"]).is_admin = True
            helper = {"person_id": self.readers["door helper"], "station_id": lunch.station_id}
            session.add(DoorHelper(**helper, until=at("Wed 00:00"), granted_by=lunch.manager_id))
            self.values = self._things(session) | {"person_id": lunch.people["王磊"], "code": "cbd"}
            self.values |= {"name": "f" * 32, "size": "card", "station_code": "west"}
            _centre(session, "cbd", session.get_one(Station, west))

    def _things(self, session: Session) -> dict[str, object]:
        slot = session.get_one(Slot, self.lunch.slot_id)
        mine = session.scalars(select(Booking).where(Booking.person_id == self.lunch.people["周明"])).one()
        missed = session.scalars(select(Booking).where(Booking.person_id == self.lunch.people["王磊"])).one()
        activity = session.scalars(select(Activity).where(Activity.station_id == slot.station_id)).one()
        plan = Plan(
            station_id=slot.station_id,
            activity_id=activity.id,
            zone_id=slot.zone_id,
            weekdays="5",
            starts=time(12, 10),
            minutes=50,
            capacity=10,
            valid_from=date(2026, 11, 27),
        )
        strike = Strike(
            person_id=missed.person_id,
            station_id=slot.station_id,
            slot_id=slot.id,
            booking_id=missed.id,
            at=LONG_BEFORE,
            reason="no_show",
        )
        session.add_all([plan, strike])
        session.flush()
        session.add(PlanException(plan_id=plan.id, date=date(2026, 12, 4), skip=True))
        aside = SetAside(job="promote", row_id=slot.id, station_id=slot.station_id, since=LONG_BEFORE)
        letter = Letter(
            kind="code", message_id="failed", state="failed", created_at=LONG_BEFORE, next_try_at=LONG_BEFORE
        )
        draw = Draw(station_id=slot.station_id, date=slot.date, opens_at=LONG_BEFORE, closes_at=LONG_BEFORE, version=1)
        draw.value_kind, draw.value_source, draw.value_from, draw.value_until = "kl8", "x", LONG_BEFORE, LONG_BEFORE
        session.add_all([aside, letter, draw])
        session.flush()
        entry = DrawEntry(
            draw_id=draw.id, person_id=mine.person_id, tag="abcde", wishes=[slot.id], entered_at=LONG_BEFORE
        )
        asked = ServiceRequest(station_id=slot.station_id, person_id=mine.person_id, kind="room", text="开个窗")
        asked.created_at, asked.answer_due_on, asked.due_on = NOW, NOW.date(), NOW.date()
        proof = AttendanceProof(person_id=mine.person_id, code="x", first=NOW.date(), last=NOW.date(), created_at=NOW)
        watched = WatchLink(slot_id=slot.id, url="https://live.bilibili.com/1")
        wish = ActivityWish(station_id=slot.station_id, text="陶艺", text_key="陶艺", kind="crafts", created_at=NOW)
        told = Notice(station_id=slot.station_id, title="电梯检修", first=NOW.date(), last=NOW.date(), created_at=NOW)
        arrival = DoorArrival(station_id=slot.station_id, name="周明", at=NOW, until=at("Wed 00:00"))
        session.add_all([entry, asked, proof, watched, wish, told, arrival])
        session.flush()
        return {
            "slot_id": slot.id,
            "draw_id": draw.id,
            "entry_id": entry.id,
            "request_id": asked.id,
            "proof_id": proof.id,
            "wish_id": wish.id,
            "notice_id": told.id,
            "arrival_id": arrival.id,
            "zone_id": slot.zone_id,
            "activity_id": activity.id,
            "booking_id": mine.id,
            "event_id": 1,
            "ticket": mine.ticket,
            "plan_id": plan.id,
            "strike_id": strike.id,
            "letter": "confirmed",
            "tongue": "zh",
            "form": "page",
            "aside_id": aside.id,
            "letter_id": letter.id,
            "invitation_id": 1,
            "day": "2026-12-04",
            "token": "made-up",
            "kind": "plans",
        }

    def browser(self, reader: str) -> FlaskClient:
        client = self.app.test_client()
        if person_id := self.readers[reader]:
            if reader not in self.tokens:
                with transactions.transaction(self.lunch.session) as session:
                    self.tokens[reader] = lasting(session, session.get_one(Person, person_id), "browser", NOW)
            carry(client, self.tokens[reader], NOW)
        return client

    def answers(self, name: str) -> dict[str, str]:
        """What each reader gets. Those without access come first: the others may change what would be found."""
        method, rule = routes(self.app)[name]
        may_not = {reader for reader, word in expected(name).items() if word in ("ask", "404")}
        order = sorted(READERS, key=lambda reader: reader not in may_not)
        return {reader: self.answer(reader, method, rule) for reader in order}

    def answer(self, reader: str, method: str, rule: Rule) -> str:
        """What this reader gets, as an entry of the table."""
        _host, path = rule.build({name: self.values[name] for name in rule.arguments}) or ("", "")
        answer = self.browser(reader).open(path, method=method)
        to_sign_in = answer.status_code == 303 and "/account/sign-in?next=" in answer.headers["Location"]
        return "ask" if to_sign_in else str(answer.status_code)


@pytest.fixture
def world(session: Session, app: Flask) -> Iterator[World]:
    with time_machine.travel(NOW, tick=False):
        yield World(LunchHour(session), app)


def routes(app: Flask) -> dict[str, tuple[str, Rule]]:
    """Every method and rule of the app, by the name that it has in the table."""
    return {
        f"{method} {rule.rule}": (method, rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint != "static"
    }


@pytest.mark.sqlite
def test_every_route_has_its_row_and_every_row_its_route(make_app: Callable[..., Flask]) -> None:
    assert {name for name in routes(make_app()) if " /net/" not in name} == set(TABLE)


def test_who_may_read_what(world: World) -> None:
    looks = [name for name in TABLE if name.startswith("GET ")]
    assert {name: world.answers(name) for name in looks} == {name: expected(name) for name in looks}


@pytest.mark.sqlite
@pytest.mark.parametrize("name", [name for name in TABLE if not name.startswith("GET ")])
def test_who_may_do_what(world: World, name: str) -> None:
    assert world.answers(name) == expected(name)


def expected(name: str) -> dict[str, str]:
    return dict(zip(READERS, TABLE[name].split(), strict=True))
