"""Today: where a manager lands: today's slots in order, each with its roster and the next act at this hour."""

import hashlib
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from flask_login import current_user

from booking import clock, seats, slots
from booking.extensions import db
from booking.model import Slot, Station
from booking.queries import door_names, draw_views, manager, slots_today, watch_links
from booking.web import htmx
from booking.web.i18n.formatting import station_date
from booking.web.manager.blueprint import Answer, pages
from booking.web.security.permissions import checkin_station


@pages.get("/<code>/")
def today(code: str) -> Answer:
    """The page, or its list for polling; of both a door helper gets the rosters only. The week was here once: its
    addresses still lead there."""
    station = checkin_station(code)
    if "from" in request.args or "sizes" in request.args:
        return redirect(f"{url_for('.week', code=code)}?{urlencode(request.args)}", code=303)
    day = station_date(clock.now(), station)
    if not htmx.asked():
        return _page(station, day)
    tag = f"{slots_today.last_event(db.session(), station.id)}-{clock.now():%H:%M}"
    return htmx.fresh(hashlib.sha256(tag.encode()).hexdigest()[:16], lambda: _list(station, day))


def _page(station: Station, day: date) -> str:
    now, session = clock.now(), db.session()
    if not current_user.manages(station.id):
        return render_template("manager/today.html", **_context(station, day))
    held = slots.held_releases(session, station.id, now - timedelta(days=1))
    return render_template(
        "manager/today.html",
        **_context(station, day),
        day=manager.calendar_days(session, station.id, day, day)[0],
        known_until=manager.known_until(session, day),
        stranded=slots.stranded(session, station, now),
        blocked=slots.blocked(session, station, now),
        unlinked=watch_links.missing(session, station.id, day, now),
        held=[slot for slot in held if not (slot.unattended and slot.ends_at > now)],  # the list says it of these
    )


def _list(station: Station, day: date) -> str:
    return render_template("manager/_today.html", **_context(station, day))


def _context(station: Station, day: date) -> dict[str, object]:
    session, now = db.session(), clock.now()
    acts = [(one, phase(one.slot, now)) for one in slots_today.of_day(session, station.id, day)]
    runs = current_user.manages(station.id)
    later = slots_today.next_day(session, station.id, day) if runs else None
    opens_today = later is not None and now < later.opens_at and station_date(later.opens_at, station) == day
    opens_first = opens_today and not any(act == "door" for _one, act in acts)
    return {
        "station": station,
        "runs": runs,
        "today": day,
        "slots": acts,
        "draws": draw_views.awaited(session, [one.slot for one, _act in acts], now),
        "next_day": later,
        "opens_first": opens_first,
        "at_door": len(door_names.waiting(session, station, now)),
    }


def phase(slot: Slot, now: datetime) -> str:
    """What this hour asks of the manager: planned, open, door, word (over, and nobody took attendance), done or cancelled."""
    state = slot.state_at(now)
    if state == "cancelled":
        return state
    if state == "done":
        return "word" if seats.awaits_word(slot, now) else state
    return "door" if now >= slot.checkin_from else "planned" if now < slot.opens_at else "open"
