"""What the clock does to a noon: start, release and finish, any number of slots at once. Twice is once."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from booking import store
from booking.history import record_all
from booking.model import Booking, Slot
from booking.seats.ends import Claim, claims, expire, lose, strike
from booking.seats.line import hold, serve
from booking.seats.moves import bookings


def start(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    """Record that slots run: the line ends, the seats left belong to the people at the door. Returns how many."""
    held = hold(session, slot_ids, now)
    due = {n: held.slots[n] for n in slot_ids if held.slots[n].state in ("planned", "open")}
    due = {n: slot for n, slot in due.items() if now >= slot.starts_at}
    record_all(session, "started", now, Slot, due, after="running")
    for slot in due.values():
        slot.state = "running"
    expire(session, due, [entry for entry in claims(session, due, "waiting") if entry.standby_at is None], now)
    for slot in due.values():
        serve(session, slot, now, held.people)
    return len(due)


def release(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    """Take the seats of those who did not come, and give them to the people at the door.

    Nobody is punished for a release that comes after the slot is over: then our own clock failed.
    Returns how many seats were released.
    """
    held = hold(session, slot_ids, now, room=Slot.taken)
    due = {n: slot for n in slot_ids if _is_due(slot := held.slots[n], now)}
    absent = claims(session, due, "booked")
    for slot in due.values():
        slot.released_at = now
    for punish in (True, False):
        lose(session, due, [seat for seat in absent if (now < due[seat.slot_id].ends_at) is punish], now, punish=punish)
    for slot in due.values():
        serve(session, slot, now, held.people)
    return len(absent)


def finish(session: Session, slot_ids: Collection[int], now: datetime) -> int:
    """Close the books of slots: who still waits got none, late cancels that nobody made good are struck."""
    due = {s.id: s for s in store.lock(session, slots=slot_ids) if s.state == "running" and now >= s.ends_at}
    expire(session, due, claims(session, due, "waiting"), now)
    absent = claims(session, due, "booked")
    for punish in (True, False):
        seats = [seat for seat in absent if (due[seat.slot_id].released_at is not None) is punish]
        lose(session, due, seats, now, punish=punish)
    strike(session, _unused(session, due), now, "late_cancel")
    record_all(session, "done", now, Slot, due, after="done")
    for slot in due.values():
        slot.state = "done"
    return len(due)


def _is_due(slot: Slot, now: datetime) -> bool:
    return slot.state != "cancelled" and slot.released_at is None and now >= slot.release_at


def _unused(session: Session, slots: Collection[int]) -> list[Claim]:
    """The late cancels whose seat nobody took afterwards."""
    late = claims(session, slots, "cancelled", Booking.late, Booking.ended_at.is_not(None))
    unused = {booking.id for slot_id in {one.slot_id for one in late} for booking in _left_over(session, slot_id)}
    return [one for one in late if one.id in unused]


def _left_over(session: Session, slot_id: int) -> Sequence[Booking]:
    """Each later taking makes the earliest late cancel of a slot good.

    Who took such a seat and gave it up late again answers for it alone.
    """
    gone = [b for b in bookings(session, slot_id, "cancelled") if b.late and b.ended_at]
    seated = [*bookings(session, slot_id, "attended", "released"), *gone]
    takings = sorted((b.seated_at, b.id) for b in seated if b.seated_at)
    unused = []
    for booking in sorted(gone, key=lambda b: (b.ended_at, b.id)):
        ended, own = booking.ended_at, booking.id
        later = next((t for t in takings if ended and t[0] >= ended and t[1] != own), None)
        if later is None:
            unused.append(booking)
        else:
            takings.remove(later)
    return unused
