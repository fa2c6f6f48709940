"""What is mine: the next booking with its ticket, places in line, the past, strikes, the rules."""

from typing import Any

import segno
from flask import current_app, make_response, render_template, session
from markupsafe import Markup
from werkzeug.wrappers import Response

from booking import clock, policy
from booking.extensions import db
from booking.model import Booking, Person
from booking.rosters import mine, misses, places
from booking.web import access, htmx
from booking.web.worker import outcomes, whys
from booking.web.worker.outcomes import Outcome
from booking.web.worker.room import pages


@pages.get("/me")
def me() -> str | Response:
    person = access.worker()
    if htmx.asked():
        return make_response(fragment(person, None))
    missed = misses.misses(db.session(), person.id, clock.now())
    return render_template("worker/me.html", **_mine(person), outcome=outcomes.last(), misses=missed, why=whys.why)


def fragment(person: Person, outcome: Outcome | None) -> str:
    """The part of the page that changes."""
    return render_template("worker/_mine.html", **_mine(person), outcome=outcome)


def qr(booking: Booking) -> Markup:
    """The booking's ticket as inline SVG: the address where the station's manager checks it in."""
    address = f"{current_app.config['PUBLIC_URL']}/manage/{booking.slot.station.code}/tickets/{booking.ticket}"
    drawn = segno.make(address, error="m", micro=False)
    svg = drawn.svg_inline(omitsize=True, border=0, dark="#20241f", svgclass=None, lineclass=None)
    return Markup(svg)  # noqa: S704 (drawn by us: nothing of anybody's text is in it)


def _mine(person: Person) -> dict[str, Any]:
    now, asked = clock.now(), db.session()
    held = mine.seats_ahead(asked, person.id, now)
    waiting = mine.places_ahead(asked, person.id, now)
    past = mine.past(asked, person.id, now)
    every = [*held, *(place.booking for place in waiting), *past]
    chosen = places.station(asked, session.get("station", ""))
    station = chosen or (every[0].slot.station if every else None)
    return {
        "person": person,
        "seats": held,
        "waiting": waiting,
        "past": past,
        "ledgers": mine.strike_ledgers(asked, person.id, now),
        "station": station,
        "rules": policy.read(station.policy) if station else None,
        "seen_at": now,
        "qr": qr,
    }
