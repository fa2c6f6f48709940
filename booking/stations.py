"""Stations: opened, renamed, closed and reopened by an admin."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, people, sanitise, slots
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Slot, Station
from booking.queries.station_readings import store_readings
from booking.slots.planning import REPLANNED

CODE = re.compile(r"(?!new$)[a-z][a-z0-9-]{0,30}[a-z0-9]")  # /admin/stations/new is the form
POSITION = re.compile(r"(-?[0-9]{1,2}(?:\.[0-9]{1,8})?)\s*,\s*(-?[0-9]{1,3}(?:\.[0-9]{1,8})?)")
UNREAD_AT_ONCE = 500
ZONES = frozenset(available_timezones())


@dataclass(frozen=True)
class Details:
    """What an admin enters about a station."""

    name: str
    name_en: str = ""
    address: str = ""
    address_en: str = ""
    zone_name: str = clock.COUNTRY_ZONE
    latitude: float | None = None
    longitude: float | None = None


@transactional
def create_station(session: Session, code: str, details: Details, now: datetime, actor_id: int | None) -> Station:
    """A new station. Raises `bad_code`, `code_taken`, `bad_zone`."""
    check_code(code)
    check_zone(details.zone_name)
    transactions.advisory_lock(session, f"station {code}")
    if session.scalar(select(Station.id).where(Station.code == code)):
        raise RuleViolation("code_taken")
    station = Station(code=code, **asdict(details))
    store_readings(station)
    session.add(station)
    session.flush()
    record(session, "station_created", now, actor_id=actor_id, station_id=station.id)
    return station


@transactional
def change_station(session: Session, station_id: int, details: Details, now: datetime, actor_id: int) -> Station:
    """Change names, address or time zone; the code stays, since it is in people's bookmarks."""
    check_zone(details.zone_name)
    station = session.get_one(Station, station_id)
    wanted = asdict(details)
    was = {field: getattr(station, field) for field in wanted}
    changed = {field: [was[field], value] for field, value in wanted.items() if was[field] != value}
    for field in changed:
        setattr(station, field, wanted[field])
    if changed:
        store_readings(station)
        record(session, "station_changed", now, actor_id=actor_id, station_id=station_id, changed=changed)
    return station


@transactional
def store_missing_readings(session: Session, _now: datetime) -> int:
    """Fill what the search reads of stations that were saved without it, by older code. A batch; returns how many."""
    unread = session.scalars(
        select(Station).where(Station.folded == "").order_by(Station.id).limit(UNREAD_AT_ONCE)
    ).all()
    for station in unread:
        store_readings(station)
    return len(unread)


@transactional
def close_station(session: Session, station_id: int, reason: str, now: datetime, actor_id: int) -> int:
    """Close a station for booking. Coming slots are cancelled, and everybody on them is told why.

    Returns the number of cancelled slots. Raises `reason_missing`.
    """
    words = sanitise.one_line(reason)[:200]
    if not words:
        raise RuleViolation("reason_missing")
    station = session.get_one(Station, station_id, with_for_update={"key_share": True})
    if station.closed_at:
        return 0
    called_off = coming(session, station_id, now)
    slots.call_off(session, [slot for slot in called_off if slot.taken or slot.waiting], now, words, actor_id)
    for slot in called_off:
        if slot.state != "cancelled":
            _set_aside(session, slot, now, actor_id)
    station.closed_at = now
    record(session, "station_closed", now, actor_id=actor_id, station_id=station_id, reason=words)
    return len(called_off)


@transactional
def reopen_station(session: Session, station_id: int, now: datetime, actor_id: int) -> None:
    """Reopen a station: its plans make slots again from the next planning on."""
    station = session.get_one(Station, station_id, with_for_update={"key_share": True})
    if station.closed_at:
        station.closed_at = None
        record(session, "station_reopened", now, actor_id=actor_id, station_id=station_id)


@transactional
def pair_screen(session: Session, station_id: int, sign_in_id: int, now: datetime, actor_id: int) -> None:
    """Record that a browser was paired as a kiosk, and end the actor's sign-in there."""
    record(session, "door_paired", now, actor_id=actor_id, station_id=station_id)
    people.end_sign_in.inside(session, actor_id, sign_in_id, now)


def check_code(code: str) -> None:
    if not CODE.fullmatch(code):
        raise RuleViolation("bad_code")


def check_zone(name: str) -> None:
    if name not in ZONES:
        raise RuleViolation("bad_zone")


def read_position(text: str) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, as maps give them: `39.9087, 116.4605`. Raises `bad_position`."""
    if not (typed := sanitise.plain(text)):
        return None
    found = POSITION.fullmatch(typed)
    if not found or abs(latitude := float(found[1])) > 90 or abs(longitude := float(found[2])) > 180:
        raise RuleViolation("bad_position")
    return latitude, longitude


def coming(session: Session, station_id: int, now: datetime) -> list[Slot]:
    """The station's slots that have not begun, locked."""
    live = select(Slot.id).where(
        Slot.station_id == station_id, Slot.state.in_(("planned", "open")), Slot.starts_at > now
    )
    return transactions.lock(session, slots=session.scalars(live).all())


def _set_aside(session: Session, slot: Slot, now: datetime, actor_id: int) -> None:
    """Cancel an empty slot as planning would, so that planning may restore it when the station reopens."""
    record(
        session, "cancelled", now, actor_id=actor_id, slot=slot, before=slot.state, after="cancelled", reason=REPLANNED
    )
    slot.state, slot.cancel_reason = "cancelled", REPLANNED
