"""Poster: an A4 page to print, in both languages: the station, an activity or the coming days, with a QR code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import render_template, request
from flask_babel import force_locale, gettext

from booking import clock
from booking.extensions import db
from booking.mail.links import public
from booking.model import LANGUAGES, Activity, Slot, Station
from booking.queries import manager
from booking.web import qr_code
from booking.web.i18n import formatting
from booking.web.manager.blueprint import Answer, pages
from booking.web.security.permissions import managed, managed_station

A_WEEK = timedelta(days=6)
MOST_LINES = 12  # of the coming days: what one page holds


@dataclass(frozen=True)
class Words:
    """What the poster says in one language."""

    language: str
    station: str
    address: str
    title: str
    about: str
    scan: str
    lines: Sequence[str] = ()


@pages.get("/<code>/poster")
def poster(code: str) -> Answer:
    """The query may name `activity` by id, or `days` for the coming week. Nobody's data is on it."""
    station = managed_station(code)
    asked = request.args.get("activity", "")
    activity = managed(code, Activity, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) <= 18 else None
    coming = [] if activity or "days" not in request.args else _coming(station)
    address = public(f"/s/{station.code}")
    return render_template(
        "manager/poster.html",
        station=station,
        activity=activity,
        activities=manager.activities(db.session(), station.id),
        words=[_words(language, station, activity, coming) for language in LANGUAGES],
        address=address.partition("://")[2],
        qr=qr_code.svg(address),
    )


def _coming(station: Station) -> list[Slot]:
    """The slots of the next seven days that have not begun."""
    now = clock.now()
    today = formatting.station_date(now, station)
    found = manager.slots_between(db.session(), station.id, today, today + A_WEEK)
    return [slot for slot in found if slot.state_at(now) in ("planned", "open")][:MOST_LINES]


def _words(language: str, station: Station, activity: Activity | None, coming: Sequence[Slot]) -> Words:
    with force_locale(language):
        said: dict[str, Any] = {
            "title": gettext("午间“驿”小时"),
            "about": gettext("工作日中午的一小时：瑜伽、手工、讲座……免费，名额有限，先到先得。"),
        }
        if activity:
            said = {"title": formatting.local(activity, "title"), "about": formatting.local(activity, "suits")}
        return Words(
            language=language,
            station=formatting.local(station, "name"),
            address=formatting.local(station, "address"),
            scan=gettext("微信或相机扫一扫，看场次，一按就约"),
            lines=[_line(slot, station) for slot in coming],
            **said,
        )


def _line(slot: Slot, station: Station) -> str:
    when = f"{formatting.day_date(slot.date)} {formatting.clock_range(slot, station)}"
    return f"{when}  {formatting.local(slot.activity, 'title')}"
