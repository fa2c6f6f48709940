"""Week: a manager's stations, and one station's week on one screen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_login import current_user

from booking import clock, slots, workdays
from booking.extensions import db
from booking.model import Slot, Station, Zone
from booking.queries import draw_views, manager, station_lookup
from booking.web.i18n.formatting import station_date
from booking.web.manager.blueprint import Answer, pages, sought
from booking.web.security.permissions import managed_station, second_factor_first, sign_in_required

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Cell:
    """A slot of one zone on one day, or none; `row` is its row in the table, from 1, `is_first` the zone's first there."""

    row: int
    zone: Zone
    slot: Slot | None
    is_first: bool


@dataclass(frozen=True)
class Column:
    """One day of the week: what the calendar says, and its cells in the order of the clock, zones without slots last."""

    day: workdays.Day
    cells: list[Cell]
    empty: bool


@pages.get("/")
@sign_in_required
def stations() -> Answer:
    """The stations that one manages, or helps at today; with only one, a redirect to its today."""
    second_factor_first()
    mine = [*station_lookup.managed_stations(db.session(), current_user.person_id), *current_user.helped]
    if len(mine) == 1 and not current_user.is_admin:
        return redirect(url_for(".today", code=mine[0].code), code=303)
    found = station_lookup.stations(db.session(), sought()) if current_user.is_admin else mine
    return render_template("manager/stations.html", stations=found, sought=sought())


@pages.get("/<code>/week")
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
        sizes="sizes" in request.args,
        week_long=WEEK,
        stranded=slots.stranded(session, station, now),
        blocked=slots.blocked(session, station, now),
        held=slots.held_releases(session, station.id, now - timedelta(days=1)),
    )


def _table(station: Station, monday: date) -> dict[str, Any]:
    """Days × zones: Monday to Friday, and weekend days with slots; zones without slots are only named."""
    session = db.session()
    found = manager.week(session, station.id, monday)
    used = {slot.zone_id for slot in found}
    zones = _with_closed(manager.zones(session, station.id), found)
    busy = [zone for zone in zones if zone.id in used]
    rows = _first_rows(busy, found)
    days = manager.calendar_days(session, station.id, monday, monday + timedelta(days=6))
    columns = [_column(day, busy, rows, [slot for slot in found if slot.date == day.date]) for day in days]
    running = [slot for slot in found if slot.state != "cancelled"]
    return {
        "columns": [one for one in columns if one.day.date.isoweekday() <= 5 or one.day.works or not one.empty],
        "zones": [(rows[zone.id], zone) for zone in busy],
        "idle": [zone for zone in zones if zone.id not in used],
        "draws": draw_views.awaited(session, found, clock.now()),
        "count": len(running),
        "seats": sum(slot.capacity for slot in running),
        "taken": sum(slot.taken for slot in running),
    }


def _first_rows(zones: Sequence[Zone], found: Sequence[Slot]) -> dict[int, int]:
    """The first row of each zone in the table; it has as many as it has slots on its busiest day."""
    a_day = Counter((slot.zone_id, slot.date) for slot in found)
    heights = [max(count for (zone_id, _day), count in a_day.items() if zone_id == zone.id) for zone in zones]
    return {zone.id: 1 + sum(heights[:place]) for place, zone in enumerate(zones)}


def _column(day: workdays.Day, zones: Sequence[Zone], rows: Mapping[int, int], found: Sequence[Slot]) -> Column:
    """The cells of one day, whose slots are given in the order of the clock."""
    cells, next_row = [], dict(rows)
    for slot in found:
        row = next_row[slot.zone_id]
        cells.append(Cell(row, slot.zone, slot, is_first=row == rows[slot.zone_id]))
        next_row[slot.zone_id] = row + 1
    free = [Cell(rows[zone.id], zone, None, is_first=True) for zone in zones if next_row[zone.id] == rows[zone.id]]
    return Column(day, [*cells, *free], empty=not found)


def _with_closed(zones: Sequence[Zone], found: Sequence[Slot]) -> list[Zone]:
    """Closed zones are shown in the weeks that used them."""
    here = {zone.id for zone in zones}
    return [*zones, *{slot.zone_id: slot.zone for slot in found if slot.zone_id not in here}.values()]


def _monday(text: str, today: date) -> date:
    """The Monday of the week in the query; of this week when it names no valid one."""
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        asked = today
    if abs(asked.year - today.year) > 5:
        asked = today
    return asked - timedelta(days=asked.weekday())
