"""My history: the events about one person, for that person."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, joinedload

from booking.db.arrays import in_array
from booking.model import Event, Slot

A_PAGE = 30


class HistoryPage(NamedTuple):
    """Events, newest first, with their slots by id. `older` continues after them; None on the last page."""

    events: Sequence[Event]
    slots: Mapping[int, Slot]
    older: int | None


def events_about(session: Session, person_id: int, before: int | None = None, limit: int = A_PAGE) -> HistoryPage:
    """The newest events about the person, or the newest of those older than the event `before`."""
    found = select(Event).where(Event.person_id == person_id)
    if before is not None:
        last = select(Event.at, Event.id).where(Event.id == before, Event.person_id == person_id)
        found = found.where(tuple_(Event.at, Event.id) < last.scalar_subquery())
    events = session.scalars(found.order_by(Event.at.desc(), Event.id.desc()).limit(limit + 1)).all()
    shown = events[:limit]
    return HistoryPage(shown, _slots(session, shown), shown[-1].id if len(events) > limit else None)


def _slots(session: Session, events: Sequence[Event]) -> Mapping[int, Slot]:
    ids = {event.slot_id for event in events if event.slot_id is not None}
    load = (joinedload(Slot.activity), joinedload(Slot.station))
    found = select(Slot).where(Slot.id.in_(in_array(ids))).options(*load)
    return {slot.id: slot for slot in session.scalars(found)} if ids else {}
