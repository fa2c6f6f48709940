"""Calendar: the next sixty days by month: what is announced, what is not yet, and the manager's own overrides."""

from datetime import date, timedelta
from itertools import groupby
from typing import Any

from flask import request, session, url_for

from booking import clock, slots, workdays
from booking.extensions import db
from booking.model import DayOverride, Station
from booking.queries import manager
from booking.web.forms.fields import DayField
from booking.web.forms.station import FOLLOWS, DayForm
from booking.web.i18n.formatting import station_date
from booking.web.manager.blueprint import Answer, actor, done, heard, labels, pages, planned_words, shown
from booking.web.security.permissions import managed_station

CHANGED = "calendar_changed"  # key of the session: a station's code, the date changed last, and what was said of it


@pages.route("/<code>/calendar", methods=["GET", "POST"])
def days(code: str) -> Answer:
    station = managed_station(code)
    asked = DayField.read(request.args.get("date", ""))
    form = DayForm(data={"date": asked, "note": _said(station, asked)["note"]})
    people = manager.people_on(db.session(), station.id, form.date.data) if form.validate_on_submit() else ()
    if people and request.form.get("sure") != "y":
        context = _sixty_days(station, form.date.data)
        context["labels"] = labels(station, people)
        return shown("manager/calendar.html", form, station=station, people=people, **context)
    if form.validate_on_submit():
        with heard(form, station):
            before = {"code": code, "date": form.date.data.isoformat(), **_said(station, form.date.data)}
            did = slots.set_day(db.session, station, **form.word(), now=clock.now(), actor_id=actor())
            session[CHANGED] = before
            # A browser would keep the form's #day; the message and its undo are at the top.
            return done(planned_words(did), url_for(".days", code=code, date=form.date.data, _anchor="flashes"))
    return shown("manager/calendar.html", form, station=station, **_sixty_days(station, form.date.data))


def _said(station: Station, when: date | None) -> dict[str, str]:
    """The override of a date, as its form sends it."""
    return DayForm.typed(db.session.get(DayOverride, (station.id, when)) if when else None)


def _undo(code: str, today: date) -> dict[str, Any] | None:
    """The last change from this browser, while its date can still be changed."""
    before = session.get(CHANGED)
    if not before or before["code"] != code or before["date"] <= today.isoformat():
        return None
    was = " · ".join(text for text in (str(FOLLOWS[before["says"]]), before["note"]) if text)
    return {**before, "when": date.fromisoformat(before["date"]), "was": was}


def _sixty_days(station: Station, asked: date | None) -> dict[str, Any]:
    """The days from this Monday on, in whole weeks, by month; and the state of the date that was asked for."""
    now = clock.now()
    today = station_date(now, station)
    monday, last = today - timedelta(days=today.weekday()), today + workdays.AHEAD
    found = manager.calendar_days(db.session(), station.id, monday, last + timedelta(days=6 - last.weekday()))
    chosen = next((day for day in found if day.date == asked and day.date > today), None)
    if chosen is None and asked and asked > today:  # beyond the days shown
        chosen = manager.calendar_days(db.session(), station.id, asked, asked)[0]
    on_that_day = manager.slots_between(db.session(), station.id, asked, asked) if asked else []
    return {
        "today": today,
        "months": [list(month) for _, month in groupby(found, lambda day: day.date.replace(day=1))],
        "chosen": chosen,
        "says": FOLLOWS,
        "undo": _undo(station.code, today),
        "counts": manager.slots_a_day(db.session(), station.id, monday, last),
        "on_that_day": [slot for slot in on_that_day if slot.state != "cancelled"],
        "stranded": slots.stranded(db.session(), station, now),
        "known_until": manager.known_until(db.session(), today),
    }
