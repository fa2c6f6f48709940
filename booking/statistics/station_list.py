"""Station list: every station of the network with what an admin looks for: sorted, filtered, a page at a time.

A constant number of statements, however many stations there are: the figures of past days come from `station_days`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, workdays
from booking.model import Station
from booking.queries import station_lookup
from booking.queries.name_order import sort_key
from booking.statistics import station_facts
from booking.statistics.station_facts import Manager, OpenedToday, RecentWeeks

# A station that has not held a slot for so many workdays, and has opened none today, stands on top.
DORMANT_AFTER = 5
STATES = ("attention", "opened", "closed")
PER_PAGE = 50


class StationRow(NamedTuple):
    """One station of the list. `past` is None while none of its days is counted; `troubles` are codes with a number."""

    id: int
    code: str
    name: str
    name_en: str
    zone_name: str
    closed_at: datetime | None
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


@dataclass(frozen=True)
class StationList:
    """One page of the list; `number` counts from 1. `counts` says how many stations are in each state, "" for all."""

    items: Sequence[StationRow]
    number: int
    pages: int
    total: int
    counts: Mapping[str, int]


# By each column, the worst first. What has no value comes last, whichever way.
KEYS: dict[str, Callable[[StationRow], Any]] = {
    "name": lambda row: (sort_key(row.name), row.code),
    "manager": lambda row: sort_key(row.managers[0].name) if row.managers else None,
    "today": lambda row: row.today.opened / row.today.slots if row.today else None,
    "fill": lambda row: row.fill,
    "no_shows": lambda row: None if row.no_show_rate is None else -row.no_show_rate,
    "sign_in": lambda row: row.last_sign_in,
    "health": lambda row: -len(row.troubles),
}


def station_list(
    session: Session, now: datetime, sought: str = "", state: str = "", sort: str = "", page: int = 1
) -> StationList:
    """The stations in one of `STATES`, or all that are not closed.

    `sort` is one of `KEYS`, with a minus the other way round. Without it those stand on top that have not opened for
    five workdays, and then those with another trouble.
    """
    rows = _rows(session, now)
    counts = {name: sum(_is_in(row, name) for row in rows) for name in ("", *STATES)}
    found = set(station_lookup.matching(session, sought)) if sought else None
    shown = [row for row in rows if _is_in(row, state) and (found is None or row.id in found)]
    pages = max(1, -(-len(shown) // PER_PAGE))
    number = min(max(1, page), pages)
    items = _sorted(shown, sort)[(number - 1) * PER_PAGE : number * PER_PAGE]
    return StationList(items, number, pages, len(shown), counts)


def _is_in(row: StationRow, state: str) -> bool:
    if state == "closed" or row.closed_at:
        return state == "closed" and row.closed_at is not None
    if state == "attention":
        return bool(row.troubles)
    return state != "opened" or (row.today is not None and row.today.opened > 0)


def _sorted(rows: Sequence[StationRow], sort: str) -> list[StationRow]:
    key = KEYS.get(sort.removeprefix("-"))
    if key is None:
        return sorted(rows, key=lambda row: (not row.is_dormant, not row.troubles, row.id))
    keyed = [(key(row), row) for row in rows]
    known = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=sort[0] == "-")
    return [row for _, row in known] + [row for value, row in keyed if value is None]


def _rows(session: Session, now: datetime) -> list[StationRow]:
    columns = (Station.id, Station.code, Station.name, Station.name_en, Station.zone_name, Station.closed_at)
    stations = session.connection().execute(select(*columns).order_by(Station.id)).all()
    zones = {zone: clock.at_station(now, zone).date() for zone in {row.zone_name for row in stations}}
    today = min(zones.values(), default=now.date())
    country, own = workdays.load_each(session, today, today)
    week_from = country.workday_before(today, DORMANT_AFTER)
    todays = station_facts.todays(session, {row.id: zones[row.zone_name] for row in stations}, now)
    pasts, managers = station_facts.pasts(session, today, week_from), station_facts.managers(session)
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
