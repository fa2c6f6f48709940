"""Station import: a checked sheet is confirmed as a whole, and then a job works it off in chunks.

Each chunk is one transaction, with how far it has come; a kill repeats at most that chunk, from its beginning.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from booking import people, slots, stations
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Node, Person, Station, StationImport, Zone
from booking.network.nodes import join_centre
from booking.network.station_row import SheetRow
from booking.network.station_sheet import TEXTS, SheetPreview, StationChange, check, managers_of, preview
from booking.sanitise import name_key
from booking.stations import Details

CHUNK = 200
LONGEST = 0.5  # seconds after which a chunk ends, for it locks what it writes, on SQLite the whole file
DRAFT_LASTS, RESULTS_LAST = timedelta(days=1), timedelta(days=90)
DETAILS = tuple(one.name for one in fields(Details))
Result = list[
    Any
]  # number, code, `new` | `changed` | `same` | `refused`; where something was refused, reason and details


@transactional
def draft_import(
    session: Session, node: Node, rows: Sequence[SheetRow], language: str, now: datetime, actor_id: int
) -> StationImport:
    """Keep a sheet without errors until it is confirmed; the same person's one before is dropped."""
    mine = (StationImport.node_id == node.id, StationImport.person_id == actor_id, StationImport.confirmed_at.is_(None))
    session.execute(delete(StationImport).where(*mine))
    told = [row.stored() for row in rows]
    made = StationImport(
        node_id=node.id, person_id=actor_id, language=language, rows=told, total=len(told), created_at=now
    )
    session.add(made)
    session.flush()
    return made


def rows_of(one: StationImport) -> list[SheetRow]:
    """Its rows; none once it is finished."""
    return [SheetRow.read(stored) for stored in one.rows]


def preview_import(session: Session, one: StationImport, now: datetime) -> SheetPreview:
    """What a sheet would do, as things are now."""
    rows = rows_of(one)
    adopts = session.get_one(Person, one.person_id).is_admin
    return preview(session, session.get_one(Node, one.node_id), rows, now, adopts=adopts)


@transactional
def confirm_import(session: Session, import_id: int, now: datetime, *, near_is_right: bool) -> None:
    """Let the job begin. Idempotent.

    Raises `sheet_wrong_now` where it has errors by now, `stations_near` where some may be one and nobody said that they
    are not, `nothing_to_import`.
    """
    one = session.get_one(StationImport, import_id, with_for_update=True)
    if one.confirmed_at:
        return
    found = preview_import(session, one, now)
    if found.wrongs:
        raise RuleViolation("sheet_wrong_now")
    if found.near and not near_is_right:
        raise RuleViolation("stations_near")
    if len(found.of("same")) == len(found.changes):
        raise RuleViolation("nothing_to_import")
    one.confirmed_at = now


@transactional
def discard_import(session: Session, import_id: int) -> None:
    """Drop a sheet that was not confirmed."""
    session.execute(delete(StationImport).where(StationImport.id == import_id, StationImport.confirmed_at.is_(None)))


@transactional
def import_chunk(session: Session, now: datetime) -> int:
    """Import the next rows of the oldest confirmed sheet. Returns how many; 0 when there is none left."""
    transactions.advisory_lock(session, "station import")
    due = select(StationImport).where(StationImport.confirmed_at.is_not(None), StationImport.finished_at.is_(None))
    one = session.scalar(due.order_by(StationImport.confirmed_at, StationImport.id).limit(1).with_for_update())
    if one is None:
        return 0
    rows = [SheetRow.read(stored) for stored in one.rows[one.done : one.done + CHUNK]]
    results = _work_off(session, one, rows, now)
    one.results = [*one.results, *results]
    one.done += len(results)
    if one.done == one.total:
        _finish(session, one, now)
    return len(results)


@transactional
def forget_imports(session: Session, now: datetime) -> int:
    """Delete sheets that nobody confirmed, and the results of old imports. Returns how many."""
    old = or_(
        StationImport.confirmed_at.is_(None) & (StationImport.created_at <= now - DRAFT_LASTS),
        StationImport.finished_at <= now - RESULTS_LAST,
    )
    return len(session.scalars(delete(StationImport).where(old).returning(StationImport.id)).all())


def imports_of(session: Session, node: Node, limit: int = 10) -> Sequence[StationImport]:
    """The confirmed imports at a node, the newest first."""
    found = select(StationImport).where(StationImport.node_id == node.id, StationImport.confirmed_at.is_not(None))
    return session.scalars(found.order_by(StationImport.id.desc()).limit(limit)).all()


def _work_off(session: Session, one: StationImport, rows: Sequence[SheetRow], now: datetime) -> list[Result]:
    ends, results = monotonic() + LONGEST, []
    node = session.get_one(Node, one.node_id)
    found = check(session, node, rows, now, adopts=session.get_one(Person, one.person_id).is_admin)
    wrongs = {wrong.number: wrong.no for wrong in found.wrongs}
    changes = {change.row.number: change for change in found.changes}
    for row in rows:
        if no := wrongs.get(row.number):
            results.append([row.number, row.code, "refused", *_told(no)])
        else:
            results.append(_import(session, one, changes[row.number], now))
        if monotonic() > ends:
            break
    return results


def _import(session: Session, one: StationImport, change: StationChange, now: datetime) -> Result:
    """One row, or nothing of it: somebody may have changed something since it was looked at."""
    about, kind = [change.row.number, change.row.code], change.kind
    if kind == "same":
        return [*about, kind]
    part = session.begin_nested()
    try:
        station = _found(session, change, now, one.person_id)
        refused = _appoint(session, one, station, change, now)
        part.commit()
    except RuleViolation as no:
        part.rollback()
        return [*about, "refused", *_told(no)]
    return [*about, kind, *(_told(refused) if refused else ())]


def refusal_of(result: Result) -> RuleViolation | None:
    """What was refused of a row, wholly or in part."""
    if len(result) <= len(("number", "code", "kind")):
        return None
    details = {name: datetime.fromisoformat(value) if name == "until" else value for name, value in result[4].items()}
    return RuleViolation(result[3], **details)


def _told(no: RuleViolation) -> tuple[str, dict[str, Any]]:
    details = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in no.details.items()}
    return no.reason, details


def _found(session: Session, change: StationChange, now: datetime, actor_id: int) -> Station:
    row, station = change.row, change.station
    details = Details(row.name) if station is None else Details(**{name: getattr(station, name) for name in DETAILS})
    details = replace(details, **{name: value for name in TEXTS if (value := getattr(row, name))})
    if row.position and (station is None or "position" in change.changed):
        details = replace(details, latitude=row.position[0], longitude=row.position[1])
    if station is None:
        station = stations.create_station.inside(session, row.code, details, now, actor_id)
    else:
        stations.change_station.inside(session, station.id, details, now, actor_id)
    join_centre.inside(session, station, change.centre, now, actor_id)
    if change.station is None and row.model:
        model = select(Station.id).where(Station.code == row.model)
        slots.furnish_like.inside(session, station.id, session.scalars(model).one(), row.capacities, now, actor_id)
    _set_zones(session, station, row, now, actor_id)
    return station


def _set_zones(session: Session, station: Station, row: SheetRow, now: datetime, actor_id: int) -> None:
    if not row.zones:
        return
    there = session.scalars(select(Zone).where(Zone.station_id == station.id, Zone.closed_at.is_(None)))
    known = {name_key(zone.name): zone for zone in there}
    for name, capacity in row.zones:
        zone = known.get(name_key(name))
        if zone is None:
            slots.save_zone.inside(session, Zone(station_id=station.id, name=name, capacity=capacity), now, actor_id)
        elif zone.capacity != capacity:
            words = {"name": zone.name, "name_en": zone.name_en, "capacity": capacity}
            slots.save_zone.inside(session, Zone(id=zone.id, station_id=station.id, **words), now, actor_id)


def _appoint(
    session: Session, one: StationImport, station: Station, change: StationChange, now: datetime
) -> RuleViolation | None:
    """Appoint or invite the managers who are neither; the refusal if one could not be."""
    there = managers_of(session, [station.id], now)[station.id] if change.row.managers else ()
    refused = None
    for email in (address for address in change.row.managers if address not in there):
        part = session.begin_nested()
        try:
            people.invite_manager.inside(session, station.id, email, one.language, now, one.person_id, in_bulk=True)
            part.commit()
        except RuleViolation as no:
            part.rollback()
            refused = no
    return refused


def _finish(session: Session, one: StationImport, now: datetime) -> None:
    one.finished_at, one.rows = now, []
    node = session.get_one(Node, one.node_id)
    about: dict[str, Any] = {"node": node.id, "name": node.name, "level": node.level, "rows": one.total}
    record(session, "stations_imported", now, actor_id=one.person_id, **about)
