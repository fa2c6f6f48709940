"""Freeze: seals the lists of draws that have closed: numbers, balls and the fingerprint."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from booking.db import statements, transactions
from booking.db.arrays import in_array, insert_rows, to_text, update_rows
from booking.db.statements import CompiledStatement, DriverConnection
from booking.db.transactions import transactional
from booking.draws.balls import At, Held, held
from booking.draws.entry_list import LiveEntry, grouped, live_entries
from booking.draws.order import list_text, sha256
from booking.model import Draw, DrawEntry, Event

Entries = Mapping[int, Sequence[LiveEntry]]


def to_freeze(session: Session, now: datetime) -> Sequence[int]:
    """Draws that have closed and are not frozen."""
    due = select(Draw.id).where(Draw.state == "gathering", Draw.closes_at <= now)
    return session.scalars(due.order_by(Draw.closes_at, Draw.id)).all()


@transactional
def freeze(session: Session, draw_ids: Sequence[int], now: datetime) -> int:
    """Seal the lists of these draws, where they have closed."""
    transactions.plan_by_index(session)
    # The lock waits for whoever enters or leaves at this instant, and everybody after it finds the draw closed.
    closed = lock_draws(session, draw_ids, Draw.state == "gathering", Draw.closes_at <= now)
    if not closed:
        return 0
    connection = statements.wrap(session.connection())
    entries = live_entries(connection, [draw.id for draw in closed])
    own = held(session, [At(draw.station, [one.person_id for one in entries[draw.id]]) for draw in closed], now)
    rows = [row for draw in closed for row in _seal(draw, entries[draw.id], own, now)]
    _SEAL.run(connection, rows=rows, ids=[row[0] for row in rows])
    session.flush()
    _tell(connection, closed, entries, now)
    session.expire_all()
    return len(closed)


def lock_draws(session: Session, draw_ids: Sequence[int], *still: ColumnElement[bool]) -> Sequence[Draw]:
    """Lock those of these draws for which the conditions hold, by id, and read them with their stations."""
    session.flush()
    wanted = select(Draw).where(Draw.id.in_(in_array(draw_ids)), *still).order_by(Draw.id)
    locking = wanted.options(joinedload(Draw.station, innerjoin=True)).with_for_update(key_share=True, of=Draw)
    return session.scalars(locking.execution_options(populate_existing=True)).all()


def _seal(
    draw: Draw, entries: Sequence[LiveEntry], own: Mapping[tuple[int, int], Held], now: datetime
) -> list[tuple[int, int, int, int]]:
    """The entry, number, balls and people of each line of the list."""
    groups = grouped(entries)
    least = [min(own[draw.station_id, one.person_id].balls for one in both) for both in groups]
    lines = list(zip(groups, least, strict=True))
    listed = [[no, both[0].tag, balls, len(both), both[0].wishes] for no, (both, balls) in enumerate(lines, 1)]
    draw.state, draw.frozen_at, draw.list_sha256 = "frozen", now, sha256(list_text(listed))
    return [(both[0].id, no, balls, len(both)) for no, (both, balls) in enumerate(lines, 1)]


def _tell(connection: DriverConnection, closed: Sequence[Draw], entries: Entries, now: datetime) -> None:
    rows: list[list[Any]] = []
    for draw in closed:
        details = {"draw": draw.id, "entries": len(entries[draw.id]), "fingerprint": draw.list_sha256}
        rows.append([draw.station_id, to_text(now), details])
    _FROZEN.run(connection, rows=rows)


_SEAL = CompiledStatement(update_rows(DrawEntry, ("no", "balls", "people")))
_FROZEN = CompiledStatement(insert_rows(Event, ("station_id", "at", "details"), kind="frozen"))
