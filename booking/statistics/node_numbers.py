"""Node numbers: of a city, district or centre, and of each of its parts: totals of some days, and what is wrong there.

A constant number of statements, however many stations there are.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from booking import tree
from booking.model import Node, Station, StationDayTotals
from booking.queries.name_order import sort_key
from booking.statistics.aggregate import Span
from booking.statistics.node_tally import SUMS, NodeTally, tally_of
from booking.statistics.request_tally import NO_REQUESTS, RequestTally, request_tallies
from booking.statistics.station_rows import StationRow, station_rows
from booking.workdays import ONE_DAY

NOTHING = NodeTally()


@dataclass(frozen=True)
class NodeChoice:
    """Which days, beside which days before, the centres of which grade and category ("" for all), and in which order: one
    of `NODE_KEYS`."""

    span: Span
    before: Span
    grade: str = ""
    category: str = ""
    sort: str = ""


@dataclass(frozen=True)
class NodePart:
    """A part of a node: a district, a centre, or of a centre a station. `troubles` says how many stations have each."""

    level: str
    code: str
    name: str
    name_en: str
    grade: str = ""
    category: str = ""
    closed_at: datetime | None = None
    stations: Sequence[StationRow] = ()
    tally: NodeTally = NOTHING
    before: NodeTally = NOTHING
    requests: RequestTally = NO_REQUESTS
    requests_before: RequestTally = NO_REQUESTS

    @property
    def troubles(self) -> Mapping[str, int]:
        """How many of its stations have each trouble."""
        return Counter(code for station in self.stations for code in station.troubles)

    @property
    def open_stations(self) -> int:
        return sum(station.closed_at is None for station in self.stations)

    @property
    def troubled(self) -> int:
        """How many of its stations somebody should look at."""
        return sum(bool(station.troubles) for station in self.stations)


class NodeNumbers(NamedTuple):
    """A node's parts in order, all of them together, and which grades and categories its centres have."""

    rows: Sequence[NodePart]
    whole: NodePart
    grades: Sequence[str]
    categories: Sequence[str]


# By each column, the worst first. What has no value comes last, whichever way.
NODE_KEYS: dict[str, Callable[[NodePart], Any]] = {
    "name": lambda row: (sort_key(row.name), row.code),
    "slots": lambda row: row.tally.slots,
    "visits": lambda row: row.tally.visits,
    "fill": lambda row: row.tally.fill,
    "no_shows": lambda row: None if row.tally.no_show_rate is None else -row.tally.no_show_rate,
    "unmet": lambda row: None if row.tally.unmet is None else -row.tally.unmet,
    "requests": lambda row: (
        (-row.requests.overdue, -row.requests.collected) if any(vars(row.requests).values()) else None
    ),
    "troubles": lambda row: (-row.troubled, -sum(row.troubles.values())),
}


def node_numbers(session: Session, node: Node, choice: NodeChoice, now: datetime) -> NodeNumbers:
    """Without an order in `choice` the worst stand first: parts without any slot, then those with the lowest fill."""
    nodes = session.scalars(select(Node).where(tree.below(node)).order_by(Node.path)).all()
    centres = [one for one in nodes if one.level == "centre"]
    chosen = [one for one in centres if _fits(one, choice)]
    here = Station.centre_id.in_([one.id for one in chosen])
    stations = station_rows(session, now, here)
    part: Any
    if node.level == "centre":
        parts, part = _stations_of(stations), Station.id
    else:
        parts, part = _nodes_of(node, nodes, chosen, stations), Station.centre_id
    sums, zones = _sums(session, choice, here, part), {one.zone_name for one in stations}
    spans, centre_ids = (choice.before, choice.span), [one.id for one in chosen]
    asked = request_tallies(session, *spans, zones, centre_ids, now, by_station=node.level == "centre")
    if choice.grade or choice.category:
        parts = [(row, keys) for row, keys in parts if keys]
    rows = [_with_sums(row, keys, sums, asked) for row, keys in parts]
    shown = [row for row in rows if not row.closed_at or row.tally.slots or row.requests != NO_REQUESTS]
    whole = NodePart(
        node.level, node.code, node.name, node.name_en, node.grade, node.category, node.closed_at,
        [station for row in shown for station in row.stations],
        sum((row.tally for row in rows), NOTHING),
        sum((row.before for row in rows), NOTHING),
        sum((row.requests for row in rows), NO_REQUESTS),
        sum((row.requests_before for row in rows), NO_REQUESTS),
    )  # fmt: skip
    grades, categories = ({getattr(one, name) for one in centres} - {""} for name in ("grade", "category"))
    return NodeNumbers(_sorted(shown, choice.sort), whole, sorted(grades), sorted(categories))


def days_of_station(session: Session, station_id: int, span: Span) -> list[tuple[date, NodeTally]]:
    """The counted days of a station with slots, the newest first."""
    day = StationDayTotals
    held = (day.station_id == station_id, day.date.in_(_days(span)), day.slots > 0)
    rows = session.execute(select(day.date, *SUMS).where(*held).group_by(day.date).order_by(day.date.desc()))
    return [(row[0], tally_of(row)) for row in rows]


def total_of(days: Sequence[tuple[date, NodeTally]]) -> NodeTally:
    """All of them together."""
    return sum((tally for _, tally in days), NOTHING)


def _fits(centre: Node, choice: NodeChoice) -> bool:
    return choice.grade in ("", centre.grade) and choice.category in ("", centre.category)


def _stations_of(stations: Sequence[StationRow]) -> list[tuple[NodePart, list[int]]]:
    return [
        (NodePart("station", one.code, one.name, one.name_en, closed_at=one.closed_at, stations=[one]), [one.id])
        for one in stations
    ]


def _nodes_of(
    node: Node, nodes: Sequence[Node], chosen: Sequence[Node], stations: Sequence[StationRow]
) -> list[tuple[NodePart, list[int]]]:
    """The nodes right below, each with the ids of its chosen centres."""
    depth = len(tree.path_of(node))
    theirs, at = defaultdict[int, list[int]](list), defaultdict[int, list[StationRow]](list)
    for centre in chosen:
        theirs[tree.path_of(centre)[depth]].append(centre.id)
    part_of = {centre_id: part for part, ids in theirs.items() for centre_id in ids}
    for station in stations:
        at[part_of[station.centre_id or 0]].append(station)
    kept = [one for one in nodes if one.parent_id == node.id]
    return [
        (
            NodePart(one.level, one.code, one.name, one.name_en, one.grade, one.category, one.closed_at, at[one.id]),
            theirs[one.id],
        )
        for one in kept
    ]


def _sums(
    session: Session, choice: NodeChoice, here: ColumnElement[bool], part: Any
) -> Mapping[tuple[int, bool], NodeTally]:
    """By `part`, a column of `Station`, and by whether it is of the days asked for or of those before."""
    day = StationDayTotals
    current = case((day.date >= choice.span.first, 1), else_=0)
    days = (*_days(choice.before), *_days(choice.span))
    found = select(part, current, *SUMS).join(Station, day.station_id == Station.id)
    rows = session.connection().execute(found.where(here, day.date.in_(days)).group_by(part, current))
    return {(row[0], bool(row[1])): tally_of(row) for row in rows}


def _days(span: Span) -> list[date]:
    """Each by name: the index of days is by station within a day."""
    return [span.first + ONE_DAY * n for n in range(span.days)]


def _with_sums(
    row: NodePart,
    keys: Sequence[int],
    sums: Mapping[tuple[int, bool], NodeTally],
    asked: Mapping[tuple[int, bool], RequestTally],
) -> NodePart:
    tally, before = (sum((sums.get((key, new), NOTHING) for key in keys), NOTHING) for new in (True, False))
    requests, earlier = (
        sum((asked.get((key, new), NO_REQUESTS) for key in keys), NO_REQUESTS) for new in (True, False)
    )
    return replace(row, tally=tally, before=before, requests=requests, requests_before=earlier)


def _sorted(rows: Sequence[NodePart], sort: str) -> list[NodePart]:
    key = NODE_KEYS.get(sort.removeprefix("-"))
    if key is None:
        return sorted(
            rows, key=lambda row: (row.tally.slots > 0, row.tally.fill is None, row.tally.fill or 0, row.code)
        )
    keyed = [(key(row), row) for row in rows]
    known = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=sort[0] == "-")
    return [row for _, row in known] + [row for value, row in keyed if value is None]
