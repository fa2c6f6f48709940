"""Poster: an A4 page to print, in both languages: the station, an activity or the slots of a day, with a QR code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from flask import render_template, request
from flask_babel import force_locale, gettext

from booking import clock
from booking.extensions import db
from booking.mail.links import public
from booking.model import LANGUAGES, Activity, Slot, Station
from booking.queries import manager
from booking.web import errors, qr_code
from booking.web.forms.fields import DayField
from booking.web.i18n import formatting
from booking.web.manager.blueprint import Answer, pages
from booking.web.security.permissions import managed_station, of_station

A_WEEK = timedelta(days=6)
MOST_LINES = 12  # what one page holds


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
    more: str = ""


@pages.get("/<code>/poster")
def poster(code: str) -> Answer:
    """The query may name an `activity` by id, or a `day` of the coming week. Nobody's data is on it."""
    station = managed_station(code)
    activity, days = _asked_activity(station), _coming(station)
    day = DayField.read(request.args.get("day", ""))
    chosen = days.get(day, []) if day and not activity else []
    address = public(f"/s/{station.code}")
    return render_template(
        "manager/poster.html",
        station=station,
        activity=activity,
        today=formatting.station_date(clock.now(), station),
        days=list(days),
        times=[formatting.clock_range(slot, station) for slot in chosen[:MOST_LINES]],
        day=day if chosen else None,
        words=[_words(language, station, activity, chosen) for language in LANGUAGES],
        address=address.partition("://")[2],
        qr=qr_code.svg(address),
    )


def _asked_activity(station: Station) -> Activity | None:
    asked = errors.read_id(request.args.get("activity", ""))
    return of_station(station, Activity, asked) if asked else None


def _coming(station: Station) -> dict[date, list[Slot]]:
    """The slots of the next seven days, by day."""
    today = formatting.station_date(clock.now(), station)
    found = manager.slots_between(db.session(), station.id, today, today + A_WEEK)
    return {day: list(those) for day, those in groupby((s for s in found if s.state != "cancelled"), lambda s: s.date)}


def _words(language: str, station: Station, activity: Activity | None, chosen: Sequence[Slot]) -> Words:
    with force_locale(language):
        title, about = (
            gettext("午间驿小时"),
            gettext("工作日中午的一小时：瑜伽、手工、讲座……免费，名额有限。"),
        )
        if activity:
            title, about = formatting.local(activity, "title"), formatting.local(activity, "suits")
        return Words(
            language=language,
            station=formatting.local(station, "name"),
            address=formatting.local(station, "address"),
            title=formatting.day_date(chosen[0].date) if chosen else title,
            about=about,
            scan=gettext("微信或相机扫一扫，看场次，一按就约"),
            lines=[formatting.local(slot.activity, "title") for slot in chosen[:MOST_LINES]],
            more=gettext("更多场次，扫码看") if len(chosen) > MOST_LINES else "",
        )
