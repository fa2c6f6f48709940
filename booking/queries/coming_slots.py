"""Coming slots: all that a station shows as planned or open, for the search and the month view."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Engine

from booking import seats
from booking.db import pool
from booking.db.statements import CompiledStatement, param
from booking.model import Slot

MOST = 1000  # of one station: sixteen a day for as many days ahead as the policy allows


def find(engine: Engine, station_id: int, first: date, last: date) -> Sequence[seats.SlotSnapshot]:
    """Those of these days, by date and start."""
    rows = pool.fetch(engine, _COMING, station_id=station_id, first=first, last=last)
    return [seats.snapshot(row) for row in rows]


_COMING = CompiledStatement(
    seats.snapshots()
    .where(
        Slot.station_id == param("station_id"),
        Slot.date >= param("first"),
        Slot.date <= param("last"),
        Slot.state.in_(("planned", "open")),
    )
    .order_by(Slot.date, Slot.starts_at, Slot.id)
    .limit(MOST)
)
