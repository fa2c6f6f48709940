"""Sharing: what search engines and chats are told of a page: robots.txt, sitemap, icon, and schema.org's Event."""

from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Response, current_app, render_template

from booking import clock
from booking.extensions import db
from booking.mail.links import public
from booking.model import Station
from booking.queries import station_lookup
from booking.queries.slot_cards import Card
from booking.web import picture_links
from booking.web.i18n import formatting
from booking.web.worker.blueprint import pages

MOST = 50_000  # addresses in a sitemap (https://www.sitemaps.org/protocol.html)
# What needs a sign-in, or is of no use to who searches.
HIDDEN = ("account", "admin", "bookings", "door", "letters", "manage", "me", "parts", "requests", "stations/near", "v")
FOUND = ("account/register", "account/sign-in")  # of these, what somebody may look for
SCHEMA = "https://schema.org/"

pages.add_app_template_global(public, "public")


@pages.get("/robots.txt")
def robots() -> Response:
    said = [*(f"Allow: /{path}" for path in FOUND), *(f"Disallow: /{path}" for path in HIDDEN)]
    lines = ["User-agent: *", *said, f"Sitemap: {public('/sitemap.xml')}"]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@pages.get("/sitemap.xml")
def sitemap() -> Response:
    """The pages of all open stations. Those of slots are left out: they come and go in a week."""
    found = station_lookup.stations(db.session(), limit=MOST)
    text = render_template("worker/sitemap.xml", paths=[f"/s/{station.code}" for station in found])
    return Response(text, mimetype="application/xml")


@pages.get("/favicon.ico")
def favicon() -> Response:
    """Where browsers and chats look that do not read the page."""
    icon = Path(current_app.static_folder or "", "favicon.ico").read_bytes()
    return Response(icon, mimetype="image/x-icon", headers={"Cache-Control": "public, max-age=86400"})


def event(card: Card, station: Station, *, online: bool) -> dict[str, Any]:
    """A slot as schema.org's Event (https://schema.org/Event), for `<script type="application/ld+json">`."""
    slot = card.slot
    place = {
        "@type": "Place",
        "name": formatting.local(station, "name"),
        "address": formatting.local(station, "address") or formatting.local(station, "name"),
    }
    elsewhere = {"@type": "VirtualLocation", "url": public(f"/slots/{slot.id}/watch")}
    return {
        "@context": SCHEMA.rstrip("/"),
        "@type": "Event",
        "name": formatting.local(slot.activity, "title"),
        "startDate": _local(slot.starts_at, station),
        "endDate": _local(slot.ends_at, station),
        "eventStatus": SCHEMA + ("EventCancelled" if card.state == "cancelled" else "EventScheduled"),
        "eventAttendanceMode": SCHEMA + ("MixedEventAttendanceMode" if online else "OfflineEventAttendanceMode"),
        "location": [place, elsewhere] if online else place,
        "image": public(picture_links.shared_picture(slot.activity.picture).path),
        "url": public(f"/slots/{slot.id}"),
        "maximumAttendeeCapacity": slot.capacity,
        "remainingAttendeeCapacity": card.left,
        "isAccessibleForFree": True,
    }


def _local(instant: datetime, station: Station) -> str:
    return clock.at_station(instant, station.zone_name).isoformat()
