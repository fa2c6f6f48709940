"""Check-in: arrivals, tickets, standby and walk-ins; and emptying a slot that is cancelled."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.db.transactions import retried, transactional
from booking.enqueue import undo_window
from booking.errors import RuleViolation
from booking.history import record
from booking.model import HOLDING, LIVE, Booking, Slot, Strike
from booking.seats import strike_ledger
from booking.seats.bulk_transitions import call_off, tell_called_off
from booking.seats.claim import STANDBY, ClaimRow, change, claim_in
from booking.seats.day_totals import count_days_of
from booking.seats.eligibility import Entry, at_door, door_is_open, eligibility, too_many_places
from booking.seats.late_checkin import is_late_arrival, miss_again, released, seat_at_door
from booking.seats.transitions import (
    delete_ratings,
    end,
    find_booking,
    find_slot,
    leave,
    live_booking,
    locked,
)
from booking.seats.waitlist import fill_free_seats, lock_slots


@transactional
def check_in(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Check the person in; idempotent. Wins over a release if it commits first, or while a seat is free."""
    booking = find_booking(session, booking_id)
    if booking.state == "released":
        return _let_in(session, booking.slot_id, booking.person_id, now, actor_id)
    slot = locked(session, booking.slot_id)
    session.refresh(booking)
    if booking.state == "attended":
        return booking
    if booking.state == "released":  # released while we waited for the lock: the retry handles it as a late check-in
        raise RuleViolation("busy")
    if booking.state != "booked":
        raise RuleViolation("not_booked", state=booking.state)
    door_is_open(slot, now)
    claim_in(session, [change(slot, booking, "attended", now, "checked_in", actor_id)])
    count_days_of(session, [slot])
    return booking


@transactional
def admit(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Check in a person who has a seat; seat one without a seat while one is free; put everybody else on standby.

    The ticket of a cancelled booking is accepted for the booking that the person now has instead.
    """
    booking = find_booking(session, booking_id)
    booking = live_booking(session, booking.slot_id, booking.person_id) or booking
    if booking.state in ("booked", "attended"):
        return check_in.inside(session, booking.id, now, actor_id)
    return seat_or_standby.inside(session, booking.slot_id, booking.person_id, now, actor_id)


@transactional
def seat_or_standby(
    session: Session, slot_id: int, person_id: int, now: datetime, actor_id: int | None = None
) -> Booking:
    """Seat a person who has arrived without a seat, where one is free for whoever comes first; else put them on standby."""
    slot = find_slot(session, slot_id)
    if slot.free and now >= slot.first_come_from:
        return walk_in.inside(session, slot_id, person_id, now, actor_id)
    return stand_by.inside(session, person_id, slot_id, now, actor_id)


@transactional
def undo_check_in(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Undo a mistaken check-in. A booking is booked or released again; a walk-in, who had none, loses the seat."""
    booking = find_booking(session, booking_id)
    held = lock_slots(session, {booking.slot_id}, now)
    slot = held.slots[booking.slot_id]
    session.refresh(booking)
    if booking.state != "attended":
        return booking
    if now >= slot.ends_at:
        raise RuleViolation("over")
    if booking.via != "door":
        claim_in(session, [change(slot, booking, "booked", now, "undone", actor_id)])
    elif is_late_arrival(booking):
        miss_again(session, slot, booking, now, actor_id)
    else:
        booking.checked_in_at = None
        slot.taken -= 1
        end(session, slot, booking, "cancelled", now, "undone", actor_id)
    delete_ratings(session, [booking.id])
    if booking.state != "booked":
        fill_free_seats(session, slot, now, held.people)
    count_days_of(session, [slot])
    return booking


@retried
def stand_by(
    session: Session, person_id: int, slot_id: int, now: datetime, actor_id: int | None = None, *, seen: bool = True
) -> Booking:
    """Put a person who has arrived on standby, in order of arrival; after the start a free seat is theirs at once.

    `seen`: by a manager, or with the code of the door. Raises `not_seen` where a person whose seat was released only says
    so: their strike would be taken back.
    """
    held = lock_slots(session, {slot_id}, now, {person_id})
    slot = held.slots[slot_id]
    door_is_open(slot, now)
    who = eligibility(session, person_id, slot.station, slot.date, now)
    mine = who.on(slot_id)
    if no := at_door(slot, who) or _no_standby(slot, mine, now):
        raise no
    if not seen and released(session, slot, {person_id}):
        raise RuleViolation("not_seen")
    if slot.released_at:  # for those who have been on standby longer
        fill_free_seats(session, slot, now, held.people)
    booking, who_did = mine and find_booking(session, mine.id), actor_id or person_id
    if slot.free and released(session, slot, {person_id}):
        return seat_at_door(session, slot, {person_id: booking}, now, who_did)[0]
    if booking is None:
        place = slot.waitlist_seq + 1
        row = ClaimRow(slot, "waiting", person_id, now, who_did, STANDBY, via="door", waitlist_position=place)
        (booking,) = claim_in(session, [row._replace(standby_at=now)])
    elif booking.standby_at is None:
        booking.standby_at = now
        record(session, "standby", now, actor_id=who_did, slot=slot, booking=booking)
    fill_free_seats(session, slot, now, held.people)
    return live_booking(session, slot_id, person_id) or booking


def _no_standby(slot: Slot, mine: Entry | None, now: datetime) -> RuleViolation | None:
    if mine and mine.holds_seat:
        return RuleViolation("yours")
    is_bookable = slot.free and slot.first_come_from <= now < slot.starts_at
    return RuleViolation("seat_free") if is_bookable else None


@transactional
def undo_stand_by(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Undo a mistaken arrival on standby: who waited before is at their old place again, who did not leaves. Idempotent.

    Raises `over`, and `waiting_limit` where other places on waiting lists were taken since.
    """
    booking = find_booking(session, booking_id)
    slot = lock_slots(session, {booking.slot_id}, now, {booking.person_id}).slots[booking.slot_id]
    session.refresh(booking)
    if booking.state != "waiting" or booking.standby_at is None:
        return booking
    if now >= slot.ends_at:
        raise RuleViolation("over")
    if booking.standby_at == booking.created_at:
        leave(session, slot, booking, now, "standby_undone", actor_id)
        return booking
    who = eligibility(session, booking.person_id, slot.station, slot.date, now)
    if now < slot.starts_at and (no := too_many_places(slot, who, now)):
        raise no
    booking.standby_at = None
    record(session, "standby_undone", now, actor_id=actor_id, slot=slot, booking=booking)
    return booking


@transactional
def walk_in(session: Session, slot_id: int, person_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Seat a person who has arrived without a booking, after those on standby; also for late arrivals."""
    return _let_in(session, slot_id, person_id, now, actor_id, only_once=True)


def _let_in(
    session: Session, slot_id: int, person_id: int, now: datetime, actor_id: int | None, *, only_once: bool = False
) -> Booking:
    """Seat a person who has arrived: in their own seat, the lost one, or a new one; `only_once` refuses a second."""
    held = lock_slots(session, {slot_id}, now, {person_id})
    slot = held.slots[slot_id]
    door_is_open(slot, now)
    who = eligibility(session, person_id, slot.station, slot.date, now)
    mine = who.on(slot_id)
    if mine and mine.state == "attended" and only_once:
        raise RuleViolation("yours")
    if no := at_door(slot, who):
        raise no
    fill_free_seats(session, slot, now, held.people)
    booking = live_booking(session, slot_id, person_id)
    # On the list, or just promoted: check-in opened before the waiting list closed.
    if booking and booking.state == "booked":
        claim_in(session, [change(slot, booking, "attended", now, "checked_in", actor_id)])
    if booking and booking.state == "attended":
        return booking
    if slot.free == 0 or (slot.waiting and now < slot.waitlist_until):
        raise RuleViolation("full")
    seated = seat_at_door(session, slot, {person_id: booking}, now, actor_id)[0]
    count_days_of(session, [slot])
    return seated


def vacate(
    session: Session, slots: Sequence[Slot], now: datetime, reason: str, actor_id: int | None = None
) -> Sequence[Booking]:
    """Empty locked slots that are being cancelled: everybody on them is told once, nobody gets a strike.

    Those whose seats were released before are told as well, and their strikes are forgiven with the reason. A constant
    number of statements: a station that closes has hundreds of people on its slots.
    """
    held = {slot.id: slot for slot in slots}
    here = select(Booking).where(Booking.slot_id.in_(in_array(held)), Booking.state.in_((*LIVE, "released")))
    everybody = _read(session, here)
    came = [booking.id for booking in everybody if booking.state == "attended"]
    for booking in everybody:
        held[booking.slot_id].waiting -= booking.state == "waiting"
        held[booking.slot_id].taken -= booking.state in HOLDING
    call_off(session, everybody, now, actor_id)
    told = {(one.slot_id, one.person_id): one for one in everybody}  # who was released may be on standby as well
    for wait in {undo_window(slot, now) for slot in slots}:
        theirs = [one.id for one in told.values() if undo_window(held[one.slot_id], now) == wait]
        tell_called_off(session, theirs, reason, now, wait)
    strike_ledger.forgive(session, Strike.slot_id.in_(in_array(held)), now, actor_id, reason)
    delete_ratings(session, came)
    return _read(session, select(Booking).where(Booking.id.in_(in_array({one.id for one in everybody}))))


def _read(session: Session, wanted: Select[Booking]) -> Sequence[Booking]:
    return session.scalars(wanted.order_by(Booking.id).execution_options(populate_existing=True)).all()
