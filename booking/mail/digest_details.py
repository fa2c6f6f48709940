"""Digest details: what a worker's digest adds to the entries that it names: places on waiting lists, strikes that count."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import policy
from booking.db.arrays import in_array
from booking.model import Booking, Station, Strike
from booking.seats import strike_ledger

Details = dict[str, Any]


def add_places(session: Session, told: dict[int, Details], slot_ids: set[int]) -> None:
    """Add the waitlist position of each of these people in these slots."""
    if not slot_ids:
        return
    lines: dict[int, list[int]] = defaultdict(list)
    found = select(Booking.slot_id, Booking.person_id).where(
        Booking.slot_id.in_(in_array(slot_ids)), Booking.state == "waiting"
    )
    for slot_id, person_id in session.execute(found.order_by(Booking.waitlist_position)):
        lines[slot_id].append(person_id)
    for person_id, details in told.items():
        for wait in details["waits"]:
            wait[1] = lines[wait[0]].index(person_id) + 1


def add_strikes(session: Session, told: dict[int, Details], now: datetime) -> None:
    """Add the strikes that count, by station, with the suspension that they cause."""
    found = (
        select(Strike.person_id, Strike.at, Station.id, Station.policy)
        .join(Station, Station.id == Strike.station_id)
        .where(
            Strike.person_id.in_(in_array(told)), Strike.forgiven_at.is_(None), Strike.at > now - timedelta(days=366)
        )
    )
    marks: dict[tuple[int, int], list[datetime]] = defaultdict(list)
    policies: dict[int, dict[str, Any]] = {}
    for person_id, at, station_id, numbers in session.execute(found.order_by(Strike.at)):
        marks[person_id, station_id].append(at)
        policies[station_id] = numbers
    for (person_id, station_id), dates in marks.items():
        numbers = policy.read(policies[station_id])
        until = strike_ledger.pause_after(dates, numbers)
        paused = until if until and until > now else None
        if counting := sum(at > now - numbers.strike_window for at in dates):
            told[person_id]["strikes"].append([station_id, counting, paused.isoformat() if paused else None])
