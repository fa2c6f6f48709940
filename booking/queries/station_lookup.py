"""Station lookup: open stations by code, name or distance."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.model import Manages, Slot, Station
from booking.queries.folding import fold, words
from booking.queries.name_search import matches

EARTH = 6371.0  # km
_TEXTS = (Station.name, Station.name_en, Station.address, Station.address_en, Station.code)


def station(session: Session, code: str) -> Station | None:
    """The open station with that code."""
    return session.scalar(select(Station).where(Station.code == code, Station.closed_at.is_(None)))


def stations(session: Session, sought: str = "", limit: int = 50) -> Sequence[Station]:
    """Open stations, by name or address if `sought`."""
    found = select(Station).where(Station.closed_at.is_(None))
    if sought:
        found = found.where(Station.id.in_(in_array(matching(session, sought))))
    return session.scalars(found.order_by(Station.id).limit(limit)).all()


def only_one(session: Session, now: datetime) -> str:
    """The code of the only open station, or of the only one that still has slots to come; else empty."""
    coming = exists().where(Slot.station_id == Station.id, Slot.ends_at > now, Slot.state != "cancelled")
    found = select(Station.code).where(Station.closed_at.is_(None)).order_by(Station.id).limit(2)
    for among in (found, found.where(coming)):
        if len(codes := session.scalars(among).all()) == 1:
            return codes[0]
    return ""


def matching(session: Session, sought: str) -> list[int]:
    """Stations, closed ones too, with `sought` in their name, address or code, or called so in pinyin.

    Where there are none, those with each of its words somewhere.
    """
    rows = session.execute(select(Station.id, *_TEXTS)).all()
    found = [row.id for row in rows if _has(row[1:], fold(sought)) or matches(row.name, sought)]
    typed = [fold(word) for word in words(sought)]
    return found or [row.id for row in rows if typed and all(_has(row[1:], word) for word in typed)]


def _has(texts: Iterable[str], folded: str) -> bool:
    return bool(folded) and any(folded in fold(text) for text in texts)


def nearest(session: Session, latitude: float, longitude: float, limit: int = 20) -> list[tuple[Station, float]]:
    """Open stations around a position in degrees, the nearest first, with their distance in km."""
    # On a plane that touches the Earth here: accurate enough to sort the stations of a city.
    narrow = math.cos(math.radians(latitude))
    north, east = Station.latitude - latitude, (Station.longitude - longitude) * narrow
    known = select(Station).where(Station.closed_at.is_(None), Station.latitude.is_not(None))
    found = session.scalars(known.order_by(north * north + east * east, Station.id).limit(limit))
    return [(station, _km(station, latitude, longitude)) for station in found]


def _km(station: Station, latitude: float, longitude: float) -> float:
    here, there = math.radians(latitude), math.radians(station.latitude or 0)
    around = math.radians((station.longitude or 0) - longitude)
    half = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(around / 2) ** 2
    return 2 * EARTH * math.asin(math.sqrt(half))


def managed_stations(session: Session, person_id: int) -> Sequence[Station]:
    """The stations that a person manages."""
    mine = select(Station).join(Manages, Manages.station_id == Station.id).where(Manages.person_id == person_id)
    return session.scalars(mine.order_by(Station.id)).all()
