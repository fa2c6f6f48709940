"""Booking: book a seat or a place on the waiting list, and cancel it.

Idempotency: the same `key`, or a second attempt at the same slot, returns the first booking and changes nothing. The
common case is two statements under an optimistic lock; everything else locks the rows first.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, scoped_session

from booking import swift
from booking.db import transactions
from booking.db.transactions import retried
from booking.enqueue import enqueue, is_invited
from booking.errors import RuleViolation
from booking.model import Booking, Slot
from booking.seats.eligibility import Entry, clashing, refusal
from booking.seats.look import Look, look
from booking.seats.snapshot import SlotSnapshot
from booking.seats.transitions import can_undo, find_booking, leave, new, queue, sit, withdraw
from booking.seats.undo import replaced_by, undo_press
from booking.seats.waitlist import fill_free_seats, lock_slots
from booking.seats.writing import Claimed, claim_place, claim_seat

# How often a booking is tried again when other people take the seats and places that it saw.
ROUNDS = 5
# Why a booking in one of these states cannot be cancelled.
ENDED = {"attended": "here_already", "released": "lost_already", "expired": "line_over"}


class BookingResult(NamedTuple):
    """The result of a booking: the slot as it is now, the person's booking of it, whether it existed already
    (`again`), and the waiting-list places that it replaced."""

    slot: SlotSnapshot
    booking: Entry
    again: bool = False
    withdrawn: tuple[Entry, ...] = ()

    @property
    def place(self) -> int | None:
        """The last position of the waiting list, which a new entry has; None otherwise."""
        return self.slot.waiting if self.booking.state == "waiting" and not self.again else None


def book(
    session: Session | scoped_session[Any],
    person_id: int,
    slot_id: int,
    now: datetime,
    key: str | None = None,
    seen: Look | None = None,
) -> BookingResult:
    """`book_in_transaction` in a transaction of its own: two statements in the common case, and one retry after a
    transient database error.

    `seen` is a `Look` that the caller has just made and checked. Not for use within a transaction.
    """
    session.rollback()  # what it has read before is outdated afterwards
    try:
        with transactions.autocommit_connection(session) as line:
            done = _press(line, person_id, slot_id, now, key, seen)
    except DBAPIError as error:
        if not transactions.is_transient(error):
            raise
        done = None
    return done or transactions.run_with_retry(
        session, lambda writing: book_in_transaction(writing, person_id, slot_id, now, key)
    )


def book_in_transaction(
    session: Session, person_id: int, slot_id: int, now: datetime, key: str | None = None
) -> BookingResult:
    """Give the person a seat, or the next place on the waiting list when the slot is full.

    A second attempt, or the same `key` again, returns the same booking and changes nothing.
    """
    transactions.lock(session, people={person_id})
    line = swift.on(session.connection())
    done = _press(line, person_id, slot_id, now, key) or _book_locked(session, line, person_id, slot_id, now, key)
    session.expire_all()
    return done


@retried
def give_up(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Cancel a seat or a place on the waiting list; the seat is offered on in the same transaction.

    Within the undo window the booking is reverted completely: the places that it had replaced come back. Who was invited
    by letter is sent the cancellation for the calendar.
    """
    booking = find_booking(session, booking_id)
    replaced = replaced_by(session, booking) if can_undo(booking, now) else ()
    held = lock_slots(session, {booking.slot_id, *(entry.slot_id for entry in replaced)}, now, {booking.person_id})
    slot = held.slots[booking.slot_id]
    session.refresh(booking)
    if booking.state == "cancelled":
        return booking
    if booking.state not in ("booked", "waiting"):
        raise RuleViolation(ENDED.get(booking.state, "not_live"))
    if now >= slot.starts_at and booking.state == "booked":
        raise RuleViolation("started_yours")
    had_seat = booking.seated_at is not None  # also before it was moved down
    if can_undo(booking, now):
        undo_press(session, held, booking, replaced, now)
    else:
        leave(session, slot, booking, now, "given_up", actor_id or booking.person_id)
    if had_seat and is_invited(session, booking):
        enqueue(session, "booking_cancelled", now, person_id=booking.person_id, slot_id=slot.id, booking_id=booking.id)
    fill_free_seats(session, slot, now, held.people)
    return booking


def _press(
    line: swift.Line, person_id: int, slot_id: int, now: datetime, key: str | None, first: Look | None = None
) -> BookingResult | None:
    """Book for somebody whose other bookings this does not change; None for everybody else.

    `first` is a `Look` made and checked a moment ago.
    """
    for _round in range(ROUNDS):
        seen, first = first or _checked(look(line, person_id, slot_id, now, key), now), None
        mine = seen.who.on(slot_id)
        if mine and refusal(seen.run, seen.who, now):
            return BookingResult(seen.run, mine, again=True)
        if mine or seen.pressed_before or clashing(seen.run, seen.who):
            return None
        free = seen.run.free and (not seen.run.waiting or now >= seen.run.waitlist_until)
        # Another person may be faster between the read and the claim: then read again and answer by what is true now.
        if claimed := (claim_seat if free else claim_place)(line, seen, now, key):
            return _pressed(seen, claimed, now, seated=bool(free))
    raise RuleViolation("busy")


def check(seen: Look, now: datetime) -> RuleViolation | None:
    """The refusal for somebody without a booking here; None for all others. Not raised: thousands ask at once."""
    if seen.run.station.closed_at:
        return RuleViolation("no_such_slot")
    if seen.pressed_before:
        return None
    no, mine = refusal(seen.run, seen.who, now), seen.who.on(seen.run.id)
    if no is None or (mine and no.reason in ("yours", "in_line")):
        return None
    no.seen = None if mine else seen.run
    return no


def _checked(seen: Look | None, now: datetime) -> Look:
    """The same `Look`, if the rules allow the booking. Raises the refusal otherwise."""
    if seen is None:
        raise RuleViolation("no_such_slot")
    if no := check(seen, now):
        raise no
    return seen


def _pressed(seen: Look, claimed: Claimed, now: datetime, *, seated: bool) -> BookingResult:
    run = seen.run.counting(claimed.capacity, claimed.taken, claimed.waiting, claimed.waitlist_seq)
    about = (claimed.booking_id, run.id, run.station_id, run.date, run.starts_at, run.ends_at)
    if seated:
        return BookingResult(run, Entry(*about, "booked", "tap", seated_at=now))
    return BookingResult(run, Entry(*about, "waiting", "tap", waitlist_position=claimed.waitlist_seq))


def _book_locked(
    session: Session, line: swift.Line, person_id: int, slot_id: int, now: datetime, key: str | None
) -> BookingResult:
    """Book for a locked person who used this key before, or whose places on waiting lists it changes."""
    seen = _checked(look(line, person_id, slot_id, now, key), now)
    if earlier := _pressed_before(session, person_id, slot_id, key):
        return BookingResult(seen.run, _entry(earlier, seen.run), again=True)
    dropped, mine = clashing(seen.run, seen.who), seen.who.on(slot_id)
    locked = transactions.lock(session, slots={slot_id, *(entry.slot_id for entry in dropped)})
    slot = next(slot for slot in locked if slot.id == slot_id)
    if no := refusal(slot, seen.who, now):
        raise no
    booking = find_booking(session, mine.id) if mine else new(slot, person_id, now, key)
    if slot.free and (not slot.waiting or now >= slot.waitlist_until):
        _sit_down(session, slot, booking, now, dropped)
    else:
        dropped = ()
        slot.waiting, slot.waitlist_seq = slot.waiting + 1, slot.waitlist_seq + 1
        queue(session, slot, booking, now)
    run = seen.run.counting(slot.capacity, slot.taken, slot.waiting, slot.waitlist_seq)
    return BookingResult(run, _entry(booking, run), withdrawn=dropped)


def _sit_down(session: Session, slot: Slot, booking: Booking, now: datetime, dropped: tuple[Entry, ...]) -> None:
    slot.taken += 1
    booking.via = "tap"
    sit(session, slot, booking, now, "booked", booking.person_id)
    withdraw(session, slot, dropped, now, booking)
    enqueue(session, "confirmed", now, person_id=booking.person_id, slot_id=slot.id, booking_id=booking.id)
    session.flush()


def _pressed_before(session: Session, person_id: int, slot_id: int, key: str | None) -> Booking | None:
    if not key:
        return None
    earlier = session.scalar(select(Booking).where(Booking.person_id == person_id, Booking.key == key))
    if earlier and earlier.slot_id != slot_id:
        raise RuleViolation("key_reused")
    return earlier


def _entry(booking: Booking, run: SlotSnapshot) -> Entry:
    about = (booking.id, run.id, run.station_id, run.date, run.starts_at, run.ends_at, booking.state, booking.via)
    return Entry(*about, booking.standby_at, booking.seated_at, booking.waitlist_position)
