"""Booking: book a seat or a place on the waiting list, and cancel it.

Idempotency: the same `key`, or a second attempt at the same slot, returns the first booking and changes nothing.
Bookings that come at the same time are decided and written together, in the order of their arrival (`db/batch`); those
that change other bookings of their person, or collide with something, are decided alone.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, scoped_session

from booking import clock
from booking.db import pool, statements, transactions
from booking.db.batch import DEFERRED, Deferred, EngineQueues
from booking.db.transactions import retried
from booking.enqueue import enqueue, is_invited
from booking.errors import RuleViolation
from booking.model import Booking
from booking.seats import claim as claims
from booking.seats.claim import BOOKED, WAITING, ClaimRow
from booking.seats.eligibility import Entry, clashing, refusal
from booking.seats.look import Asked, Look, look
from booking.seats.snapshot import OWN, SlotSnapshot
from booking.seats.transitions import can_undo, find_booking, leave, withdraw
from booking.seats.undo import replaced_by, undo_press
from booking.seats.waitlist import fill_free_seats, lock_slots

# Why a booking in one of these states cannot be cancelled.
ENDED = {"attended": "here_already", "released": "lost_already", "expired": "line_over"}

log = logging.getLogger(__name__)


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


class Pressed(NamedTuple):
    """What became of a booking that was asked for: what was seen, and the result or the refusal.

    Neither: nothing was done, since the database was in the way, or the person did something else meanwhile. Without
    `seen` there is no such slot, person or sign-in.
    """

    seen: Look | None
    result: BookingResult | None = None
    refusal: RuleViolation | None = None


def book(
    session: Session | scoped_session[Any], person_id: int, slot_id: int, now: datetime, key: str | None = None
) -> BookingResult:
    """`book_in_transaction` in a transaction of its own, together with all who book now; one retry after a transient
    database error. Not for use within a transaction."""
    session.rollback()  # what it has read before is outdated afterwards
    pressed = press(session.get_bind().engine, Asked(slot_id, now, key, person_id, ahead=clock.Offset.ahead))
    if pressed.refusal:
        raise pressed.refusal
    return pressed.result or book_single(session, person_id, slot_id, now, key)


def book_single(
    session: Session | scoped_session[Any], person_id: int, slot_id: int, now: datetime, key: str | None = None
) -> BookingResult:
    """The same, without the others."""
    return transactions.run_with_retry(
        session, lambda writing: book_in_transaction(writing, person_id, slot_id, now, key)
    )


def press(engine: Engine, asked: Asked) -> Pressed:
    """Decide this booking together with all who book now in this process. Needs no session."""
    return _presses.ask(engine, asked)


def book_in_transaction(
    session: Session, person_id: int, slot_id: int, now: datetime, key: str | None = None
) -> BookingResult:
    """Give the person a seat, or the next place on the waiting list when the slot is full.

    A second attempt, or the same `key` again, returns the same booking and changes nothing.
    """
    transactions.plan_by_index(session)
    transactions.lock(session, people={person_id})
    connection = statements.wrap(session.connection())
    done = _book_locked(session, connection, person_id, slot_id, now, key)
    session.flush()
    session.expire_all()
    return done


@retried
def give_up(
    session: Session, booking_id: int, now: datetime, actor_id: int | None = None, *, swapped_for: int | None = None
) -> Booking:
    """Cancel a seat or a place on the waiting list; the seat is offered on in the same transaction.

    Within the undo window the booking is reverted completely: the places that it had replaced come back. Who was invited
    by letter is sent the cancellation for the calendar. The history names the slot that it is `swapped_for`.
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
    details = {"swapped_for": swapped_for} if swapped_for else {}
    if can_undo(booking, now):
        undo_press(session, held, booking, replaced, now, details)
    else:
        leave(session, slot, booking, now, "given_up", actor_id or booking.person_id, **details)
    if had_seat and is_invited(session, booking):
        enqueue(session, "booking_cancelled", now, person_id=booking.person_id, slot_id=slot.id, booking_id=booking.id)
    fill_free_seats(session, slot, now, held.people)
    return booking


def _book_batch(engine: Engine, batch: Sequence[Asked]) -> list[Pressed | Deferred]:
    """Decide these bookings in their order: look, ask the rules, lock, ask them again, write.

    Then those who are decided alone, since other bookings of theirs change. When a batch cannot be written nothing was
    done, and each is left to its own thread: a row that fails harms nobody else.
    """
    seen = pool.read(engine, lambda connection: look(connection, batch))
    batch = [asked.by_the_offset() for asked in batch]  # as measured by this look
    answers: list[Pressed | Deferred | None] = [_without_writing(*pair) for pair in zip(batch, seen, strict=True)]
    _defer(batch, seen, answers)
    open_ = {n: its for n, its in enumerate(seen) if its and answers[n] is None}
    single = {n: its for n, its in enumerate(seen) if its and _is_undecided(answers[n])}
    for n, answer in (_written(engine, batch, open_) if open_ else {}).items():
        answers[n] = answer
    for n, its in single.items():
        answers[n] = _single(engine, batch[n], its)
    return [answer or DEFERRED for answer in answers]


_presses = EngineQueues(_book_batch)


def _is_undecided(answer: Pressed | Deferred | None) -> bool:
    return isinstance(answer, Pressed) and answer.result is None and answer.refusal is None


def _single(engine: Engine, asked: Asked, seen: Look) -> Pressed:
    try:
        with Session(engine) as session, transactions.transaction(session) as writing:
            person_id = seen.who.person_id
            return Pressed(seen, book_in_transaction(writing, person_id, asked.slot_id, asked.now, asked.key))
    except RuleViolation as no:
        return Pressed(seen, refusal=no)
    except Exception:  # noqa: BLE001 - the others are written; it is tried again in its own thread, which says what is wrong
        return Pressed(seen)


def _written(engine: Engine, batch: Sequence[Asked], open_: dict[int, Look]) -> dict[int, Pressed]:
    try:
        with pool.connection(engine) as connection, transactions.on_connection(connection):
            return _write(connection, batch, open_)
    except DBAPIError as error:
        log.warning("a batch of %s was not written: %s", len(open_), type(error.orig).__name__)
        return {n: Pressed(its) for n, its in open_.items()}


def _without_writing(asked: Asked, seen: Look | None) -> Pressed | None:
    """The answer to who is refused, or has booked before, or is left to be decided alone; None for all others."""
    if seen is None:
        return Pressed(None)
    if no := check(seen, asked.now):
        return Pressed(seen, refusal=no)
    mine = seen.who.on(asked.slot_id)
    if mine and refusal(seen.run, seen.who, asked.now):
        return Pressed(seen, BookingResult(seen.run, mine, again=True))
    return Pressed(seen) if mine or seen.pressed_before or clashing(seen.run, seen.who) else None


def _defer(batch: Sequence[Asked], seen: Sequence[Look | None], answers: list[Pressed | Deferred | None]) -> None:
    """Leave to the next batch what a person asks for after something that is open, and who is behind at its slot.

    Who is decided alone comes after the batch, so those behind at the same slot wait for the next one too.
    """
    people: set[int] = set()
    slots: set[int] = set()
    for n, (asked, its) in enumerate(zip(batch, seen, strict=True)):
        if its is None:
            continue
        person_id, alone = its.who.person_id, _is_undecided(answers[n])
        is_open = alone or answers[n] is None
        if person_id in people or (is_open and asked.slot_id in slots):
            answers[n], alone = DEFERRED, True
        if alone:
            slots.add(asked.slot_id)
        if is_open:
            people.add(person_id)


def _write(
    connection: statements.DriverConnection, batch: Sequence[Asked], open_: dict[int, Look]
) -> dict[int, Pressed]:
    """Lock, decide by what is true now, and write. Within a transaction."""
    people = {its.who.person_id for its in open_.values()}
    locked = claims.lock(connection, people, {batch[n].slot_id for n in open_})
    slots: dict[int, SlotSnapshot] = {}
    answers: dict[int, Pressed] = {}
    taken: dict[int, ClaimRow[SlotSnapshot]] = {}
    for n, before in open_.items():
        asked, person_id = batch[n], before.who.person_id
        run = slots.get(asked.slot_id) or before.run.now(locked.slots[asked.slot_id])
        its = before._replace(run=run)
        if locked.versions.get(person_id) != its.version + 1:
            answers[n] = Pressed(its)  # did something else since the look
        elif no := check(its, asked.now):
            answers[n] = Pressed(its, refusal=no)
        else:
            taken[n] = _claimed(run, person_id, asked.now, asked.key)
            run = taken[n].slot
        slots[asked.slot_id] = run
    ids = claims.claim(connection, list(taken.values())) if taken else []
    made = {n: Pressed(open_[n], _made(one, its)) for (n, one), its in zip(taken.items(), ids, strict=True)}
    return answers | made


def _claimed(
    run: SlotSnapshot, person_id: int, now: datetime, key: str | None, mine: Entry | None = None
) -> ClaimRow[SlotSnapshot]:
    """A seat, or the next place on the waiting list, in the slot that counts it. `mine` is the place held so far."""
    if run.free and (not run.waiting or now >= run.waitlist_until):
        run = run.counting(run.capacity, run.taken + 1, run.waiting - bool(mine), run.waitlist_seq)
        row = ClaimRow(run, "booked", person_id, now, person_id, BOOKED, mine, key, seated_at=now, letter="confirmed")
        return row._replace(waitlist_position=mine.waitlist_position) if mine else row
    run = run.counting(run.capacity, run.taken, run.waiting + 1, run.waitlist_seq + 1)
    return ClaimRow(run, "waiting", person_id, now, person_id, WAITING, key=key, waitlist_position=run.waitlist_seq)


def _made(one: ClaimRow[SlotSnapshot], booking_id: int, withdrawn: tuple[Entry, ...] = ()) -> BookingResult:
    run, standby_at = one.slot, one.booking.standby_at if one.booking else None
    about = (booking_id, run.id, run.station_id, run.date, run.starts_at, run.ends_at, one.state, one.via)
    return BookingResult(run, Entry(*about, standby_at, one.seated_at, one.waitlist_position), withdrawn=withdrawn)


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


def _book_locked(
    session: Session,
    connection: statements.DriverConnection,
    person_id: int,
    slot_id: int,
    now: datetime,
    key: str | None,
) -> BookingResult:
    """Book for a locked person, whatever else of theirs this changes."""
    (seen,) = look(connection, [Asked(slot_id, now, key, person_id)])
    if seen is None:
        raise RuleViolation("no_such_slot")
    if no := check(seen, now):
        raise no
    mine = seen.who.on(slot_id)
    if mine and refusal(seen.run, seen.who, now):
        return BookingResult(seen.run, mine, again=True)
    if earlier := _pressed_before(session, person_id, slot_id, key):
        return BookingResult(seen.run, _entry(earlier, seen.run), again=True)
    dropped = clashing(seen.run, seen.who)
    locked = transactions.lock(session, slots={slot_id, *(entry.slot_id for entry in dropped)})
    slot = next(slot for slot in locked if slot.id == slot_id)
    run = seen.run.now([getattr(slot, column.key) for column in OWN])
    if no := refusal(run, seen.who, now):
        raise no
    row = _claimed(run, person_id, now, key, mine)
    (booking_id,) = claims.claim(connection, [row])
    dropped = dropped if row.state == "booked" else ()
    withdraw(session, dropped, now, booking_id)
    return _made(row, booking_id, dropped)


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
