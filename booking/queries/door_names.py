"""Door names: who left their name on the door screen today and waits, with the bookings of that name."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from booking import clock
from booking.model import Booking, DoorArrival, Slot, Station
from booking.sanitise import name_key

# Of these a check-in is one tap; who is attended has been seen to.
MATCHING = ("booked", "released", "attended")


@dataclass(frozen=True)
class NamedArrival:
    """A name, and today's bookings of people who are called that."""

    arrival: DoorArrival
    bookings: Sequence[Booking] = ()


def waiting(session: Session, station: Station, now: datetime) -> list[NamedArrival]:
    """Those whom nobody has seen to, in order of arrival: neither settled, nor checked in since."""
    open_ = (DoorArrival.settled_at.is_(None), DoorArrival.until > now)
    found = select(DoorArrival).where(DoorArrival.station_id == station.id, *open_).order_by(DoorArrival.at)
    arrivals = session.scalars(found.order_by(DoorArrival.id)).all()
    if not arrivals:
        return []
    called = _bookings(session, station, now)
    named = [NamedArrival(one, called.get(name_key(one.name), ())) for one in arrivals]
    return [one for one in named if not any(_came(booking, one.arrival) for booking in one.bookings)]


def mark(session: Session, station_id: int, now: datetime) -> str:
    """What changes whenever a name is left here, or seen to."""
    open_ = (DoorArrival.settled_at.is_(None), DoorArrival.until > now)
    found = select(func.count(), func.max(DoorArrival.id)).where(DoorArrival.station_id == station_id, *open_)
    return "-".join(map(str, session.execute(found).one()))


def _bookings(session: Session, station: Station, now: datetime) -> dict[str, list[Booking]]:
    """Today's bookings at the station, by the name of their person."""
    today = clock.at_station(now, station.zone_name).date()
    slots = select(Slot.id).where(Slot.station_id == station.id, Slot.date == today, Slot.ends_at > now)
    found = select(Booking).where(Booking.slot_id.in_(slots), Booking.state.in_(MATCHING)).order_by(Booking.id)
    load = (joinedload(Booking.person), joinedload(Booking.slot).joinedload(Slot.activity))
    called = defaultdict(list)
    for booking in session.scalars(found.options(*load)):
        called[name_key(booking.person.name)].append(booking)
    return called


def _came(booking: Booking, arrival: DoorArrival) -> bool:
    return booking.state == "attended" and booking.checked_in_at is not None and booking.checked_in_at >= arrival.at
