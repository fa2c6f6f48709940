"""Swap: a seat in another slot of the same day instead of the one held: both or neither."""

from datetime import datetime

from sqlalchemy.orm import Session

from booking.db.transactions import retried
from booking.errors import RuleViolation
from booking.seats.booking import BookingResult, book_in_transaction, give_up
from booking.seats.eligibility import AnySlot, Eligibility, Entry, refusal
from booking.seats.transitions import find_booking
from booking.seats.waitlist import lock_slots

# The refusals that a seat can stand behind.
BY_A_SEAT = ("day_limit", "city_day_limit", "week_limit", "overlap")
# Those that count a seat even when it is given up, if that is too late.
COUNT_LATE = ("city_day_limit", "week_limit")


def held_instead(slot: AnySlot, who: Eligibility, now: datetime) -> Entry | None:
    """The seat that the person can give up for a free one in `slot`; None where something else is in the way too."""
    no = refusal(slot, who, now)
    held = who.on(no.details["slot_id"]) if no and no.reason in BY_A_SEAT else None
    if held is None or held.state != "booked" or held.date != slot.date or now >= held.starts_at:
        return None
    without = who._replace(entries=tuple(entry for entry in who.entries if entry is not held))
    is_free = slot.free and not (slot.waiting and now < slot.waitlist_until)
    return held if is_free and refusal(slot, without, now) is None else None


@retried
def swap(
    session: Session, person_id: int, slot_id: int, held_id: int, now: datetime, key: str | None = None
) -> BookingResult:
    """Give up the booking `held_id` and book a seat in `slot_id`. A place on the waiting list is no seat: then nothing
    changes. A second press returns the same booking."""
    held = find_booking(session, held_id)
    lock_slots(session, {held.slot_id, slot_id}, now, {person_id})
    give_up.inside(session, held_id, now, swapped_for=slot_id)
    result = book_in_transaction(session, person_id, slot_id, now, key)
    if result.booking.state == "waiting":
        raise RuleViolation("full")
    return result
