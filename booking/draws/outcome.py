"""Outcome: writes what draws have decided: results, seats, waiting lists, events and letters, of many draws at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import statements
from booking.db.arrays import in_array, insert_rows, to_text, update_rows
from booking.db.statements import CompiledStatement
from booking.db.transactions import NO_SYNC
from booking.draws import letters
from booking.draws.drawing import Decided
from booking.history import record_all
from booking.model import DrawEntry, Event, Slot
from booking.seats.claim import WAITING, ClaimRow, EventKinds, claim
from booking.seats.eligibility import Entry, clashing
from booking.seats.snapshot import SlotSnapshot
from booking.seats.transitions import withdraw

DRAWN: EventKinds = (("drawn", "booked"),)
Place = tuple[int, int | None]  # a slot, and the place on its waiting list


def write(session: Session, decided: Sequence[Decided], now: datetime) -> None:
    """Of draws that have nobody in common."""
    for one in decided:
        one.draw.state, one.draw.drawn_at = "drawn", now
        one.draw.secret, one.draw.seed, one.draw.value = one.sealed.secret, one.sealed.seed, one.sealed.value or None
        one.draw.seats = {str(slot_id): number for slot_id, number in one.seats.items()}
    session.flush()
    _open(session, [slot_id for one in decided for slot_id in one.sealed.slots], now)
    _write_results(session, decided, now)
    places = _give(session, decided, now)
    letters.tell(session, [letters.Results(one.draw, len(one.results), _told(one, places)) for one in decided], now)
    _tell(session, decided, now)


def _told(one: Decided, places: dict[int, Place]) -> list[letters.Told]:
    """Who has no seat."""
    first = ((each, each.entry.wishes[0], None) for each in one.results if each.result != "seat")
    return [letters.Told(each, *places.get(each.entry.person_id, (wish, none))) for each, wish, none in first]


def _open(session: Session, slots: Sequence[int], now: datetime) -> None:
    """Open the slots: whoever comes later books what is left, or joins the waiting list behind the others."""
    record_all(session, "opened", now, Slot, slots, after="open", reason="drawn")
    opening = update(Slot).where(Slot.id.in_(in_array(slots))).values(state="open", opens_at=now)
    session.execute(opening, execution_options=NO_SYNC)


def _write_results(session: Session, decided: Sequence[Decided], now: datetime) -> None:
    rows, events = [], []
    for one in decided:
        for entry, *result, why in one.results:
            rows.append([entry.id, *result, why])
            about = [one.draw.station_id, entry.person_id, to_text(now)]
            events += [[*about, reason, {"draw": one.draw.id, "slot": int(slot)}] for slot, reason in why.items()]
    connection = statements.wrap(session.connection())
    _RESULTS.run(connection, rows=rows, ids=[row[0] for row in rows])
    if events:
        _PASSED_OVER.run(connection, rows=events)


def _give(session: Session, decided: Sequence[Decided], now: datetime) -> dict[int, Place]:
    """Write the seats, then the places on the waiting lists, each in the order of the draw; returns the first place of
    each person who waits, and its slot."""
    seats: list[ClaimRow[SlotSnapshot]] = []
    dropped: list[tuple[Entry, ...]] = []
    for one in decided:
        for drawn in one.won():
            slot, who = one.sealed.slots[drawn.got or 0], one.people[drawn.entry.person_id]
            row = ClaimRow(slot, "booked", who.person_id, now, None, DRAWN, via="draw")
            seats.append(row._replace(seated_at=now, letter="confirmed"))
            dropped.append(clashing(slot, who) if who.entries else ())
    places = [row for one in decided for row in _places(one, now)]
    connection = statements.wrap(session.connection())
    ids = claim(connection, [*seats, *places]) if seats or places else []
    for booking_id, entries in zip(ids, dropped, strict=False):
        withdraw(session, entries, now, booking_id)
    return {row.person_id: (row.slot.id, row.waitlist_position) for row in reversed(places)}


def _places(one: Decided, now: datetime) -> list[ClaimRow[SlotSnapshot]]:
    last = {slot_id: slot.waitlist_seq for slot_id, slot in one.sealed.slots.items()}
    rows = []
    for drawn, slot_id in one.waits(now):
        last[slot_id] += 1
        slot, person_id = one.sealed.slots[slot_id], drawn.entry.person_id
        row = ClaimRow(slot, "waiting", person_id, now, None, WAITING, via="draw", waitlist_position=last[slot_id])
        rows.append(row)
    return rows


def _tell(session: Session, decided: Sequence[Decided], now: datetime) -> None:
    rows: list[list[Any]] = []
    for one in decided:
        details = {"draw": one.draw.id, "entries": len(one.sealed.groups), "given": len(one.won())}
        rows.append([one.draw.station_id, to_text(now), details])
    _DRAWN.run(statements.wrap(session.connection()), rows=rows)


# The columns of an entry that the draw writes, in the order of `Drawn`.
_RESULTS = CompiledStatement(update_rows(DrawEntry, ("rank", "result", "got_slot_id", "passed_over")))
_PASSED_OVER = CompiledStatement(
    insert_rows(Event, ("station_id", "person_id", "at", "reason", "details"), kind="passed_over")
)
_DRAWN = CompiledStatement(insert_rows(Event, ("station_id", "at", "details"), kind="drawn"))
