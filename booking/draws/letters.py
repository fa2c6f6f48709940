"""Letters: the result to everybody who has no seat, and word of a void draw. Who has a seat is sent it as any other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from booking import identifiers
from booking.db import statements
from booking.db.arrays import insert_rows, to_text
from booking.db.statements import CompiledStatement
from booking.draws.balls import balls
from booking.draws.freeze import live_entries
from booking.model import Draw, DrawEntry, Letter


class Told(NamedTuple):
    """An entry without a seat, and its place on the waiting list of its first wish, if it has one."""

    entry: DrawEntry
    place: int | None


def tell(session: Session, draw: Draw, told: Sequence[Told], people: int, now: datetime) -> None:
    """Say how it went, of how many `people`, and with how many balls each enters the next draw."""
    own = balls(session, draw.station, [one.entry.person_id or 0 for one in told], now)
    same = {"draw": draw.id, "people": people, "capacity": sum(draw.seats.values())}
    _queue(session, [_row(entry, now, same | _more(entry, place, own)) for entry, place in told])


def tell_void(session: Session, draw: Draw, why: str, now: datetime) -> None:
    live = live_entries(session, draw.id)
    _queue(session, [_row(entry, now, {"draw": draw.id, "what": why}) for entry in live])


def _more(entry: DrawEntry, place: int | None, own: dict[int, int]) -> dict[str, Any]:
    return {"what": entry.result, "rank": entry.rank, "balls": own[entry.person_id or 0], "place": place}


def _row(entry: DrawEntry, now: datetime, details: dict[str, Any]) -> list[object]:
    return [entry.person_id, entry.wishes[0], identifiers.message_id(now), to_text(now), to_text(now), details]


def _queue(session: Session, rows: Sequence[list[object]]) -> None:
    if rows:
        _LETTERS.run(statements.wrap(session.connection()), rows=rows)


_LETTER = ("person_id", "slot_id", "message_id", "created_at", "next_try_at", "details")
_LETTERS = CompiledStatement(insert_rows(Letter, _LETTER, kind="draw_result"))
