"""Today's slots of a station with how many people came to each, and what the next day with slots looks like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.model import Booking, Draw, Event, Slot
from booking.queries import checkin, manager


@dataclass(frozen=True)
class SlotToday:
    """One slot, its bookings counted by state, and how many of the waiting are on standby at the door."""

    slot: Slot
    states: Mapping[str, int] = field(default_factory=dict)
    standby: int = 0

    @property
    def arrived(self) -> int:
        return self.states.get("attended", 0)

    @property
    def no_shows(self) -> int:
        return self.states.get("released", 0)


@dataclass(frozen=True)
class NextDay:
    """A coming date with slots: when its first slot opens, how many slots, seats, seats taken and people waiting."""

    date: date
    opens_at: datetime
    slots: int
    seats: int
    taken: int
    waiting: int


def of_day(session: Session, station_id: int, today: date) -> list[SlotToday]:
    """The slots of the day by start, the cancelled ones too."""
    found = manager.slots_between(session, station_id, today, today)
    ids = [slot.id for slot in found]
    counted = select(Booking.slot_id, Booking.state, func.count(Booking.id)).where(Booking.slot_id.in_(ids))
    states: dict[int, dict[str, int]] = {slot_id: {} for slot_id in ids}
    for slot_id, state, count in session.execute(counted.group_by(Booking.slot_id, Booking.state)):
        states[slot_id][state] = count
    standing = checkin.standing_by(session, ids)
    return [SlotToday(slot, states[slot.id], standing.get(slot.id, 0)) for slot in found]


def next_day(session: Session, station_id: int, today: date) -> NextDay | None:
    """The next date after `today` that has slots."""
    opens_at = func.min(func.coalesce(Draw.opens_at, Slot.opens_at))  # by draw: when people can enter
    counts = (opens_at, func.count(Slot.id), func.sum(Slot.capacity), func.sum(Slot.taken))
    row = session.execute(
        select(Slot.date, *counts, func.sum(Slot.waiting))
        .outerjoin(Draw, Draw.id == Slot.draw_id)
        .where(Slot.station_id == station_id, Slot.date > today, Slot.state != "cancelled")
        .group_by(Slot.date)
        .order_by(Slot.date)
        .limit(1)
    ).one_or_none()
    return NextDay(*row) if row else None


def last_event(session: Session, station_id: int) -> int:
    """The id of the station's newest event: while it stays the same, so does its day, but for the clock."""
    return session.scalar(select(func.max(Event.id)).where(Event.station_id == station_id)) or 0
