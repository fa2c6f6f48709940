"""Kiosk pages: the screen itself, and the page that its code opens on a worker's phone."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.exceptions import TooManyRequests

from booking import checkin_sync, clock, people
from booking.errors import RuleViolation
from booking.extensions import client_address, db
from booking.model import Booking, Slot, Station
from booking.queries import checkin, draw_views
from booking.queries.current_notices import NoticeText, shown_on
from booking.web import htmx, qr_code
from booking.web.cache import store
from booking.web.errors import read_id
from booking.web.i18n import formatting
from booking.web.kiosk import pairing
from booking.web.security import security_log
from booking.web.security.permissions import open_station, worker

pages = Blueprint("kiosk", __name__)


@pages.get("/door/<code>")
def screen(code: str) -> Response:
    """The screen, or the part of it that changes. Only a paired browser gets the code."""
    station = open_station(code)
    if not pairing.is_paired(station) and htmx.asked():
        return make_response(htmx.go(url_for(".screen", code=code)))
    if not pairing.is_paired(station):
        return unpaired(station)
    template = "kiosk/_screen.html" if htmx.asked() else "kiosk/screen.html"
    response = make_response(render_template(template, station=station, **_on_screen(station, clock.now())))
    if not htmx.asked():
        pairing.turn_page(response)
    return response


def unpaired(station: Station) -> Response:
    """What a browser that is no kiosk of the station gets."""
    security_log.not_allowed(request.endpoint, current_user.person_id, station=station.id)
    return make_response(render_template("kiosk/unpaired.html", station=station), 403)


@pages.post("/door/<code>/unpair")
def unpair(code: str) -> Response:
    """Unpair this browser."""
    response = make_response(redirect(url_for("kiosk.screen", code=open_station(code).code), code=303))
    pairing.unpair(response)
    return response


@pages.get("/door/<code>/in")
def scanned(code: str) -> Response:
    """The page behind the QR code: who you are, which slot it is, and one button. Nothing is changed yet."""
    station, typed, now = open_station(code), request.args.get("code", ""), clock.now()
    known = current_user.is_authenticated and bool(pairing.scan_of(station, now))
    fresh = bool(typed) and (known or _is_fresh(station, typed, now))
    if not current_user.is_authenticated:
        return _sign_in_first(station, typed, fresh, now)
    no = RuleViolation("stale_code") if typed and not fresh else None
    page = render_template("kiosk/in.html", **_arrival(station, now), typed="" if no else typed, no=no)
    response = make_response(page)
    if fresh and not known:
        pairing.remember_scan(response, station, now)
    return response


@pages.post("/door/<code>/in")
def arrive(code: str) -> Response:
    """Check in a person with a seat; put one without on standby for the slot that they chose."""
    station, now = open_station(code), clock.now()
    person = worker(url_for(".scanned", code=code))
    typed = request.form.get("code", "")
    scan = "" if pairing.is_fresh(station, typed, now) else pairing.scan_of(station, now)
    if not scan and not (typed and _is_fresh(station, typed, now)):
        return _refused(station, RuleViolation("stale_code"), now)
    try:
        booking = _let_in(station, person.id, request.form.get("slot", ""), now, scan)
    except RuleViolation as no:
        return _refused(station, no, now)
    response = make_response(render_template("kiosk/done.html", station=station, booking=booking))
    pairing.forget_scan(response)
    return response


def _is_fresh(station: Station, typed: str, now: datetime) -> bool:
    """Whether the kiosk shows this code. Wrong ones are counted, by person or by network client; 429 after too many."""
    right = pairing.is_fresh(station, typed, now)
    who = f"person {current_user.person_id}" if current_user.is_authenticated else client_address()
    try:
        people.guess_door_code(db.session, who, now, right=right)
    except RuleViolation as no:
        raise TooManyRequests(retry_after=math.ceil((no.details["until"] - now).total_seconds())) from no
    return right


def _let_in(station: Station, person_id: int, slot: str, now: datetime, scan: str) -> Booking:
    """Into the slot with their seat, else the chosen one among those open for check-in."""
    open_ids = {one.id for one in checkin.doors_open(db.session(), station.id, now)}
    mine = [one for one in checkin.bookings_here(db.session(), person_id, station.id, now) if one.slot_id in open_ids]
    seat = _seat_among(mine)
    slot_id = read_id(slot)
    if seat is None and slot_id not in open_ids:
        raise RuleViolation("choose_slot")
    lost = next((one for one in mine if one.state == "released" and one.slot_id == slot_id), None)
    had = seat or lost
    return checkin_sync.arrive(db.session, person_id, slot_id, now, booking_id=had.id if had else None, scan=scan)


def _seat_among(mine: Sequence[Booking]) -> Booking | None:
    """The seat to check in to: one already checked in comes last, as its slot may still run when the next one admits."""
    held = [one for one in mine if one.state in ("booked", "attended")]
    return min(held, key=lambda one: one.state == "attended", default=None)


def _arrival(station: Station, now: datetime) -> dict[str, Any]:
    """What a worker at the station may do: check in with a seat, or choose a slot to stand by for."""
    session, today = db.session(), formatting.station_date(now, station)
    opened = checkin.doors_open(session, station.id, now)
    mine = checkin.bookings_here(session, current_user.id, station.id, now) if current_user.is_authenticated else []
    here = [one for one in mine if one.slot_id in {slot.id for slot in opened}]
    later = next((one for one in mine if one not in here and one.state == "booked"), None)
    doors = _beside(later, opened)
    return {
        "station": station,
        "doors": doors,
        "seat": _seat_among(here),
        "draws": draw_views.of_slots(session, opened),
        "waits": {one.slot_id for one in here if one.state == "waiting"},
        "queued": {one.slot_id for one in here if one.state == "waiting" and one.standby_at},
        "lost": {one.slot_id for one in here if one.state == "released"},
        "later": later if later and (not doors or later.slot.date == today) else None,
        "next": checkin.next_slots(session, station.id, now, 1),
    }


def _beside(seat: Booking | None, slots: Sequence[Slot]) -> list[Slot]:
    """The slots that a person with this seat can be in: nobody sits in two at once."""
    return [
        one for one in slots if not seat or one.ends_at <= seat.slot.starts_at or seat.slot.ends_at <= one.starts_at
    ]


def _refused(station: Station, no: RuleViolation, now: datetime) -> Response:
    stale = no.reason == "stale_code"
    typed = "" if stale else request.form.get("code", "")
    page = render_template("kiosk/in.html", **_arrival(station, now), typed=typed, no=no)
    return make_response(page, 422 if stale else 409)


def _sign_in_first(station: Station, typed: str, fresh: bool, now: datetime) -> Response:
    back = url_for(".scanned", code=station.code)
    here = f"{back}?{urlencode({'code': typed})}" if typed else back
    response = make_response(redirect(f"/account/sign-in?{urlencode({'next': here})}", code=303))
    if fresh:
        pairing.remember_scan(response, station, now)
    return response


def _on_screen(station: Station, now: datetime) -> dict[str, Any]:
    session = db.session()
    opened = checkin.doors_open(session, station.id, now)
    shown = opened or checkin.next_slots(session, station.id, now)
    code = pairing.code_at(station, now)
    address = f"{current_app.config['PUBLIC_URL']}{url_for('.scanned', code=station.code)}?code={code}"
    return {
        "slots": shown,
        "open": bool(opened),
        "draws": draw_views.of_slots(session, shown),
        "standby": checkin.standing_by(session, [slot.id for slot in opened]),
        "free_now": free_now,
        "now_": now,
        "code": code,
        "seconds": pairing.seconds_left(now),
        "qr": qr_code.svg(address),
        "notice": _notice(station, now),
    }


def _notice(station: Station, now: datetime) -> NoticeText | None:
    """One of today's notices: another one at each change of the code. From the cache of the process."""
    shown = shown_on(store.look(request).board(station.id, now), formatting.station_date(now, station))
    return shown[int(now.timestamp() // pairing.STEP) % len(shown)] if shown else None


def free_now(slot: Slot, now: datetime) -> int:
    """Seats free for walk-ins: while the waiting list is open, a free seat belongs to it."""
    return 0 if slot.waiting and now < slot.waitlist_until else slot.free
