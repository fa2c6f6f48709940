"""Station rows: what is known of each station of a list, and what is wrong with it (`troubles`)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from booking import clock, workdays
from booking.model import Station
from booking.statistics import station_facts
from booking.statistics.station_facts import Manager, OpenedToday, RecentWeeks

# A station that has not held a slot for so many workdays, and has opened none today, is dormant.
DORMANT_AFTER = 5


class StationRow(NamedTuple):
    """One station of the list. `past` is None while none of its days is counted; `troubles` are codes with a number."""

    id: int
    code: str
    name: str
    name_en: str
    zone_name: str
    closed_at: datetime | None
    centre_id: int | None = None
    managers: Sequence[Manager] = ()
    today: OpenedToday | None = None
    past: RecentWeeks | None = None
    troubles: Mapping[str, int] = {}

    @property
    def last_sign_in(self) -> datetime | None:
        """When any of its managers last signed in."""
        return max((one.last_sign_in for one in self.managers if one.last_sign_in), default=None)

    @property
    def fill(self) -> float | None:
        """Of the last five workdays before today."""
        return self.past.week_visits / self.past.week_seats if self.past and self.past.week_seats else None

    @property
    def no_show_rate(self) -> float | None:
        """Of the last 28 days."""
        return self.past.no_shows / self.past.expected if self.past and self.past.expected else None

    @property
    def is_dormant(self) -> bool:
        return "dormant" in self.troubles


def station_rows(session: Session, now: datetime, among: ColumnElement[bool] | None = None) -> list[StationRow]:
    """All stations, or those that fulfil a condition, by id, in a constant number of statements."""
    columns = (Station.id, Station.code, Station.name, Station.name_en, Station.zone_name, Station.closed_at)
    wanted = select(*columns, Station.centre_id).order_by(Station.id)
    wanted = wanted if among is None else wanted.where(among)
    stations = session.connection().execute(wanted).all()
    zones = {zone: clock.at_station(now, zone).date() for zone in {row.zone_name for row in stations}}
    today = min(zones.values(), default=now.date())
    country, own = workdays.load_each(session, today, today)
    week_from = country.workday_before(today, DORMANT_AFTER)
    todays = station_facts.todays(session, {row.id: zones[row.zone_name] for row in stations}, now)
    pasts, managers = station_facts.pasts(session, today, week_from, among), station_facts.managers(session, among)
    aside, late = station_facts.set_aside(session), station_facts.late_openings(session, now)
    rows = []
    for row in stations:
        row_id = row[0]
        there, past, theirs = todays.get(row_id), pasts.get(row_id), managers.get(row_id, ())
        since = own[row_id].workday_before(today, DORMANT_AFTER) if row_id in own else week_from
        wrong = {} if row.closed_at else _troubles(there, past, theirs, since)
        if not row.closed_at and row_id in late:
            wrong["not_opened"] = late[row_id]
        if row_id in aside:
            wrong["set_aside"] = aside[row_id]
        rows.append(StationRow(*row, theirs, there, past, wrong))
    return rows


def _troubles(
    today: OpenedToday | None, past: RecentWeeks | None, managers: Sequence[Manager], since: date
) -> dict[str, int]:
    """What an admin should look at, with a number each; `since` is the first of the last workdays."""
    wrong = {}
    if past and not (today and today.opened) and (past.last_held is None or past.last_held < since):
        wrong["dormant"] = 1
    if not managers:
        wrong["no_manager"] = 1
    if today and today.held:
        wrong["attendance"] = today.held
    if unreached := sum(one.unreached for one in managers):
        wrong["unreached"] = unreached
    return wrong
