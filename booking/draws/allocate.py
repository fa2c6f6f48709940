"""Allocate: draws frozen draws, many in one transaction: locks what they are about, and has it decided and written."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from booking.db import statements, transactions
from booking.db.arrays import is_in_array
from booking.db.statements import CompiledStatement, DriverConnection, param
from booking.db.transactions import transactional
from booking.draws import drawing, letters, outcome, public_value
from booking.draws.chain import secrets_of
from booking.draws.drawing import Sealed
from booking.draws.entry_list import live_entries
from booking.draws.freeze import lock_draws
from booking.draws.planning import SEALED_FOR
from booking.history import record
from booking.model import Booking, Draw, Slot
from booking.seats.claim import lock_people, lock_slots
from booking.seats.look import eligibilities_at
from booking.seats.snapshot import SlotSnapshot, snapshot, snapshots


def to_draw(session: Session, now: datetime) -> Sequence[int]:
    """Frozen draws whose result is due, and those that became void: too late, or without a slot or a public value.

    None is drawn while one with an earlier link of the same chain still gathers, or waits for its public value: its
    secret tells the other's. One whose slots are all cancelled waits for nothing.
    """
    earlier = aliased(Draw)
    waits = or_(earlier.state == "gathering", and_(earlier.state == "frozen", earlier.value_kind != "none"))
    gathers = exists().where(earlier.chain_id == Draw.chain_id, earlier.link_no < Draw.link_no, waits)
    its_slots = and_(Slot.station_id == Draw.station_id, Slot.date == Draw.date, Slot.draw_id == Draw.id)
    is_empty = ~exists().where(its_slots, Slot.state != "cancelled")
    due = (Draw.state == "frozen", Draw.closes_at <= now - SEALED_FOR)
    ready = select(Draw.id).where(*due, or_(and_(public_value.is_settled(now), ~gathers), is_empty))
    return session.scalars(ready.order_by(Draw.closes_at, Draw.id)).all()


@transactional
def draw(session: Session, draw_ids: Sequence[int], secret_key: str, now: datetime) -> int:
    """Draw these, each once: the seats, the waiting lists, and everything that others need to recompute it.

    Late, one is drawn as long as the waiting list can be served; after that it is void and its seats are given at the
    door. Returns how many are decided.
    """
    transactions.plan_by_index(session)
    due = lock_draws(session, draw_ids, Draw.state == "frozen", Draw.closes_at <= now - SEALED_FOR)
    slots = _slots_of(statements.wrap(session.connection()), due)
    void = [(one, why) for one in due if (why := _why_void(session, one, slots[one.id], now))]
    for one, why in void:
        _void(session, one, why, now)
    values = public_value.standing(session, [one for one in due if one.state == "frozen"], now)
    sealed = _seal(session, [one for one in due if one.id in values], values, slots, secret_key)
    return len(void) + (_draw(session, sealed, now) if sealed else 0)


def _slots_of(connection: DriverConnection, due: Sequence[Draw]) -> dict[int, list[SlotSnapshot]]:
    """The slots whose seats these draws give, by draw; those that were cancelled are out of it."""
    found: dict[int, list[SlotSnapshot]] = {one.id: [] for one in due}
    if not due:
        return found
    days = [one.date for one in due]
    about = {"stations": [one.station_id for one in due], "first": min(days), "last": max(days)}
    for row in _SLOTS.run(connection, draws=list(found), **about):
        slot = snapshot(row)
        found[slot.draw_id or 0].append(slot)
    return found


def _why_void(session: Session, one: Draw, slots: Sequence[SlotSnapshot], now: datetime) -> str | None:
    return _unfit(slots, now) or ("no_value" if public_value.is_missing(session, one, now) else None)


def _unfit(slots: Collection[SlotSnapshot], now: datetime) -> str | None:
    if not slots:
        return "cancelled"
    return "late" if now >= min(slot.waitlist_until for slot in slots) else None


def _void(session: Session, one: Draw, why: str, now: datetime) -> None:
    """Nobody loses: its slots start as they are, and their seats are given at the door."""
    one.state, one.why_void = "void", why
    session.flush()
    about: dict[str, Any] = {"station_id": one.station_id, "draw": one.id}
    record(session, "draw_void", now, reason=why, **about)
    letters.tell_void(session, one, why, now)


def _seal(
    session: Session, due: Sequence[Draw], values: Mapping[int, str], slots: Mapping[int, list[SlotSnapshot]], key: str
) -> list[Sealed]:
    secrets = secrets_of(session, due, key)
    entries = live_entries(statements.wrap(session.connection()), [one.id for one in due])
    return [
        drawing.seal(one, {slot.id: slot for slot in slots[one.id]}, entries[one.id], secrets[one.id], values[one.id])
        for one in due
    ]


def _draw(session: Session, sealed: Sequence[Sealed], now: datetime) -> int:
    """Lock, decide by what is true then, and write."""
    ready = []
    for one in _lock(session, sealed, now):
        if why := _unfit(one.slots.values(), now):
            _void(session, one.draw, why, now)
        else:
            ready.append(one)
    for together in _apart(ready):
        stations = {
            person_id: (one.draw.station_id, one.draw.station.policy) for one in together for person_id in one.people
        }
        people = eligibilities_at(statements.wrap(session.connection()), stations, now)
        outcome.write(session, [drawing.decide(one, people) for one in together], now)
        session.flush()
        session.expire_all()
    return len(sealed)


def _lock(session: Session, sealed: Sequence[Sealed], now: datetime) -> list[Sealed]:
    """Lock everybody on the lists, then the slots, and those where they wait: a seat may end their place there."""
    connection = statements.wrap(session.connection())
    people = list({person_id for one in sealed for person_id in one.people})
    lock_people(connection, people)
    beside = {row[0] for row in _BESIDE.run(connection, people=people, now=now)}
    rows = lock_slots(connection, beside.union(*(one.slots for one in sealed)))
    found = []
    for one in sealed:
        slots = [slot.now(rows[slot.id]) for slot in one.slots.values() if slot.id in rows]
        found.append(one._replace(slots={slot.id: slot for slot in slots if _is_its(slot, one.draw)}))
    return found


def _is_its(slot: SlotSnapshot, draw: Draw) -> bool:
    return slot.draw_id == draw.id and slot.state == "planned"


def _apart(sealed: Sequence[Sealed]) -> Iterator[list[Sealed]]:
    """In rounds whose draws have nobody in common, so that each is decided by what the ones before have written."""
    left = list(sealed)
    while left:
        seen: set[int] = set()
        together: list[Sealed] = []
        later: list[Sealed] = []
        for one in left:
            (later if seen.intersection(one.people) else together).append(one)
            seen.update(one.people)
        yield together
        left = later


_SLOTS = CompiledStatement(
    snapshots()
    .where(is_in_array(Slot.station_id, "stations"), Slot.date.between(param("first"), param("last")))
    .where(is_in_array(Slot.draw_id, "draws"), Slot.state != "cancelled")
    .order_by(Slot.starts_at, Slot.id)
)
_BESIDE = CompiledStatement(
    select(Booking.slot_id)
    .join(Slot, Booking.slot_id == Slot.id)
    .where(is_in_array(Booking.person_id, "people"), Booking.state == "waiting", Slot.ends_at > param("now"))
)
