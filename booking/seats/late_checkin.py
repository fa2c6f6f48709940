"""Late check-in: a no-show who arrives after all gets the seat back while one is free.

It is the same booking, attended late; the strike for the no-show is taken back with it. The history keeps all that an
undo of the check-in needs to make it a no-show again.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.enqueue import enqueue, withdraw_letters
from booking.history import record
from booking.model import Booking, Event, Letter, Slot, Strike
from booking.seats.claim import ARRIVED, ClaimRow, change, claim_in
from booking.seats.transitions import end, leave


def seat_at_door(
    session: Session, slot: Slot, people: Mapping[int, Booking | None], now: datetime, actor_id: int | None
) -> list[Booking]:
    """Give free seats of a locked slot to people who have arrived, each with their waiting-list entry, if any."""
    missed = released(session, slot, people)
    for person_id in missed:
        if entry := people[person_id]:
            leave(session, slot, entry, now, "came_late", actor_id)
    come = [_arrival(slot, who, entry, missed.get(who), now, actor_id) for who, entry in people.items()]
    seated = claim_in(session, come)
    for booking in missed.values():
        _take_strike_back(session, slot, booking, now, actor_id)
    return seated


def released(session: Session, slot: Slot, people: Collection[int]) -> dict[int, Booking]:
    """The bookings of these people in a locked slot that were released as no-shows, the last of each."""
    if slot.released_at is None or not people:
        return {}
    theirs = (Booking.slot_id == slot.id, Booking.person_id.in_(in_array(people)), Booking.state == "released")
    found = select(Booking).where(*theirs).order_by(Booking.id).execution_options(populate_existing=True)
    return {booking.person_id: booking for booking in session.scalars(found)}


def was_released(session: Session, slot_id: int, person_id: int) -> bool:
    """Whether this person's seat there was released, as a no-show's, and is not theirs again."""
    theirs = (Booking.slot_id == slot_id, Booking.person_id == person_id, Booking.state == "released")
    return session.scalar(select(Booking.id).where(*theirs).limit(1)) is not None


def is_late_arrival(booking: Booking) -> bool:
    """Whether the person was checked in after the seat had been released."""
    return booking.state == "attended" and booking.late


def miss_again(session: Session, slot: Slot, booking: Booking, now: datetime, actor_id: int | None) -> None:
    """Undo a late check-in: released and struck as before. The caller offers the seat on."""
    was = _last(session, booking, and_(Event.after == "released", Event.kind != "undone"))
    via = _last(session, booking, Event.kind == "checked_in").details["via"]
    booking.checked_in_at, booking.late, booking.via = None, False, via
    slot.taken -= 1
    end(session, slot, booking, "released", now, "undone", actor_id)
    booking.ended_at, booking.end_reason = was.at, was.kind
    _strike_again(session, slot, booking, now, actor_id)


def _arrival(
    slot: Slot, person_id: int, entry: Booking | None, missed: Booking | None, now: datetime, actor_id: int | None
) -> ClaimRow[Slot]:
    if missed:
        late: dict[str, Any] = {"via": "door", "late": True, "details": {"via": missed.via}}
        return change(slot, missed, "attended", now, "checked_in", actor_id, **late)
    place = entry.waitlist_position if entry else None
    return ClaimRow(slot, "attended", person_id, now, actor_id, ARRIVED, entry, None, "door", now, place, None, now)


def _take_strike_back(session: Session, slot: Slot, booking: Booking, now: datetime, actor_id: int | None) -> None:
    """Take the strike back; one that the manager has forgiven stays recorded as forgiven."""
    gone = delete(Strike).where(Strike.booking_id == booking.id, Strike.forgiven_at.is_(None))
    struck = session.execute(gone.returning(Strike.at, Strike.reason)).one_or_none()
    if struck is None:
        return
    unsent = withdraw_letters(session, "strike", slot.id, "came late", Letter.person_id == booking.person_id)
    told: dict[str, Any] = {"struck_at": struck.at.isoformat(), "reason": struck.reason}
    if unsent:
        told["letter"] = unsent[0].details
    record(session, "strike_dropped", now, actor_id=actor_id, slot=slot, booking=booking, reason="came_late", told=told)


def _strike_again(session: Session, slot: Slot, booking: Booking, now: datetime, actor_id: int | None) -> None:
    checked_in = _last(session, booking, Event.kind == "checked_in")
    dropped = (Event.slot_id == slot.id, Event.booking_id == booking.id, Event.kind == "strike_dropped")
    event = session.scalar(select(Event).where(*dropped, Event.id > checked_in.id))
    if event is None:
        return
    told, person_id = event.details["told"], booking.person_id
    struck = {"at": datetime.fromisoformat(told["struck_at"]), "reason": told["reason"]}
    about = {"booking_id": booking.id, "station_id": slot.station_id, "slot_id": slot.id}
    session.add(Strike(person_id=person_id, **about, **struck))
    record(session, "strike", now, actor_id=actor_id, slot=slot, booking=booking, reason=told["reason"])
    if "letter" in told:
        enqueue(session, "strike", now, person_id=person_id, slot_id=slot.id, **told["letter"])


def _last(session: Session, booking: Booking, which: Any) -> Event:
    of = (Event.slot_id == booking.slot_id, Event.booking_id == booking.id)
    return session.scalars(select(Event).where(*of, which).order_by(Event.id.desc()).limit(1)).one()
