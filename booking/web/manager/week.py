"""My stations, and the week of one on one screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_login import current_user

from booking import clock, slots, workdays
from booking.extensions import db
from booking.model import Slot, Station, Zone
from booking.rosters import desk, places
from booking.web.access import managed_station, sign_in_required
from booking.web.manager.frame import Answer, pages
from booking.web.show import station_date

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Column:
    """One day of the week: what the calendar says, and its slots by zone."""

    day: workdays.Day
    slots: dict[int, list[Slot]]

    @property
    def empty(self) -> bool:
        return not self.slots


@pages.get("/")
@sign_in_required
def stations() -> Answer:
    """The stations that one runs; straight to the week where there is only one."""
    mine = places.managed_stations(db.session(), current_user.person_id)
    if len(mine) == 1 and not current_user.is_admin:
        return redirect(url_for(".week", code=mine[0].code), code=303)
    sought = request.args.get("q", "")[:40].strip()
    found = places.stations(db.session(), sought) if current_user.is_admin else mine
    return render_template("manager/stations.html", stations=found, sought=sought)


@pages.get("/<code>/")
def week(code: str) -> Answer:
    station = managed_station(code)
    now, session = clock.now(), db.session()
    today = station_date(now, station)
    monday = _monday(request.args.get("from", ""), today)
    return render_template(
        "manager/week.html",
        **_table(station, monday),
        station=station,
        today=today,
        monday=monday,
        week_long=WEEK,
        stranded=slots.stranded(session, station, now),
        blocked=slots.blocked(session, station, now),
        next=slots_to_come(station, today) if monday <= today < monday + WEEK else [],
    )


def slots_to_come(station: Station, today: date) -> Sequence[Slot]:
    """Today's slots that are not over: the way to the door in one tap."""
    now = clock.now()
    todays = desk.slots_between(db.session(), station.id, today, today)
    return [slot for slot in todays if slot.state_at(now) not in ("done", "cancelled")]


def _table(station: Station, monday: date) -> dict[str, Any]:
    """Days × zones: the days are Monday to Friday unless a weekend day has something; zones that lie idle last."""
    session = db.session()
    found = desk.week(session, station.id, monday)
    days = desk.calendar_days(session, station.id, monday, monday + timedelta(days=6))
    columns = [Column(day, _by_zone(found, day.date)) for day in days]
    used = {slot.zone_id for slot in found}
    zones = _with_closed(desk.zones(session, station.id), found)
    return {
        "columns": [
            column for column in columns if column.day.date.isoweekday() <= 5 or column.slots or column.day.works
        ],
        "zones": [zone for zone in zones if zone.id in used],
        "idle": [zone for zone in zones if zone.id not in used],
        "count": sum(slot.state != "cancelled" for slot in found),
        "seats": sum(slot.capacity for slot in found if slot.state != "cancelled"),
        "taken": sum(slot.taken for slot in found),
    }


def _by_zone(found: Sequence[Slot], when: date) -> dict[int, list[Slot]]:
    shelves: dict[int, list[Slot]] = {}
    for slot in found:
        if slot.date == when:
            shelves.setdefault(slot.zone_id, []).append(slot)
    return shelves


def _with_closed(zones: Sequence[Zone], found: Sequence[Slot]) -> list[Zone]:
    """A zone that was closed since is shown in the weeks that used it."""
    here = {zone.id for zone in zones}
    return [*zones, *{slot.zone_id: slot.zone for slot in found if slot.zone_id not in here}.values()]


def _monday(text: str, today: date) -> date:
    """The Monday of the week that was asked for; of this week when nothing sensible was."""
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        asked = today
    if abs(asked.year - today.year) > 5:
        asked = today
    return asked - timedelta(days=asked.weekday())
