"""Calendar revisions: how often the event of a seat has changed (SEQUENCE), and when a lost seat's slot was.

All that changes an event is in the history, which only grows: so its number never falls, whatever the order of edits.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from booking.history import SLOT_EDITED, TIMES_BEFORE
from booking.model import CATALOGUE, HOLDING, Booking, Event

# The states of a booking whose event stands: who did not come had the seat too.
SEATED = (*HOLDING, "released", "unrecorded")
Times = tuple[datetime, datetime]


@dataclass(frozen=True)
class Revision:
    """How often the event of a seat may have changed, and when it last did."""

    sequence: int
    changed_at: datetime


def is_cancelled(booking: Booking) -> bool:
    """Whether its event is cancelled: also for a person who was moved back to the waiting list."""
    return booking.state not in SEATED


def revisions(session: Session, bookings: Collection[Booking]) -> dict[int, Revision]:
    """By booking: its own events, the edits of its slot, and the changes of the station's texts.

    Any change of the station's texts counts for all of its slots, so that moving one to another zone lowers no number.
    """
    counted = (func.count(Event.id), func.max(Event.at))
    own = or_(Event.booking_id.in_([b.id for b in bookings]), _edits_the_slot())
    of_slots = select(Event.slot_id, Event.booking_id, *counted).where(
        Event.slot_id.in_({b.slot_id for b in bookings}), own
    )
    of_stations = select(Event.station_id, *counted).where(
        Event.station_id.in_({b.station_id for b in bookings}), text(CATALOGUE)
    )
    slots = {row[:2]: row[2:] for row in session.execute(of_slots.group_by(Event.slot_id, Event.booking_id))}
    stations = {row[0]: row[1:] for row in session.execute(of_stations.group_by(Event.station_id))}
    return {
        b.id: _summed(b, (slots.get((b.slot_id, b.id)), slots.get((b.slot_id, None)), stations.get(b.station_id)))
        for b in bookings
    }


def times(session: Session, bookings: Collection[Booking]) -> dict[int, Times]:
    """Start and end of each booking's event. A lost seat's stays at the time at which calendars know it."""
    lost = {b.id: b.slot_id for b in bookings if is_cancelled(b)}
    kept = _times_when_lost(session, lost) if lost else {}
    return {b.id: kept.get(b.id) or (b.slot.starts_at, b.slot.ends_at) for b in bookings}


def _edits_the_slot() -> ColumnElement[bool]:
    return and_(Event.booking_id.is_(None), Event.kind.in_(SLOT_EDITED), Event.before.is_not(None))


def _summed(booking: Booking, counted: Iterable[tuple[int, datetime] | None]) -> Revision:
    found = [one for one in counted if one]
    return Revision(sum(count for count, _ in found), max((at for _, at in found), default=booking.created_at))


def _times_when_lost(session: Session, lost: Mapping[int, int]) -> dict[int, Times]:
    """The slot's times before its first move after the seat was lost; nothing for a slot that was not moved since."""
    about = or_(and_(Event.booking_id.in_(lost), Event.after.is_not(None)), _edits_the_slot())
    told = select(Event.slot_id, Event.booking_id, Event.after, Event.details)
    kept: dict[int, Times] = {}
    gone: set[int] = set()
    for slot_id, booking_id, after, details in session.execute(
        told.where(Event.slot_id.in_({*lost.values()}), about).order_by(Event.id)
    ):
        if booking_id is None:
            moved = details.get(TIMES_BEFORE)
            for one in (one for one in gone if moved and lost[one] == slot_id):
                kept.setdefault(one, (datetime.fromisoformat(moved[0]), datetime.fromisoformat(moved[1])))
        elif after in SEATED:
            gone.discard(booking_id)
            kept.pop(booking_id, None)
        else:
            gone.add(booking_id)
    return kept
