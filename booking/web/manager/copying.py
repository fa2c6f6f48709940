"""Copying a week to the next ones: a preview day by day, then one click."""

from datetime import date, timedelta

from flask import render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from booking import clock, slots
from booking.extensions import db
from booking.model import Station
from booking.web.forms.fields import DayField
from booking.web.i18n.formatting import station_date
from booking.web.i18n.messages import BRIEF
from booking.web.manager.blueprint import Answer, actor, done, pages
from booking.web.security.permissions import managed_station

# Why something is not copied.
OUTCOMES = BRIEF | {
    "add": _("会加上"),
    "holiday": _("那天休息，跳过"),
    "same": _("那天已经有了"),
    "zone_max": _("场地坐不下，跳过"),
}


@pages.get("/<code>/week/copy")
def copy_week(code: str) -> Answer:
    station = managed_station(code)
    monday, weeks = _asked(station)
    told = slots.preview_week(db.session(), station, monday, weeks, clock.now())
    context = {"monday": monday, "weeks": weeks, "told": told, "outcomes": OUTCOMES, "most": slots.MOST_WEEKS}
    return render_template("manager/copy.html", station=station, **context)


@pages.post("/<code>/week/copy")
def do_copy_week(code: str) -> Answer:
    station = managed_station(code)
    monday, weeks = _asked(station)
    did = slots.copy_week(db.session, station, monday, weeks, clock.now(), actor())
    added = sum(copy.outcome == "add" for copy in did)
    sentence = gettext("复制好了：加上 %(added)s 项，跳过 %(skipped)s 项。", added=added, skipped=len(did) - added)
    return done(sentence, f"{url_for('.week', code=code)}?from={monday + timedelta(days=7)}")


def _asked(station: Station) -> tuple[date, int]:
    """The Monday of the week to copy, by default this one; one week ahead unless more are asked for."""
    asked = DayField.read(request.values.get("from", "")) or station_date(clock.now(), station)
    text = request.values.get("weeks", "")
    weeks = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 1
    return asked - timedelta(days=asked.weekday()), min(max(weeks, 1), slots.MOST_WEEKS)
