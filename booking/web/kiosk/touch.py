"""Touch mode of the kiosk: a ticket is scanned, its digits are typed, or a name is left for the staff.

An answer is shown once, by a page of its own: nothing of the last person remains for the next one.
"""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import force_locale
from sqlalchemy.orm import joinedload

from booking import checkin_sync, clock, people, services
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Booking, Slot, Station
from booking.queries import ticket_codes
from booking.web.forms.kiosk_touch import DoorNameForm, TypedForm
from booking.web.forms.rules import heard
from booking.web.i18n import formatting
from booking.web.i18n.language import ASKED_FOR
from booking.web.kiosk import pairing
from booking.web.kiosk.views import pages, unpaired
from booking.web.security.permissions import open_station

P = ParamSpec("P")
IDLE = 60  # seconds after which a page that nobody touches gives way to the screen; a name takes longer to type
IDLE_NAME = 120
LONGEST = 400  # characters: an address with a ticket has about a hundred


def spoken(view: Callable[P, Response]) -> Callable[P, Response]:
    """In the language that was chosen on the page before. It is in the address only, so that the next person has the
    screen's own."""

    @wraps(view)
    def chosen(*args: P.args, **kwargs: P.kwargs) -> Response:
        wanted = ASKED_FOR.get(request.values.get("lang", ""))
        with force_locale(wanted) if wanted else nullcontext():
            return view(*args, **kwargs)

    return chosen


@pages.get("/door/<code>/touch")
@spoken
def touch(code: str) -> Response:
    """A field for the scanner and a keypad for the digits."""
    return _shown("kiosk/touch.html", _kiosk(code), no=None)


@pages.post("/door/<code>/touch")
@spoken
def touched(code: str) -> Response:
    """Check in whose ticket it is, or put them on standby: by the rule for a person who has scanned the screen."""
    return _use(_kiosk(code), TypedForm().typed.data or "", clock.now())


@pages.route("/door/<code>/touch/name", methods=["GET", "POST"])
@spoken
def leave_name(code: str) -> Response:
    """A name for the staff, or a ticket that was scanned here. What was typed is not shown again: the screen is
    everybody's."""
    station, form, now = _kiosk(code), DoorNameForm(), clock.now()
    if ticket_codes.read((form.name.data or "")[:LONGEST])[0]:
        return _use(station, form.name.data, now)
    if form.validate_on_submit():
        with heard(form, station):
            services.leave_name(db.session, station.id, form.name.data, now)
            return _answer(station, now, code="named")
    status = 422 if request.method == "POST" else 200
    return _shown("kiosk/name.html", station, status, form=form, idle=IDLE_NAME)


@pages.get("/door/<code>/touch/said")
@spoken
def said(code: str) -> Response:
    """What became of it, once; then the screen."""
    station, now = _kiosk(code), clock.now()
    answer = pairing.answer_of(station, now)
    if answer is None:
        return make_response(redirect(url_for(".screen", code=code), code=303))
    slot = joinedload(Booking.slot)
    load = [joinedload(Booking.person), slot.joinedload(Slot.activity), slot.joinedload(Slot.zone)]
    booking = db.session.get(Booking, answer["booking"], options=load) if answer["booking"] else None
    response = _shown("kiosk/said.html", station, booking=booking, said=answer, idle=pairing.ANSWER_TIME)
    pairing.forget_answer(response)
    return response


def _kiosk(code: str) -> Station:
    """The station, on a browser that is a kiosk of it."""
    station = open_station(code)
    return station if pairing.is_paired(station) else abort(unpaired(station))


def _use(station: Station, typed: str, now: datetime) -> Response:
    try:
        booking = _find(station, typed, now)
    except RuleViolation as no:
        status = 429 if no.reason == "too_many_tries" else 422
        return _shown("kiosk/touch.html", station, status, no=no)
    try:
        _of_today(station, booking, now)
        done = checkin_sync.arrive(db.session, booking.person_id, booking.slot_id, now, booking_id=booking.id)
    except RuleViolation as no:
        words = {"words": formatting.reason(no, station), "more": formatting.next_step(no)}
        return _answer(station, now, code=no.reason, booking=booking.id, **words)
    return _answer(station, now, code=_became(done, now), booking=done.id)


def _find(station: Station, typed: str, now: datetime) -> Booking:
    """The booking that a ticket, or its six digits, is of. Wrong digits are counted, for the whole station."""
    if not typed.strip() or len(typed) > LONGEST:
        raise RuleViolation("not_a_ticket" if typed.strip() else "nothing_scanned")
    there, ticket = ticket_codes.read(typed)
    if ticket:
        if there not in ("", station.code.lower()):
            raise RuleViolation("ticket_of_other_station")
        if booking := ticket_codes.by_ticket(db.session(), station, ticket, now):
            return booking
        raise RuleViolation("unknown_ticket")
    try:
        digits = people.clean_code(typed)
    except RuleViolation:
        raise RuleViolation("not_a_ticket") from None
    found = ticket_codes.by_code(db.session(), station, digits, now)
    people.guess_door_code(db.session, f"kiosk {station.id}", now, right=bool(found))
    if len(found) != 1:
        raise RuleViolation("same_digits" if found else "wrong_digits")
    return found[0]


def _of_today(station: Station, booking: Booking, now: datetime) -> None:
    if booking.slot.date != formatting.station_date(now, station):
        raise RuleViolation("ticket_of_other_day", day=formatting.day_date(booking.slot.date))


def _became(booking: Booking, now: datetime) -> str:
    """`in`, `already`, or `standby`."""
    if booking.state != "attended":
        return "standby"
    return "in" if booking.checked_in_at == now else "already"


def _answer(station: Station, now: datetime, *, code: str, booking: int | None = None, **words: str) -> Response:
    response = make_response(redirect(url_for(".said", code=station.code, lang=_lang()), code=303))
    pairing.keep_answer(response, station, {"code": code, "booking": booking, **words}, now)
    return response


def _shown(template: str, station: Station, status: int = 200, *, idle: int = IDLE, **told: Any) -> Response:
    page = render_template(template, station=station, lang=_lang(), other=_other(), idle=idle, **told)
    return make_response(page, status)


def _lang() -> str | None:
    """The chosen language, as addresses carry it."""
    wanted = request.values.get("lang", "")
    return wanted if wanted in ASKED_FOR else None


def _other() -> str:
    return "zh" if formatting.language() == "en" else "en"
