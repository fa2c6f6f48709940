"""At the door: check-in, standby, walk-ins, and what the clock does from start to end."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from booking.history import record
from booking.model import LIVE, Booking, Slot
from booking.notices import tell
from booking.refusals import Refused
from booking.seats.line import hold, serve
from booking.seats.moves import (
    arrive,
    bookings,
    end,
    find_booking,
    find_slot,
    leave,
    line,
    locked,
    lose,
    move,
    new,
    queue,
    strike,
)
from booking.seats.standing import at_door, door_is_open, standing


def check_in(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """The person is here. Twice is once; it wins over a release if it commits first."""
    booking = find_booking(session, booking_id)
    slot = locked(session, booking.slot_id)
    session.refresh(booking)
    if booking.state == "attended":
        return booking
    if booking.state != "booked":
        raise Refused("not_booked", state=booking.state)
    door_is_open(slot, now)
    booking.checked_in_at = now
    move(session, slot, booking, "attended", now, "checked_in", actor_id)
    return booking


def undo_check_in(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """A wrong tap. A booking is booked again; a walk-in, who had none, loses the seat."""
    booking = find_booking(session, booking_id)
    held = hold(session, {booking.slot_id}, now)
    slot = held.slots[booking.slot_id]
    session.refresh(booking)
    if booking.state != "attended":
        return booking
    if now >= slot.ends_at:
        raise Refused("over")
    booking.checked_in_at = None
    if booking.via != "door":
        move(session, slot, booking, "booked", now, "undone", actor_id)
        return booking
    slot.taken -= 1
    end(session, slot, booking, "cancelled", now, "undone", actor_id)
    serve(session, slot, now, held.people)
    return booking


def stand_by(session: Session, person_id: int, slot_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Put a person who is at the door on standby, in the order of coming; a seat free after start is theirs at once."""
    held = hold(session, {slot_id}, now, {person_id})
    slot = held.slots[slot_id]
    door_is_open(slot, now)
    who = standing(session, person_id, slot.station, slot.date, now)
    mine = who.on(slot_id)
    if no := at_door(slot, who):
        raise no
    if mine and mine.holds_seat:
        raise Refused("yours")
    if slot.free and slot.line_until <= now < slot.starts_at:
        raise Refused("seat_free")
    booking = find_booking(session, mine.id) if mine else new(slot, person_id, now, None)
    if not mine:
        slot.line_last += 1
        slot.waiting += 1
        queue(session, slot, booking, now)
    if booking.standby_at is None:
        booking.standby_at = now
        record(session, "standby", now, actor_id=actor_id or person_id, slot=slot, booking=booking)
    serve(session, slot, now, held.people)
    return booking


def walk_in(session: Session, slot_id: int, person_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """The manager seats somebody who is at the door, after those on standby; late arrivals too."""
    held = hold(session, {slot_id}, now, {person_id})
    slot = held.slots[slot_id]
    door_is_open(slot, now)
    who = standing(session, person_id, slot.station, slot.date, now)
    mine = who.on(slot_id)
    if mine and mine.holds_seat:
        raise Refused("yours")
    if no := at_door(slot, who):
        raise no
    serve(session, slot, now, held.people)
    booking = find_booking(session, mine.id) if mine else new(slot, person_id, now, None)
    if booking.state == "booked":  # the line has just given them the seat: the door opened before it ended
        booking.checked_in_at = now
        move(session, slot, booking, "attended", now, "checked_in", actor_id)
    if booking.state == "attended":
        return booking
    if slot.free == 0 or (slot.waiting and now < slot.line_until):
        raise Refused("full")
    slot.taken += 1
    arrive(session, slot, booking, now, actor_id)
    return booking


def release(session: Session, slot_id: int, now: datetime) -> int:
    """Take the seats of those who did not come, and give them to the people at the door.

    Nobody is punished for a release that comes after the slot is over: then our own clock failed.
    Returns how many seats were released.
    """
    found = find_slot(session, slot_id)
    held = hold(session, {slot_id}, now, room=found.taken)
    slot = held.slots[slot_id]
    if slot.state == "cancelled" or slot.released_at or now < slot.release_at:
        return 0
    slot.released_at = now
    absent = bookings(session, slot_id, "booked")
    for booking in absent:
        lose(session, slot, booking, now, punish=now < slot.ends_at)
    serve(session, slot, now, held.people)
    return len(absent)


def start(session: Session, slot_id: int, now: datetime) -> bool:
    """Record that the slot runs: the line ends, the seats left belong to the people at the door."""
    held = hold(session, {slot_id}, now)
    slot = held.slots[slot_id]
    if slot.state not in ("planned", "open") or now < slot.starts_at:
        return False
    record(session, "started", now, slot=slot, before=slot.state, after="running")
    slot.state = "running"
    for entry in line(session, slot):
        if entry.standby_at is None:
            slot.waiting -= 1
            end(session, slot, entry, "expired", now, "expired")
    serve(session, slot, now, held.people)
    return True


def finish(session: Session, slot_id: int, now: datetime) -> bool:
    """Close the books of a slot: who still waits got none, late cancels that nobody made good are struck."""
    slot = locked(session, slot_id)
    if slot.state != "running" or now < slot.ends_at:
        return False
    for entry in line(session, slot):
        slot.waiting -= 1
        end(session, slot, entry, "expired", now, "expired")
    for booking in bookings(session, slot_id, "booked"):
        lose(session, slot, booking, now, punish=slot.released_at is not None)
    for booking in _unused(session, slot):
        strike(session, slot, booking, now, "late_cancel")
    record(session, "done", now, slot=slot, before="running", after="done")
    slot.state = "done"
    return True


def vacate(session: Session, slot: Slot, now: datetime, reason: str, actor_id: int | None = None) -> Sequence[Booking]:
    """Empty a locked slot that is being cancelled: everybody on it is told once, nobody gets a strike."""
    everybody = bookings(session, slot.id, *LIVE)
    for booking in everybody:
        booking.checked_in_at = None
        leave(session, slot, booking, now, "slot_cancelled", actor_id)
        booking.late = False
        once = f"slot_cancelled:{slot.id}:{booking.person_id}"
        tell(session, "slot_cancelled", now, person_id=booking.person_id, slot_id=slot.id, once=once, reason=reason)
    return everybody


def _unused(session: Session, slot: Slot) -> list[Booking]:
    """The late cancels whose seat nobody took afterwards; each later taking makes the earliest one good.

    Who took such a seat and gave it up late again answers for it alone.
    """
    gone = [b for b in bookings(session, slot.id, "cancelled") if b.late and b.ended_at]
    seated = [*bookings(session, slot.id, "attended", "released"), *gone]
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
