"""Claim: the only writer of a seat: locks people and slots, then writes bookings with counters, events and letters.

A few statements for any number of rows, the same on both databases, within a transaction that the caller has begun.
Deciding belongs between the two steps: what `lock` returns stays true until the end of the transaction. What ends a seat
is in `transitions` and `bulk_transitions`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import null, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from booking import identifiers
from booking.db import statements
from booking.db.arrays import insert_rows, is_in_array, to_text, unnest_param, update_rows
from booking.db.statements import CompiledStatement, DriverConnection, Row
from booking.model import HOLDING, Booking, Event, Letter, Person, Slot
from booking.seats.eligibility import Entry
from booking.seats.snapshot import OWN, SlotSnapshot

S = TypeVar("S", Slot, SlotSnapshot)

# The events of a booking in their order: each kind, and the state after it if it changes the state.
EventKinds = tuple[tuple[str, str | None], ...]
BOOKED: EventKinds = (("booked", "booked"),)
RESERVED: EventKinds = (("reserved", "booked"),)
WAITING: EventKinds = (("waiting", "waiting"),)
STANDBY: EventKinds = (*WAITING, ("standby", None))
ARRIVED: EventKinds = (("walked_in", "booked"), ("checked_in", "attended"))

# The columns of a booking that say why it has no seat: empty after a claim.
ENDED = ("ended_at", "end_reason", "skipped")


class ClaimRow(NamedTuple, Generic[S]):
    """A seat (`booked`, `attended`) or a place on the waiting list (`waiting`) of a locked slot, for one person.

    `booking` is the one that changes, as it was before; None makes a new one. The columns from `via` on are what it has
    afterwards; an existing one keeps its `key` and `standby_at`.
    """

    slot: S
    state: str
    person_id: int
    now: datetime
    actor_id: int | None
    events: EventKinds
    booking: Booking | Entry | None = None
    key: str | None = None
    via: str = "tap"
    seated_at: datetime | None = None
    waitlist_position: int | None = None
    standby_at: datetime | None = None
    checked_in_at: datetime | None = None
    late: bool = False
    letter: str | None = None
    wait: timedelta = timedelta(0)
    details: dict[str, Any] | None = None

    @property
    def before(self) -> str | None:
        return self.booking.state if self.booking else None


AnyRow = ClaimRow[Slot] | ClaimRow[SlotSnapshot]


class Locked(NamedTuple):
    """Each locked person's `version`, increased by this lock, and each locked slot's columns (`snapshot.OWN`), by id."""

    versions: dict[int, int]
    slots: dict[int, Row]


def lock(connection: DriverConnection, people: Collection[int], slots: Collection[int]) -> Locked:
    """Lock people by id, then slots by id: the lock order of `transactions`."""
    versions = lock_people(connection, people)
    return Locked(versions, lock_slots(connection, slots))


def lock_people(connection: DriverConnection, people: Collection[int]) -> dict[int, int]:
    """Lock people by id; returns the `version` of each."""
    return dict(_PEOPLE.run(connection, people=list(people)))


def lock_slots(connection: DriverConnection, slots: Collection[int]) -> dict[int, Row]:
    """Lock slots by id, after their people; returns the columns (`snapshot.OWN`) of each."""
    return {row[0]: row for row in _SLOTS.run(connection, slots=list(slots))}


def change(
    slot: Slot, booking: Booking, state: str, now: datetime, kind: str, actor_id: int | None = None, **columns: Any
) -> ClaimRow[Slot]:
    """The row that brings an existing booking into that state. Its other columns stay, but for these `columns`."""
    kept = {name: getattr(booking, name) for name in ("via", "seated_at", "waitlist_position")}
    kept["checked_in_at"] = now if state == "attended" else None
    return ClaimRow(slot, state, booking.person_id, now, actor_id, ((kind, state),), booking, **{**kept, **columns})


def claim_in(session: Session, rows: Sequence[ClaimRow[Slot]]) -> list[Booking]:
    """Claim in the transaction of a session, whose objects are up to date afterwards. Returns the bookings."""
    if not rows:
        return []
    session.flush()
    ids = claim(statements.wrap(session.connection()), rows)
    for one in rows:
        session.expire(one.slot, ["taken", "waiting", "waitlist_seq"])
        if one.booking:
            for name in (*_CHANGE, *ENDED):
                set_committed_value(one.booking, name, getattr(one, name, None))
    return [session.get_one(Booking, booking_id) for booking_id in ids]


def claim(connection: DriverConnection, rows: Sequence[AnyRow]) -> list[int]:
    """Write these rows of locked people in locked slots, one for each person and slot. Returns the ids of the bookings."""
    new = [one for one in rows if one.booking is None]
    changed = [one for one in rows if one.booking is not None]
    narrow = not changed and all(one.via == "tap" for one in new)
    made = _insert(connection, new) if new else {}
    if changed:
        _update(connection, changed)
    pairs = [(one, one.booking.id if one.booking else made[one.slot.id, one.person_id]) for one in rows]
    events = [row for one, booking_id in pairs for row in _events(one, booking_id, narrow=narrow)]
    (_EVENTS if narrow else _WIDE_EVENTS).run(connection, rows=events)
    for kind in sorted({one.letter for one in rows if one.letter}):
        _LETTERS[kind].run(connection, rows=[_letter(*pair) for pair in pairs if pair[0].letter == kind])
    return [booking_id for _, booking_id in pairs]


def _insert(connection: DriverConnection, new: Sequence[AnyRow]) -> dict[tuple[int, int], int]:
    """Returns the ids of the bookings by slot and person."""
    counts = _counts(new)
    _COUNT.run(connection, counts=counts, slots=[slot_id for slot_id, *_ in counts])
    rows, statement = [_booking(one) for one in new], _BOOKINGS
    if any(one.via != "tap" for one in new):
        more = [[one.via, to_text(one.standby_at), to_text(one.checked_in_at)] for one in new]
        rows, statement = [row + m for row, m in zip(rows, more, strict=True)], _WIDE_BOOKINGS
    made = statement.run(connection, rows=rows)
    return {(slot_id, person_id): booking_id for slot_id, person_id, booking_id in made}


def _update(connection: DriverConnection, changed: Sequence[AnyRow]) -> None:
    if counts := [row for row in _counts(changed) if any(row[1:])]:
        _RECOUNT.run(connection, counts=counts, slots=[slot_id for slot_id, *_ in counts])
    rows = [_changed(one) for one in changed]
    _CHANGED.run(connection, rows=rows, ids=[row[0] for row in rows])


def _counts(rows: Sequence[AnyRow]) -> list[tuple[int, int, int]]:
    """Slot, more seats and more waiting-list places, once for each slot: an UPDATE joins each of its rows only once."""
    seats, places = Counter[int](), Counter[int]()
    for one in rows:
        before = one.before
        seats[one.slot.id] += (one.state in HOLDING) - (before in HOLDING)
        places[one.slot.id] += (one.state == "waiting") - (before == "waiting")
    return [(slot_id, seats[slot_id], places[slot_id]) for slot_id in seats]


def _booking(one: AnyRow) -> list[object]:
    about = [one.slot.id, one.slot.station_id, one.person_id, one.state, one.waitlist_position, one.key]
    return [*about, identifiers.ticket(one.now), to_text(one.now), to_text(one.seated_at)]


def _changed(one: AnyRow) -> list[object]:
    times = (to_text(one.seated_at), to_text(one.checked_in_at))
    return [one.booking and one.booking.id, one.state, one.via, one.waitlist_position, *times, one.late]


def _events(one: AnyRow, booking_id: int, *, narrow: bool) -> Iterator[list[object]]:
    about = [one.slot.station_id, one.slot.id, one.slot.plan_id, booking_id, one.person_id, one.actor_id]
    before = one.before
    for kind, after in one.events:
        row: list[object] = [*about, to_text(one.now), kind, after]
        yield row if narrow else [*row, before if after else None, one.details or {}]
        before = after or before


def _letter(one: AnyRow, booking_id: int) -> list[object]:
    now = to_text(one.now)
    due = to_text(one.now + one.wait) if one.wait else now
    return [one.person_id, one.slot.id, booking_id, identifiers.message_id(one.now), now, due]


# Sorted and locked before the UPDATE sees them, under whatever plan: two batches cannot deadlock.
_wanted = (
    select(Person.id)
    .where(is_in_array(Person.id, "people"))
    .order_by(Person.id)
    .with_for_update(key_share=True)
    .subquery("wanted")
)
_PEOPLE = CompiledStatement(
    update(Person)
    .where(Person.id == _wanted.c.id, is_in_array(Person.id, "people"))
    .values(version=Person.version + 1)
    .returning(Person.id, Person.version)
)
_SLOTS = CompiledStatement(
    select(*OWN).where(is_in_array(Slot.id, "slots")).order_by(Slot.id).with_for_update(key_share=True)
)
_counted = unnest_param("counts")
_seats, _places = (_counted[n].as_integer() for n in (1, 2))
_counters = {"taken": Slot.taken + _seats, "waiting": Slot.waiting + _places}
_slots = update(Slot).where(Slot.id == _counted[0].as_integer(), is_in_array(Slot.id, "slots"))
_COUNT = CompiledStatement(_slots.values(**_counters, waitlist_seq=Slot.waitlist_seq + _places))
_RECOUNT = CompiledStatement(_slots.values(**_counters))
_BOOKING = (
    "slot_id",
    "station_id",
    "person_id",
    "state",
    "waitlist_position",
    "key",
    "ticket",
    "created_at",
    "seated_at",
)
_CHANGE = ("state", "via", "waitlist_position", "seated_at", "checked_in_at", "late")
_EVENT = ("station_id", "slot_id", "plan_id", "booking_id", "person_id", "actor_id", "at", "kind", "after")
_LETTER = ("person_id", "slot_id", "booking_id", "message_id", "created_at", "next_try_at")
# A press writes fewer columns, when thousands come at once: the others have their default.
_BOOKINGS, _WIDE_BOOKINGS = (
    CompiledStatement(
        insert_rows(Booking, (*_BOOKING, *more)).returning(Booking.slot_id, Booking.person_id, Booking.id)
    )
    for more in ((), ("via", "standby_at", "checked_in_at"))
)
_CHANGED = CompiledStatement(update_rows(Booking, _CHANGE, **dict.fromkeys(ENDED, null())))
_EVENTS = CompiledStatement(insert_rows(Event, _EVENT, details={}))
_WIDE_EVENTS = CompiledStatement(insert_rows(Event, (*_EVENT, "before", "details")))
_LETTERS = {
    kind: CompiledStatement(insert_rows(Letter, _LETTER, kind=kind, details={}))
    for kind in ("confirmed", "moved_down", "promoted")
}
