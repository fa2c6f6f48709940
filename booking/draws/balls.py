"""Balls: how many each person has in a draw: one, and one more for each day on which they have lost since their last
seat."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import policy
from booking.db import statements
from booking.db.arrays import is_in_array
from booking.db.statements import CompiledStatement, DriverConnection, param
from booking.model import Booking, Draw, DrawEntry, Station
from booking.seats.strike_ledger import last_strikes

# Losses that are older count no more.
REMEMBERED = timedelta(days=60)


class Held(NamedTuple):
    """The balls of a person, and why so many: newcomer, lost (on so many `days`), seated or struck."""

    balls: int
    why: str
    days: int


def balls(session: Session, station: Station, people: Collection[int], now: datetime) -> dict[int, int]:
    """The balls of these people in a draw of that station, by their ids."""
    return {person_id: held.balls for person_id, held in explained(session, station, people, now).items()}


def explained(session: Session, station: Station, people: Collection[int], now: datetime) -> dict[int, Held]:
    """The same with the reasons.

    Any seat there takes the losses away, also one that was given up later. Who never had one has those of a newcomer, or
    as many as they have lost. A strike that counts leaves one.
    """
    numbers = policy.read(station.policy)
    connection, ids = statements.wrap(session.connection()), list(people)
    session.flush()
    seated = _last_seats(connection, station.id, ids)
    lost = _losses(connection, station.id, ids, now)
    strikes = last_strikes(session, people)
    struck = {who for (who, where), at in strikes.items() if where == station.id and at > now - numbers.strike_window}
    found = {}
    for person_id in people:
        last = seated.get(person_id)
        days = len({day for day, drawn_at in lost.get(person_id, ()) if last is None or drawn_at > last})
        own, why = 1 + days, "lost" if days else "seated"
        if last is None and own <= numbers.newcomer_balls:
            own, why = numbers.newcomer_balls, "newcomer"
        held = Held(min(own, numbers.most_balls), why, days)
        found[person_id] = Held(1, "struck", days) if person_id in struck else held
    return found


def _last_seats(connection: DriverConnection, station_id: int, people: Sequence[int]) -> dict[int, datetime]:
    rows = _SEATS.run(connection, people=people, station_id=station_id)
    return {person_id: at for person_id, at in rows if at}


def _losses(
    connection: DriverConnection, station_id: int, people: Sequence[int], now: datetime
) -> dict[int, list[tuple[date, datetime]]]:
    """The lost draws of each: the day and the instant."""
    found: dict[int, list[tuple[date, datetime]]] = {}
    for person_id, day, drawn_at in _LOST.run(connection, people=people, station_id=station_id, since=now - REMEMBERED):
        found.setdefault(person_id, []).append((day, drawn_at))
    return found


_SEATS = CompiledStatement(
    select(Booking.person_id, func.max(Booking.seated_at, type_=Booking.seated_at.type))
    .where(is_in_array(Booking.person_id, "people"), Booking.station_id == param("station_id"))
    .where(Booking.seated_at.is_not(None))
    .group_by(Booking.person_id)
)
_LOST = CompiledStatement(
    select(DrawEntry.person_id, Draw.date, Draw.drawn_at)
    .join_from(DrawEntry, Draw, DrawEntry.draw_id == Draw.id)
    .where(is_in_array(DrawEntry.person_id, "people"), DrawEntry.result == "lost")
    .where(Draw.station_id == param("station_id"), Draw.drawn_at > param("since"))
)
