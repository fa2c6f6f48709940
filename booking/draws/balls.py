"""Balls: how many each person has in a draw: one, and one more for each day on which they have lost since their last
seat."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import policy
from booking.db import statements
from booking.db.arrays import is_in_array
from booking.db.statements import CompiledStatement, DriverConnection, param
from booking.model import Booking, Draw, DrawEntry, Station, Strike

# Losses that are older count no more.
REMEMBERED = timedelta(days=60)


def balls(session: Session, station: Station, people: Collection[int], now: datetime) -> dict[int, int]:
    """The balls of these people in a draw of that station, by their ids.

    Any seat there takes the losses away, also one that was given up later. Who never had one has those of a newcomer, or
    as many as they have lost. A strike that counts leaves one.
    """
    numbers = policy.read(station.policy)
    connection, ids = statements.wrap(session.connection()), list(people)
    session.flush()
    seated = _last_seats(connection, station.id, ids)
    lost = _losses(connection, station.id, ids, now)
    struck = _struck(connection, station.id, ids, now - numbers.strike_window)
    found = {}
    for person_id in people:
        last = seated.get(person_id)
        days = {day for day, drawn_at in lost.get(person_id, ()) if last is None or drawn_at > last}
        own = 1 + len(days)
        own = max(own, numbers.newcomer_balls) if last is None else own
        found[person_id] = 1 if person_id in struck else min(own, numbers.most_balls)
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


def _struck(connection: DriverConnection, station_id: int, people: Sequence[int], since: datetime) -> set[int]:
    return {row[0] for row in _STRUCK.run(connection, people=people, station_id=station_id, since=since)}


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
_STRUCK = CompiledStatement(
    select(Strike.person_id)
    .where(is_in_array(Strike.person_id, "people"), Strike.station_id == param("station_id"))
    .where(Strike.at > param("since"), Strike.forgiven_at.is_(None))
)
