"""Held slots: what is counted of a slot that was held, and of the people who asked for a seat and got none.

A slot counts when it is closed (`done`). A seat counts as missed when it was released. Without attendance the bookings are
unrecorded: neither visits nor missed.
"""

from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import aliased

from booking.model import Booking, Slot, Strike, WatchOpen

HELD = Slot.state == "done"
CAME = Booking.state == "attended"
MISSED = Booking.state == "released"
UNRECORDED = Booking.state == "unrecorded"
# A person who lost a seat and was checked in late had booked it: no walk-in.
AT_DOOR = and_(Booking.via == "door", Booking.late.is_(False))


def counted_slots() -> Any:
    """One row for each slot."""
    again = aliased(Booking)
    missed_it = exists().where(
        again.slot_id == Booking.slot_id, again.person_id == Booking.person_id, again.state == "released"
    )
    after_release = and_(CAME, AT_DOOR, Booking.seated_at >= Slot.released_at, ~missed_it)
    after_all = aliased(Booking)
    came_after_all = exists().where(
        after_all.slot_id == Booking.slot_id, after_all.person_id == Booking.person_id, after_all.state == "attended"
    )
    opened = select(func.count(WatchOpen.id)).where(WatchOpen.slot_id == Slot.id).scalar_subquery()
    columns = (
        Slot.id,
        Slot.station_id,
        Slot.date,
        Slot.starts_at,
        Slot.ends_at,
        Slot.activity_id,
        Slot.zone_id,
        Slot.host,
    )
    return (
        select(
            *columns,
            Slot.capacity.label("seats"),
            func.count(Booking.id).filter(CAME).label("visits"),
            func.count(Booking.id).filter(CAME, AT_DOOR).label("walk_ins"),
            func.count(Booking.id).filter(MISSED).label("no_shows"),
            func.count(Booking.id).filter(UNRECORDED).label("unrecorded"),
            func.count(Booking.id).filter(Booking.state == "cancelled", Booking.late, ~came_after_all).label("late"),
            func.count(Strike.id).label("wasted"),
            func.count(Booking.id).filter(after_release).label("after_release"),
            opened.label("watched"),
        )
        .outerjoin(Booking, Booking.slot_id == Slot.id)
        .outerjoin(Strike, and_(Strike.booking_id == Booking.id, Strike.reason == "late_cancel"))
        .group_by(*columns, Slot.capacity)
    )


def turned_away(*columns: Any) -> Select[Any]:
    """Who waited for a held slot to the end, and had no seat in any that the station held on that day."""
    mine, theirs = aliased(Booking), aliased(Slot)
    sat = exists().where(
        mine.person_id == Booking.person_id,
        mine.slot_id == theirs.id,
        mine.state.in_(("booked", "attended", "released", "unrecorded")),
        theirs.station_id == Slot.station_id,
        theirs.date == Slot.date,
        theirs.state == "done",
    )
    return select(*columns).join(Slot, Booking.slot_id == Slot.id).where(HELD, Booking.state == "expired", ~sat)
