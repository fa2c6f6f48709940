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
from booking.policy import Policy
from booking.seats.strike_ledger import last_strikes

# Losses that are older count no more.
REMEMBERED = timedelta(days=60)


class Held(NamedTuple):
    """The balls of a person, and why so many: newcomer, lost (on so many `days`), seated or struck."""

    balls: int
    why: str
    days: int


class At(NamedTuple):
    """Whose balls are asked for, at which station."""

    station: Station
    people: Collection[int]


def balls(session: Session, station: Station, people: Collection[int], now: datetime) -> dict[int, int]:
    """The balls of these people in a draw of that station, by their ids."""
    return {person_id: held.balls for person_id, held in explained(session, station, people, now).items()}


def explained(session: Session, station: Station, people: Collection[int], now: datetime) -> dict[int, Held]:
    """The same with the reasons."""
    return {person_id: one for (_, person_id), one in held(session, [At(station, people)], now).items()}


def held(session: Session, asked: Sequence[At], now: datetime) -> dict[tuple[int, int], Held]:
    """The same at several stations, by station and person.

    Any seat there takes the losses away, also one that was given up later, but none that was undone at once. Who never had
    one has those of a newcomer, or as many as they have lost. A strike that counts leaves one.
    """
    session.flush()
    connection = statements.wrap(session.connection())
    stations, people = [one.station.id for one in asked], [person_id for one in asked for person_id in one.people]
    seated = _last_seats(connection, stations, people)
    lost = _losses(connection, stations, people, now)
    strikes = last_strikes(session, people)
    found = {}
    for at in asked:
        numbers, station_id = policy.read(at.station.policy), at.station.id
        newest = now - numbers.strike_window
        for person_id in at.people:
            key = station_id, person_id
            own = _held(numbers, lost.get(key, ()), seated.get(key))
            struck = strikes.get((person_id, station_id))
            found[key] = Held(1, "struck", own.days) if struck and struck > newest else own
    return found


def _held(numbers: Policy, lost: Sequence[tuple[date, datetime]], last: datetime | None) -> Held:
    """Of somebody without a strike: by the lost draws and the last seat there."""
    days = len({day for day, drawn_at in lost if last is None or drawn_at > last})
    own, why = 1 + days, "lost" if days else "seated"
    if last is None and own <= numbers.newcomer_balls:
        own, why = numbers.newcomer_balls, "newcomer"
    return Held(min(own, numbers.most_balls), why, days)


def _last_seats(
    connection: DriverConnection, stations: Sequence[int], people: Sequence[int]
) -> dict[tuple[int, int], datetime]:
    rows = _SEATS.run(connection, people=people, stations=stations)
    return {(station_id, person_id): at for station_id, person_id, at in rows if at}


def _losses(
    connection: DriverConnection, stations: Sequence[int], people: Sequence[int], now: datetime
) -> dict[tuple[int, int], list[tuple[date, datetime]]]:
    """The lost draws of each: the day and the instant."""
    found: dict[tuple[int, int], list[tuple[date, datetime]]] = {}
    rows = _LOST.run(connection, people=people, stations=stations, since=now - REMEMBERED)
    for station_id, person_id, day, drawn_at in rows:
        found.setdefault((station_id, person_id), []).append((day, drawn_at))
    return found


_SEATS = CompiledStatement(
    select(Booking.station_id, Booking.person_id, func.max(Booking.seated_at, type_=Booking.seated_at.type))
    .where(is_in_array(Booking.person_id, "people"), is_in_array(Booking.station_id, "stations"))
    .where(Booking.seated_at.is_not(None), Booking.end_reason.is_distinct_from("press_undone"))
    .group_by(Booking.station_id, Booking.person_id)
)
_LOST = CompiledStatement(
    select(Draw.station_id, DrawEntry.person_id, Draw.date, Draw.drawn_at)
    .join_from(DrawEntry, Draw, DrawEntry.draw_id == Draw.id)
    .where(is_in_array(DrawEntry.person_id, "people"), DrawEntry.result == "lost")
    .where(is_in_array(Draw.station_id, "stations"), Draw.drawn_at > param("since"))
)
