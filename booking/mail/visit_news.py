"""Visit news: the visits of the last workday, about which the next morning's digest asks once."""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.mail import links
from booking.model import Booking, Slot
from booking.queries.activity_ratings import unrated


def news(stations: Select[int], since: date, day: date) -> Select[int, int]:
    """The people with a visit from `since` until the day before `day` that they have not rated, and the stations."""
    visits = select(Booking.person_id, Booking.station_id).join(Slot, Booking.slot_id == Slot.id)
    return visits.where(Slot.station_id.in_(stations), Slot.date >= since, Slot.date < day, *unrated())


def add(
    session: Session,
    told: dict[int, dict[str, Any]],
    stations: Select[int],
    since: date,
    day: date,
    ids: Collection[int],
) -> None:
    """Add these visits, as the ids of booking and slot, to what these people's digests tell."""
    theirs = news(stations, since, day).where(Booking.person_id.in_(in_array(ids)))
    found = theirs.add_columns(Booking.id, Booking.slot_id).order_by(Slot.starts_at, Booking.id)
    for person_id, station_id, *visit in session.execute(found):
        nothing = {"stations": [station_id], "seats": (), "waits": (), "opens": (), "strikes": []}
        told.setdefault(person_id, nothing).setdefault("visits", []).append(list(visit))


def asked(
    visits: Collection[tuple[int, int]], slots: Collection[Slot], person_id: int | None
) -> list[tuple[Slot, str]]:
    """The slots of such visits, each with the address at which its person rates it."""
    booking_of = {slot_id: booking_id for booking_id, slot_id in visits}
    return [(slot, links.rate(booking_of[slot.id], person_id)) for slot in slots if person_id]
