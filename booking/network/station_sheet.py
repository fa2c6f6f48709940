"""Station sheet: what importing its rows would do at and below a node: new stations, changes, and what is wrong by cell."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import slots, tree
from booking.db.arrays import in_array
from booking.errors import RuleViolation
from booking.model import ManagerInvitation, Manages, Node, Person, Station, Zone
from booking.network.station_row import SheetRow
from booking.sanitise import name_key

TEXTS = ("name", "name_en", "address", "address_en")
TOO_NEAR = 30  # metres; nearer than that two stations may be one
_CELL = TOO_NEAR / 111_195  # degrees of latitude
_SAME_PLACE = 5e-8  # degrees: what a spreadsheet loses


@dataclass(frozen=True)
class StationChange:
    """What one row does: a new station, or by field what was and what becomes of it; nothing where that is empty."""

    row: SheetRow
    station: Station | None
    centre: Node
    changed: Mapping[str, tuple[str, str]]

    @property
    def kind(self) -> str:
        return "new" if self.station is None else "changed" if self.changed else "same"


class WrongCell(NamedTuple):
    """A rule's refusal of one cell; `field` is one of `SheetRow`."""

    number: int
    field: str
    no: RuleViolation


class NearPair(NamedTuple):
    """A row whose station would stand within `TOO_NEAR` of another one, of the row `other_number` if in the sheet."""

    number: int
    name: str
    other_number: int | None
    other: str
    metres: int


@dataclass
class SheetPreview:
    """The changes of the rows without an error, the errors, and the pairs that may be one station."""

    changes: list[StationChange] = field(default_factory=list)
    wrongs: list[WrongCell] = field(default_factory=list)
    near: list[NearPair] = field(default_factory=list)

    def of(self, kind: str) -> list[StationChange]:
        return [change for change in self.changes if change.kind == kind]


@dataclass
class _Known:
    """What the database has about these rows."""

    centres: dict[str, Node]
    by_id: dict[int, Node]
    stations: dict[str, Station]
    models: dict[str, Station]
    zones: dict[int, dict[str, Zone]]
    managers: dict[int, set[str]]
    needs: dict[str, dict[str, int]]  # of a model, by zone: the largest plan in it


def preview(session: Session, node: Node, rows: Sequence[SheetRow], now: datetime, *, adopts: bool) -> SheetPreview:
    """What the rows would do. Changes nothing. `adopts`: whether a station without a centre may join one."""
    found = check(session, node, rows, now, adopts=adopts)
    if not found.wrongs:
        found.near = [*_near(session, found.changes)]
    return found


def check(session: Session, node: Node, rows: Sequence[SheetRow], now: datetime, *, adopts: bool) -> SheetPreview:
    """The same without looking for stations that are near each other."""
    known, found = _known(session, node, rows, now), SheetPreview()
    seen: dict[str, int] = {}
    for row in rows:
        wrongs = [*_wrongs(session, row, known, now, adopts=adopts)]
        if (first := seen.setdefault(row.code, row.number)) != row.number:
            wrongs.append(WrongCell(row.number, "code", RuleViolation("code_twice", row=first)))
        found.wrongs += wrongs
        if not wrongs:
            found.changes.append(_change(row, known))
    return found


def _known(session: Session, node: Node, rows: Sequence[SheetRow], now: datetime) -> _Known:
    codes = {row.code for row in rows}
    stations = {one.code: one for one in session.scalars(select(Station).where(Station.code.in_(codes)))}
    nodes = session.scalars(select(Node).where(tree.below(node))).all()
    wanted = {row.model for row in rows if row.model and row.code not in stations}
    open_ones = (Station.code.in_(wanted), Station.closed_at.is_(None), tree.stations_below(node))
    models = {one.code: one for one in session.scalars(select(Station).where(*open_ones))}
    ids = [one.id for one in stations.values()]
    zones: dict[int, dict[str, Zone]] = defaultdict(dict)
    of_all = select(Zone).where(Zone.station_id.in_(in_array([*ids, *(one.id for one in models.values())])))
    for zone in session.scalars(of_all.order_by(Zone.closed_at.is_(None), Zone.id)):
        zones[zone.station_id][name_key(zone.name)] = zone
    needs = {code: _needs(session, one.id, now) for code, one in models.items()}
    centres = {one.code: one for one in nodes if one.level == "centre"}
    return _Known(
        centres, {one.id: one for one in nodes}, stations, models, zones, managers_of(session, ids, now), needs
    )


def managers_of(session: Session, station_ids: Sequence[int], now: datetime) -> dict[int, set[str]]:
    """The addresses of the managers of these stations, and of who is invited to be one and can still accept."""
    found: dict[int, set[str]] = defaultdict(set)
    some = in_array(station_ids)
    table = ManagerInvitation
    open_ = (table.accepted_at.is_(None), table.withdrawn_at.is_(None), table.expires_at > now)
    theirs = select(Manages.station_id, Person.email).join(Person).where(Manages.station_id.in_(some))
    theirs = theirs.where(Person.email.is_not(None))
    invited = select(table.station_id, table.email).where(*open_, table.station_id.in_(some))
    for query in (theirs, invited):
        for station_id, email in session.execute(query):
            found[station_id].add(email or "")
    return found


def _needs(session: Session, model_id: int, now: datetime) -> dict[str, int]:
    needs: dict[str, int] = {}
    for plan in slots.running_plans(session, model_id, now):
        key = name_key(plan.zone.name)
        needs[key] = max(needs.get(key, 0), plan.capacity)
    return needs


def _wrongs(session: Session, row: SheetRow, known: _Known, now: datetime, *, adopts: bool) -> Iterator[WrongCell]:
    station, centre = known.stations.get(row.code), known.centres.get(row.centre)
    if station and station.centre_id not in known.by_id and not (adopts and station.centre_id is None):
        yield WrongCell(row.number, "code", RuleViolation("code_taken"))
        return
    if station and station.closed_at:
        yield WrongCell(row.number, "code", RuleViolation("station_closed"))
    if centre is None:
        yield WrongCell(row.number, "centre", RuleViolation("no_such_centre"))
    elif centre.closed_at and (station is None or station.centre_id != centre.id):
        yield WrongCell(row.number, "centre", RuleViolation("node_closed"))
    if row.model and station is None and row.model not in known.models:
        yield WrongCell(row.number, "model", RuleViolation("no_such_model"))
    yield from (WrongCell(row.number, "zones", no) for no in _wrong_zones(session, row, station, known, now))


def _wrong_zones(
    session: Session, row: SheetRow, station: Station | None, known: _Known, now: datetime
) -> Iterator[RuleViolation]:
    there = known.zones[station.id] if station else {}
    needs = known.needs.get(row.model, {}) if station is None else {}
    for name, capacity in row.zones:
        key = name_key(name)
        zone = there.get(key)
        if zone and zone.closed_at:
            yield RuleViolation("name_reserved")
        elif zone and capacity < zone.capacity:
            if capacity < (planned := slots.largest_planned(session, zone.id, now)):
                yield RuleViolation("zone_in_use", limit=planned)
        elif capacity < needs.get(key, 0):
            yield RuleViolation("model_needs", zone=name, limit=needs[key])


def _change(row: SheetRow, known: _Known) -> StationChange:
    station, centre = known.stations.get(row.code), known.centres[row.centre]
    return StationChange(row, station, centre, dict(_differences(row, station, centre, known)) if station else {})


def _differences(row: SheetRow, station: Station, centre: Node, known: _Known) -> Iterator[tuple[str, tuple[str, str]]]:
    for name in TEXTS:
        if (value := getattr(row, name)) and value != getattr(station, name):
            yield name, (getattr(station, name), value)
    if row.position and not _is_there(station, row.position):
        yield "position", (station.position, f"{row.position[0]:.7g}, {row.position[1]:.8g}")
    if station.centre_id != centre.id:
        was = known.by_id.get(station.centre_id or 0)
        yield "centre", (was.name if was else "", centre.name)
    zones = known.zones[station.id]
    other = [
        (name, size) for name, size in row.zones if not (zone := zones.get(name_key(name))) or zone.capacity != size
    ]
    if other:
        before = (zones.get(name_key(name)) for name, _ in other)
        yield "zones", (_in_words((zone.name, zone.capacity) for zone in before if zone), _in_words(other))
    if new := [email for email in row.managers if email not in known.managers[station.id]]:
        yield "managers", ("", "; ".join(new))


def _is_there(station: Station, position: tuple[float, float]) -> bool:
    if station.latitude is None or station.longitude is None:
        return False
    return max(abs(station.latitude - position[0]), abs(station.longitude - position[1])) < _SAME_PLACE


def _in_words(zones: Iterable[tuple[str, int]]) -> str:
    return "; ".join(f"{name}:{capacity}" for name, capacity in zones)


class _Place(NamedTuple):
    latitude: float
    longitude: float
    name: str
    number: int | None
    fresh: bool


def _near(session: Session, changes: Sequence[StationChange]) -> Iterator[NearPair]:
    """Pairs of which at least one is new or moved. Each place is compared with those of its own and the next squares."""
    squares: dict[tuple[int, int], list[_Place]] = defaultdict(list)
    told = {change.row.code for change in changes}
    for one in (*_others(session, told), *filter(None, map(_place_of, changes))):
        row, column = _square(one)
        for other in (near for r in (-1, 0, 1) for c in (-1, 0, 1) for near in squares.get((row + r, column + c), ())):
            away = _metres(one, other)
            if one.number is not None and (one.fresh or other.fresh) and away < TOO_NEAR:
                yield NearPair(one.number, one.name, other.number, other.name, round(away))
        squares[row, column].append(one)


def _others(session: Session, told: set[str]) -> Iterator[_Place]:
    columns = (Station.code, Station.name, Station.latitude, Station.longitude)
    for code, name, latitude, longitude in session.execute(select(*columns).where(Station.closed_at.is_(None))):
        if code not in told and latitude is not None and longitude is not None:
            yield _Place(latitude, longitude, name, None, fresh=False)


def _place_of(change: StationChange) -> _Place | None:
    row, station = change.row, change.station
    if row.position:
        return _Place(*row.position, row.name, row.number, change.kind == "new" or "position" in change.changed)
    if station and station.latitude is not None and station.longitude is not None:
        return _Place(station.latitude, station.longitude, row.name, row.number, fresh=False)
    return None


def _square(place: _Place) -> tuple[int, int]:
    # By whole degrees of latitude, so that neighbours have squares of one width; 85: there are no stations at a pole.
    width = _CELL / math.cos(math.radians(min(85, abs(round(place.latitude)) + 1)))
    return math.floor(place.latitude / _CELL), math.floor(place.longitude / width)


def _metres(one: _Place, other: _Place) -> float:
    north = one.latitude - other.latitude
    east = (one.longitude - other.longitude) * math.cos(math.radians(one.latitude))
    return math.hypot(north, east) * 111_195
