"""Undo: a person's own booking reverted completely within `UNDO_WINDOW`, as if it had not been made.

No strike, no unsent letter remains, and the waiting-list places that the seat had replaced come back at their old
positions.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.enqueue import withdraw_letters
from booking.errors import RuleViolation
from booking.model import Booking, Event, Letter, Slot
from booking.seats.claim import change, claim_in
from booking.seats.eligibility import Eligibility, at_door, eligibility, personal, too_many_places
from booking.seats.transitions import end, live_booking
from booking.seats.waitlist import LockedSlots, fill_free_seats


def undo_press(
    session: Session,
    held: LockedSlots,
    booking: Booking,
    replaced: Sequence[Booking],
    now: datetime,
    details: dict[str, Any],
) -> None:
    """Revert the seat of a locked slot; the caller offers the seat on. `replaced` was read before the locks; `details`
    are the event's."""
    slot = held.slots[booking.slot_id]
    withdraw_letters(session, "confirmed", slot.id, "undone", Letter.booking_id == booking.id)
    _return(session, slot, booking, now, details)
    for entry in replaced:
        restore(session, held, entry, now)


def replaced_by(session: Session, booking: Booking) -> Sequence[Booking]:
    """The waiting-list places that ended when this booking got its seat, whatever became of them since."""
    withdrawn = (Event.kind == "withdrawn", Event.at == booking.seated_at)
    found = (
        select(Booking, Event.details)
        .join(Event, Event.booking_id == Booking.id)
        .where(Event.person_id == booking.person_id, *withdrawn)
        .order_by(Event.id)
    )
    rows = session.execute(found).all()
    entries = {entry.id: entry for entry, details in rows if details.get("replaced_by") == booking.id}
    return list(entries.values())


def restore(session: Session, held: LockedSlots, entry: Booking, now: datetime) -> None:
    """Put a withdrawn entry back on its waiting list at its old position, unless something has made that impossible."""
    slot = held.slots.get(entry.slot_id)
    session.refresh(entry)
    if slot is None or why_not(session, slot, entry, now):
        return
    claim_in(session, [change(slot, entry, "waiting", now, "place_restored", entry.person_id)])
    fill_free_seats(session, slot, now, held.people)


def why_not(session: Session, slot: Slot, entry: Booking, now: datetime) -> RuleViolation | None:
    """Why a withdrawn entry cannot return; a pause is no reason, since existing bookings are not affected by it."""
    if entry.state != "cancelled" or entry.end_reason != "withdrawn":
        return RuleViolation("not_live")
    state = slot.state_at(now)
    if state in ("cancelled", "done"):
        return RuleViolation("over")
    if live_booking(session, slot.id, entry.person_id):
        return RuleViolation("in_line")
    who = _since(eligibility(session, entry.person_id, slot.station, slot.date, now), entry.ended_at)
    if entry.standby_at:
        return at_door(slot, who)
    if state == "running":
        return RuleViolation("started")
    no = personal(slot, who)
    return no if no and no.reason != "paused" else too_many_places(slot, who, now)


def _since(who: Eligibility, moment: datetime | None) -> Eligibility:
    """The person without the seats that they had at that moment: the entry was allowed beside those."""
    beside = (e for e in who.entries if not (e.holds_seat and e.seated_at and moment and e.seated_at <= moment))
    return who._replace(entries=tuple(beside))


def _return(session: Session, slot: Slot, booking: Booking, now: datetime, details: dict[str, Any]) -> None:
    """Return the booking to its previous state: on this waiting list, where it was before it took a free seat."""
    of = (Event.slot_id == slot.id, Event.booking_id == booking.id, Event.after == "booked")
    seated = session.scalars(select(Event).where(*of).order_by(Event.id.desc()).limit(2)).all()
    if not seated or seated[0].before != "waiting":
        slot.taken -= 1
        end(session, slot, booking, "cancelled", now, "press_undone", booking.person_id, **details)
        return
    before = seated[1].at if len(seated) > 1 else None
    row = change(slot, booking, "waiting", now, "press_undone", booking.person_id, seated_at=before, details=details)
    claim_in(session, [row])
