"""My bookings: the next one with its ticket, waiting-list places, the past, strikes, the rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import current_app, render_template, session
from markupsafe import Markup
from werkzeug.wrappers import Response

from booking import clock, policy
from booking.extensions import db
from booking.model import Booking, Person, Slot
from booking.queries import (
    activity_ratings,
    draw_views,
    missed_slots,
    my_bookings,
    service_requests,
    station_day,
    station_lookup,
    ticket_codes,
    wish_list,
)
from booking.seats import can_undo
from booking.web import htmx, qr_code
from booking.web.cache.placeholders import own_tag
from booking.web.forms.activity_wish import STATES as WISH_STATES
from booking.web.forms.service_request import STATES
from booking.web.forms.visit_rating import FACES, ICONS
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker import etag, results, whys
from booking.web.worker.blueprint import pages
from booking.web.worker.results import Outcome


@pages.get("/me")
def me() -> str | Response:
    person = permissions.worker()
    told = _mine(person)
    name = own_tag(_tag(told))
    if htmx.asked():
        return htmx.fresh(name, lambda: _again(told, None, tag=name))
    if outcome := results.last():
        session.pop("_flashes", None)  # the same text is at the top of the page already
    over = _over(told)
    return render_template(
        "worker/me.html",
        **told,
        **over,
        **_frame(told, over["past"]),
        outcome=outcome,
        tag=name,
        requests=service_requests.of_interest(db.session(), person.id, told["seen_at"]),
        states=STATES,
        wishes=wish_list.of_person(db.session(), person.id, told["seen_at"]),
        wish_states=WISH_STATES,
    )


def fragment(person: Person, outcome: Outcome | None) -> str:
    """The parts of the page that change."""
    return _again(_mine(person), outcome)


def qr(booking: Booking) -> Markup:
    """The booking's ticket as inline SVG: the address where the station's manager checks it in."""
    address = f"{current_app.config['PUBLIC_URL']}/manage/{booking.slot.station.code}/tickets/{booking.ticket}"
    return qr_code.svg(address, dark="#20241f")


def digits(booking: Booking, now: datetime) -> str:
    """The six digits under the ticket, while the door screen takes them; else empty."""
    slot = booking.slot
    here = booking.state == "booked" and slot.checkin_from <= now < slot.ends_at
    return ticket_codes.code_of(booking, now) if here else ""


def _mine(person: Person) -> dict[str, Any]:
    now, asked = clock.now(), db.session()
    return {
        "person": person,
        "seats": my_bookings.seats_ahead(asked, person.id, now),
        "waiting": my_bookings.places_ahead(asked, person.id, now),
        "entries": draw_views.ahead(asked, person.id, now),
        "ledgers": my_bookings.strike_ledgers(asked, person.id, now),
        "seen_at": now,
        "qr": qr,
        "digits": digits,
    }


def _again(told: dict[str, Any], outcome: Outcome | None, **tag: str) -> str:
    return render_template("worker/_mine_again.html", **told, **_over(told), outcome=outcome, **tag)


def _over(told: dict[str, Any]) -> dict[str, Any]:
    """What is over by now, as `_past.html` shows it."""
    asked, person_id, now = db.session(), told["person"].id, told["seen_at"]
    past = my_bookings.past(asked, person_id, now)
    return {
        "past": past,
        "said": activity_ratings.of_bookings(asked, past, now),
        "misses": missed_slots.misses(asked, person_id, now),
        "why": whys.why,
        "faces": FACES,
        "icons": ICONS,
    }


def _frame(told: dict[str, Any], past: Sequence[Booking]) -> dict[str, Any]:
    """The rest of the page: the rules of the reader's station."""
    every = [*told["seats"], *(place.booking for place in told["waiting"]), *past]
    chosen = station_lookup.station(db.session(), session.get("station", ""))
    station = chosen or (every[0].slot.station if every else None)
    rules = policy.read(station.policy) if station else None
    has_draws = station is not None and station_day.has_coming_draws(db.session(), station.id, told["seen_at"])
    return {"station": station, "rules": rules, "has_draws": has_draws}


def _tag(told: dict[str, Any]) -> str:
    """The entity tag of all that the fragment shows."""
    now = told["seen_at"]
    seats = [(one.id, one.state, can_undo(one, now), digits(one, now), _facts(one.slot, now)) for one in told["seats"]]
    waits = [
        (place.booking.id, place.place, place.booking.standby_at, _facts(place.booking.slot, now))
        for place in told["waiting"]
    ]
    marks = [
        (ledger.station.id, ledger.paused_until, [(m.strike.id, m.counts, m.strike.forgiven_at) for m in ledger.marks])
        for ledger in told["ledgers"]
    ]
    entries = [draw_views.facts(own) for own in told["entries"]]
    today = formatting.station_date(now, clock.COUNTRY_ZONE)
    return etag.of(told["person"].id, formatting.language(), seats, waits, entries, marks, today)


def _facts(slot: Slot, now: datetime) -> tuple[Any, ...]:
    """What a slot's texts depend on, its phase included."""
    words = slot.starts_at, slot.ends_at, slot.activity.title, slot.activity.bring, slot.zone.name, slot.host, slot.note
    moments = (slot.opens_at, slot.free_until, slot.waitlist_until, slot.checkin_from, slot.starts_at, slot.release_at)
    return slot.id, slot.state_at(now), words, [now < at for at in moments], formatting.station_date(now, slot.station)
