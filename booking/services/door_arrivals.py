"""Door arrivals: the names that people without a phone leave on the door screen, and what the staff makes of them.

No name stands in the history, and the screen never says whether one has a booking.
"""

from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import clock, people, seats
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Booking, DoorArrival, Station
from booking.sanitise import name_key
from booking.workdays import ONE_DAY

MOST_NAMES = 30  # of a station in an hour: screens have no identity of their own
AN_HOUR = timedelta(hours=1)


@transactional
def leave_name(session: Session, station_id: int, name: str, now: datetime) -> DoorArrival:
    """Leave a name; the same one again is the first one, while nobody has seen to it. Raises `too_many_names`."""
    wanted = people.clean_name(name)
    transactions.advisory_lock(session, f"names at the door of {station_id}")
    station = session.get_one(Station, station_id)
    here = (DoorArrival.station_id == station_id, DoorArrival.at > now - ONE_DAY)
    waiting = select(DoorArrival).where(*here, DoorArrival.settled_at.is_(None), DoorArrival.until > now)
    same = next((one for one in session.scalars(waiting) if name_key(one.name) == name_key(wanted)), None)
    if same:
        return same
    lately = select(func.count()).where(*here, DoorArrival.at > now - AN_HOUR)
    if (session.scalar(lately) or 0) >= MOST_NAMES:
        raise RuleViolation("too_many_names")
    tomorrow = clock.at_station(now, station.zone_name).date() + ONE_DAY
    until = clock.instant(tomorrow, time.min, station.zone_name)
    left = DoorArrival(station_id=station_id, name=wanted, at=now, until=until)
    session.add(left)
    session.flush()
    record(session, "name_left", now, station_id=station_id, arrival=left.id)
    return left


@transactional
def check_in_named(session: Session, arrival_id: int, booking_id: int, now: datetime, actor_id: int) -> Booking:
    """Check in the booking of somebody who left their name, who is then seen to. Raises what `seats.check_in` does."""
    booking = seats.check_in.inside(session, booking_id, now, actor_id)
    settle.inside(session, arrival_id, now, actor_id)
    return booking


@transactional
def settle(session: Session, arrival_id: int, now: datetime, actor_id: int) -> None:
    """Somebody has seen to it. Idempotent."""
    left = session.get_one(DoorArrival, arrival_id, with_for_update={"key_share": True}, populate_existing=True)
    if left.settled_at is None:
        left.settled_at = now
        record(session, "name_settled", now, actor_id=actor_id, station_id=left.station_id, arrival=left.id)
