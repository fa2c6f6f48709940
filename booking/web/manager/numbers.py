"""Statistics pages: a station's numbers on screen, on paper and as files, and the public headline."""

from datetime import date, timedelta

from flask import render_template, request, url_for
from flask_babel import gettext

from booking import clock, slots, statistics
from booking.extensions import db
from booking.queries import activity_ratings
from booking.statistics import Span
from booking.web.downloads import sent
from booking.web.forms.fields import DayField
from booking.web.i18n.formatting import station_date
from booking.web.manager import tables
from booking.web.manager.blueprint import Answer, actor, done, pages
from booking.web.security.permissions import managed_station

LONGEST = timedelta(days=731)


@pages.get("/<code>/numbers")
def numbers_(code: str) -> Answer:
    station, now = managed_station(code), clock.now()
    today, session = station_date(now, station), db.session()
    span = asked_span(today)
    return render_template(
        "manager/numbers.html",
        station=station,
        today=today,
        span=span,
        told=statistics.of_station(session, station.id, span),
        before=statistics.of_station(session, station.id, span.before).total,
        presets=presets(today),
        draws=statistics.of_draws(session, station.id, span.first, span.last),
        draw_kinds=tables.DRAW_KINDS,
        total_of=statistics.total,
        ratings=activity_ratings.rated_activities(session, station.id, now),
        hints=statistics.suggestions(session, station, now),
        headline=statistics.headline(session, station.id),
        weekdays=tables.WEEKDAYS,
        kinds=tables.KINDS,
    )


@pages.get("/<code>/numbers/export")
def export_numbers(code: str) -> Answer:
    station = managed_station(code)
    span = asked_span(station_date(clock.now(), station))
    draws = tables.of_draws(statistics.of_draws(db.session(), station.id, span.first, span.last))
    if request.args.get("of") == "draws":
        return sent([draws], f"{station.code}-draws-{span.first}-{span.last}")
    told = statistics.of_station(db.session(), station.id, span)
    before = statistics.of_station(db.session(), station.id, span.before)
    shares = activity_ratings.shares_of_slots(db.session(), station.id, span.first, span.last)
    sheets = [*tables.of_numbers(told, before, station, shares), *([draws] if draws.rows else [])]
    return sent(sheets, f"{station.code}-numbers-{span.first}-{span.last}")


@pages.post("/<code>/numbers/headline")
def show_headline(code: str) -> Answer:
    """Switch the public headline on or off."""
    station, shows = managed_station(code), request.form.get("shows") == "y"
    slots.show_headline(db.session, station, shows, clock.now(), actor())
    words = gettext("这一页现在谁都能看。") if shows else gettext("这一页现在关上了。")
    return done(words, url_for(".numbers_", code=code))


def asked_span(today: date, days: int = 28) -> Span:
    """The days in the query; the last `days` when it names no valid ones."""
    first, last = (DayField.read(request.args.get(name, "")) for name in ("from", "until"))
    last = last or today
    first = first or last - timedelta(days=days - 1)
    if first > last:
        first, last = last, first
    return Span(max(first, last - LONGEST), last)


def presets(today: date) -> list[tuple[str, Span]]:
    """The usual reporting periods."""
    month = today.replace(day=1)
    last_month = month - timedelta(days=1)
    monday = today - timedelta(days=today.weekday())
    return [
        (gettext("近四周"), Span(today - timedelta(days=27), today)),
        (gettext("上周"), Span(monday - timedelta(days=7), monday - timedelta(days=1))),
        (gettext("本月"), Span(month, today)),
        (gettext("上月"), Span(last_month.replace(day=1), last_month)),
        (gettext("今年"), Span(today.replace(month=1, day=1), today)),
    ]
