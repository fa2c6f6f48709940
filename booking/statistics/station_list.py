"""Station list: every station of the network with what an admin looks for: sorted, filtered, a page at a time.

A constant number of statements, however many stations there are: the figures of past days come from `station_days`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from booking.queries import station_lookup
from booking.queries.name_order import sort_key
from booking.queries.pagination import PER_PAGE, ResultPage, place
from booking.statistics.station_rows import StationRow, station_rows

STATES = ("attention", "opened", "closed")


@dataclass(frozen=True)
class StationList(ResultPage):
    """`counts` says how many stations are in each state, "" for all."""

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
    rows = station_rows(session, now)
    counts = {name: sum(_is_in(row, name) for row in rows) for name in ("", *STATES)}
    found = set(station_lookup.matching(session, sought)) if sought else None
    shown = [row for row in rows if _is_in(row, state) and (found is None or row.id in found)]
    number, pages, first = place(len(shown), page)
    items = _sorted(shown, sort)[first : first + PER_PAGE]
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
