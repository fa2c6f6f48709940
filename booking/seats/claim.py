"""Claim: the writer of a seat: locks people and slots, then inserts bookings with their counters, events and letters.

A few statements for any number of claims, the same on both databases, within a transaction that the caller has begun.
Deciding belongs between the two steps: what `lock` returns stays true until the end of the transaction.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from booking.db.arrays import insert_rows, is_in_array, to_text, unnest_param
from booking.db.statements import CompiledStatement, DriverConnection, Row
from booking.model import Booking, Event, Letter, Person, Slot
from booking.seats.snapshot import OWN, SlotSnapshot


class NewBooking(NamedTuple):
    """A seat (`booked`) or a place on the waiting list (`waiting`) for one person. `slot` counts it already."""

    slot: SlotSnapshot
    state: str
    person_id: int
    now: datetime
    key: str | None

    @property
    def seated_at(self) -> datetime | None:
        return self.now if self.state == "booked" else None

    @property
    def waitlist_position(self) -> int | None:
        return self.slot.waitlist_seq if self.state == "waiting" else None


class Locked(NamedTuple):
    """Each locked person's `version`, increased by this lock, and each locked slot's columns (`snapshot.OWN`), by id."""

    versions: dict[int, int]
    slots: dict[int, Row]


def lock(connection: DriverConnection, people: Collection[int], slots: Collection[int]) -> Locked:
    """Lock people by id, then slots by id: the lock order of `transactions`."""
    versions = _PEOPLE.run(connection, people=list(people))
    return Locked(dict(versions), {row[0]: row for row in _SLOTS.run(connection, slots=list(slots))})


def claim(connection: DriverConnection, claims: Sequence[NewBooking]) -> list[int]:
    """Write these claims of locked people in locked slots, one for each person. Returns the ids of the bookings."""
    counts = _counts(claims)
    _COUNT.run(connection, counts=counts, slots=[slot_id for slot_id, *_ in counts])
    made = {row[0]: row[1] for row in _BOOKINGS.run(connection, rows=[_booking(one) for one in claims])}
    ids = [made[one.person_id] for one in claims]
    pairs = list(zip(claims, ids, strict=True))
    _EVENTS.run(connection, rows=[_event(one, booking_id) for one, booking_id in pairs])
    if letters := [_letter(one, booking_id) for one, booking_id in pairs if one.state == "booked"]:
        _LETTERS.run(connection, rows=letters)
    return ids


def _counts(claims: Sequence[NewBooking]) -> list[tuple[int, int, int]]:
    """Slot, new seats and new waiting-list places, once for each slot: an UPDATE joins each of its rows only once."""
    by_state = Counter((one.slot.id, one.state) for one in claims)
    slots = dict.fromkeys(one.slot.id for one in claims)
    return [(slot_id, by_state[slot_id, "booked"], by_state[slot_id, "waiting"]) for slot_id in slots]


def _booking(one: NewBooking) -> list[object]:
    about = [one.slot.id, one.slot.station_id, one.person_id, one.state, one.waitlist_position, one.key]
    return [*about, secrets.token_urlsafe(16), to_text(one.now), to_text(one.seated_at)]


def _event(one: NewBooking, booking_id: int) -> list[object]:
    about = [one.slot.station_id, one.slot.id, one.slot.plan_id, booking_id, one.person_id, one.person_id]
    return [*about, to_text(one.now), one.state, one.state]


def _letter(one: NewBooking, booking_id: int) -> list[object]:
    now = to_text(one.now)
    return [one.person_id, one.slot.id, booking_id, secrets.token_hex(16), now, now]


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
_COUNT = CompiledStatement(
    update(Slot)
    .where(Slot.id == _counted[0].as_integer(), is_in_array(Slot.id, "slots"))
    .values(taken=Slot.taken + _seats, waiting=Slot.waiting + _places, waitlist_seq=Slot.waitlist_seq + _places)
)
_BOOKINGS = CompiledStatement(
    insert_rows(
        Booking,
        (
            "slot_id",
            "station_id",
            "person_id",
            "state",
            "waitlist_position",
            "key",
            "ticket",
            "created_at",
            "seated_at",
        ),
    ).returning(Booking.person_id, Booking.id)
)
_EVENTS = CompiledStatement(
    insert_rows(
        Event,
        ("station_id", "slot_id", "plan_id", "booking_id", "person_id", "actor_id", "at", "kind", "after"),
        details={},
    )
)
_LETTERS = CompiledStatement(
    insert_rows(
        Letter,
        ("person_id", "slot_id", "booking_id", "message_id", "created_at", "next_try_at"),
        kind="confirmed",
        details={},
    )
)
