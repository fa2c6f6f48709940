"""Letters: the result to everybody who has no seat, and word of a void draw. Who has a seat is sent it as any other.

A result of the night is left to the morning's digest, and is sent only to those whom no digest has told it by then.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import clock, identifiers
from booking.db import statements
from booking.db.arrays import insert_rows, to_text
from booking.db.statements import CompiledStatement
from booking.draws.balls import At, held
from booking.draws.drawing import Drawn
from booking.draws.entry_list import LiveEntry, live_entries
from booking.model import Draw, Letter, Slot

NIGHT, MORNING = time(22), time(8, 30)
WAITS = timedelta(minutes=10)  # after the morning, for the digest to be written
IN_TIME = timedelta(hours=1)  # before the first start: whoever could not be told so early is told at once


class Told(NamedTuple):
    """An entry without a seat, and its first place on a waiting list, if it has one."""

    drawn: Drawn
    slot_id: int
    place: int | None


class Results(NamedTuple):
    """Whom to tell of a draw, of how many `people`."""

    draw: Draw
    people: int
    told: Sequence[Told]


def tell(session: Session, results: Sequence[Results], now: datetime) -> None:
    """Say how it went, and with how many balls each enters the next draw."""
    own = held(
        session, [At(one.draw.station, [each.drawn.entry.person_id for each in one.told]) for one in results], now
    )
    rows = []
    for draw, people, told in results:
        same = {"draw": draw.id, "people": people, "capacity": sum(draw.seats.values())}
        sent_at = _sent_at(session, draw, now)
        for each in told:
            balls = own[draw.station_id, each.drawn.entry.person_id].balls
            rows.append(_row(each.drawn.entry, each.slot_id, now, sent_at, same | _more(each, balls)))
    _queue(session, rows)


def tell_void(session: Session, draw: Draw, why: str, now: datetime) -> None:
    live = live_entries(statements.wrap(session.connection()), [draw.id])[draw.id]
    sent_at = _sent_at(session, draw, now)
    _queue(session, [_row(entry, entry.wishes[0], now, sent_at, {"draw": draw.id, "what": why}) for entry in live])


def _sent_at(session: Session, draw: Draw, now: datetime) -> datetime:
    """At once by day; at night after the digest of the morning, if that is early enough."""
    zone = draw.station.zone_name
    local = clock.at_station(now, zone)
    if MORNING <= local.time() < NIGHT:
        return now
    day = local.date() + timedelta(days=local.time() >= NIGHT)
    morning = clock.instant(day, MORNING, zone) + WAITS
    same_day = (Slot.station_id == draw.station_id, Slot.date == draw.date, Slot.draw_id == draw.id)
    first = session.scalar(select(func.min(Slot.starts_at)).where(*same_day))
    return morning if first and morning <= first - IN_TIME else now


def _more(one: Told, balls: int) -> dict[str, Any]:
    return {"what": one.drawn.result, "rank": one.drawn.rank, "balls": balls, "place": one.place}


def _row(entry: LiveEntry, slot_id: int, now: datetime, sent_at: datetime, details: dict[str, Any]) -> list[object]:
    return [entry.person_id, slot_id, identifiers.message_id(now), to_text(now), to_text(sent_at), details]


def _queue(session: Session, rows: Sequence[list[object]]) -> None:
    if rows:
        _LETTERS.run(statements.wrap(session.connection()), rows=rows)


_LETTER = ("person_id", "slot_id", "message_id", "created_at", "next_try_at", "details")
_LETTERS = CompiledStatement(insert_rows(Letter, _LETTER, kind="draw_result"))
