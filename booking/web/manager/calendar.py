"""Calendar: the next sixty days: what is announced, what is not yet, and the manager's own overrides."""

from datetime import date, timedelta
from typing import Any

from flask import request, url_for

from booking import clock, slots, workdays
from booking.extensions import db
from booking.model import Station
from booking.queries import manager
from booking.web.forms.fields import DayField
from booking.web.forms.station import DayForm
from booking.web.i18n.formatting import station_date
from booking.web.manager.blueprint import Answer, actor, done, heard, labels, pages, planned_words, shown
from booking.web.security.permissions import managed_station


@pages.route("/<code>/calendar", methods=["GET", "POST"])
def days(code: str) -> Answer:
    station = managed_station(code)
    asked = DayField.read(request.args.get("date", ""))
    form = DayForm(data={"date": asked})
    people = manager.people_on(db.session(), station.id, form.date.data) if form.validate_on_submit() else ()
    if people and request.form.get("sure") != "y":
        context = _sixty_days(station, form.date.data)
        context["labels"] = labels(station, people)
        return shown("manager/calendar.html", form, station=station, asked=form.date.data, people=people, **context)
    if form.validate_on_submit():
        with heard(form, station):
            did = slots.set_day(db.session, station, **form.word(), now=clock.now(), actor_id=actor())
            return done(planned_words(did), url_for(".days", code=code))
    return shown("manager/calendar.html", form, station=station, asked=asked, **_sixty_days(station, asked))


def _sixty_days(station: Station, asked: date | None) -> dict[str, Any]:
    """Whole weeks from this Monday on, and the state of the date that was asked for."""
    session, now = db.session(), clock.now()
    today = station_date(now, station)
    monday, last = today - timedelta(days=today.weekday()), today + workdays.AHEAD
    found = manager.calendar_days(session, station.id, monday, last + timedelta(days=6 - last.weekday()))
    counts = manager.slots_a_day(session, station.id, monday, last)
    return {
        "today": today,
        "days": found,
        "counts": counts,
        "on_that_day": manager.slots_between(session, station.id, asked, asked) if asked else [],
        "stranded": slots.stranded(session, station, now),
        "known_until": manager.known_until(session, today),
    }
