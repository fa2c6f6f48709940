"""Day page: the routes of a station's page."""

from datetime import datetime

from flask import abort, render_template, request, session
from flask_babel import get_locale
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from booking import clock, policy
from booking.extensions import db
from booking.queries import my_bookings, station_lookup
from booking.queries.station_day import StationDay
from booking.web import assets, htmx
from booking.web.cache import store
from booking.web.i18n import formatting
from booking.web.worker import filters, notice_board, page_cache, results, station_list
from booking.web.worker.blueprint import pages
from booking.web.worker.calendar import takes_no_files
from booking.web.worker.day_view import DayPage
from booking.web.worker.page_cache import PageRequest, Viewer
from booking.web.worker.results import Outcome


@pages.get("/")
def home() -> str | Response:
    code = session.get("station", "")
    return (_page(code) if code else None) or _page(_only_or_last()) or station_list.stations()


@pages.get("/s/<code>")
def station(code: str) -> str | Response:
    page = _page(code) or abort(404)
    if session.get("station") != code:
        session["station"] = code
    return page


def _only_or_last() -> str:
    """The code of the station of the reader's last booking, or of the only one with anything to book; else empty."""
    person_id = current_user.person_id
    if person_id and (held := my_bookings.seats_ahead(db.session(), person_id, clock.now())):
        return held[0].slot.station.code
    return station_lookup.only_one(db.session(), clock.now())


def _page(code: str) -> str | Response | None:
    """The page of an open station, or its fragment; None when there is none with this code."""
    cache, now = store.look(request), clock.now()
    known = cache.known(current_user.token, code, now) if current_user.person_id else None
    asked = _asked(code, known is not None)
    day = cache.day(code, asked.asked.day, now)
    if day is None:
        return None
    # Flask-Login has just asked whether the sign-in is valid.
    viewer = Viewer(known, lambda: True, generate_csrf())
    outcome = None if asked.is_fragment else results.last()
    if outcome or (not asked.is_fragment and "_flashes" in session):
        return _page_once(day, asked, viewer, now, outcome)
    answer = page_cache.answer(cache, asked, viewer, now, page_cache.render_frame)
    return page_cache.response(asked, answer) if answer else None


def _asked(code: str, is_signed_in: bool) -> PageRequest:
    is_fragment = htmx.asked()
    tag = next((tag for tag in request.if_none_match.as_set(include_weak=True)), "") if is_fragment else ""
    style = None if is_fragment else assets.is_inlined()
    return PageRequest(
        code, filters.asked(), str(get_locale()), is_fragment, takes_no_files(), tag, is_signed_in, style
    )


def _page_once(day: StationDay, asked: PageRequest, viewer: Viewer, now: datetime, outcome: Outcome | None) -> str:
    """The page with the outcome of an act, which is shown once and not cached."""
    page = DayPage(day, viewer.known.reader if viewer.known else None, now, asked.asked.pick)
    rendered = page_cache.render_day(page, asked.no_files, outcome)
    return render_template(
        "worker/slots.html",
        station=page.station,
        notices=notice_board.folded(store.of_this_process(), page.station, now).markup,
        day=rendered.filled(viewer, store.of_this_process().polls.tell(rendered.pace), now),
        date=formatting.day_date(page.when, page.today),
        back=rendered.address,
        code=page.station.code,
        rules=policy.read(page.station.policy),
        has_draws=page.station.has_draws,
    )
