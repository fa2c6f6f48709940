"""Claim: inserts a new booking under an optimistic lock, with its counter, its event and its letter.

PostgreSQL does it in one statement, which is a transaction of its own; SQLite takes four in one transaction. Both begin
by updating the person's row where `version` is unchanged (the lock order of `transactions`): if somebody locked it
since the read, nothing is written.
"""

import secrets
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, FromClause, Insert, Update, and_, insert, literal, or_, select, true, update
from sqlalchemy.sql.elements import KeyedColumnElement

from booking.db import transactions
from booking.model import Base, Booking, Event, Letter, Person, Slot
from booking.seats.look import Look
from booking.swift import Line, Statement, defaults, given


class Claimed(NamedTuple):
    """The slot's counters after the claim, and the id of the new booking."""

    capacity: int
    taken: int
    waiting: int
    waitlist_seq: int
    booking_id: int


COUNTERS = (Slot.capacity, Slot.taken, Slot.waiting, Slot.waitlist_seq)

bookable = and_(
    or_(Slot.state == "planned", Slot.state == "open"),
    Slot.opens_at <= given("now"),
    Slot.starts_at > given("now"),
    # The rules were checked with these times.
    Slot.starts_at == given("starts"),
    Slot.ends_at == given("ends"),
)
has_room = and_(Slot.taken < Slot.capacity, or_(Slot.waiting == 0, Slot.waitlist_until <= given("now")))
is_full = and_(Slot.waitlist_until > given("now"), or_(Slot.taken >= Slot.capacity, Slot.waiting > 0))


def claim_seat(line: Line, seen: Look, now: datetime, key: str | None) -> Claimed | None:
    """Take one seat; None when that is not possible (any more)."""
    return _SEAT.claim(line, _values(seen, now, key))


def claim_place(line: Line, seen: Look, now: datetime, key: str | None) -> Claimed | None:
    """Take the last place of the waiting list; None when that is not possible (any more)."""
    return _PLACE.claim(line, _values(seen, now, key))


def _values(seen: Look, now: datetime, key: str | None) -> dict[str, Any]:
    run = seen.run
    about = {
        "slot": run.id,
        "station": run.station_id,
        "plan": run.plan_id,
        "starts": run.starts_at,
        "ends": run.ends_at,
    }
    secret = {"ticket": secrets.token_urlsafe(16), "message": secrets.token_hex(16)}
    return {
        "person": seen.who.person_id,
        "version": seen.version,
        "now": now,
        "key": key,
        "details": {},
        **about,
        **secret,
    }


class _Claim:
    """The statements of a claim, compiled once. `letter` is the kind of letter that goes with it, or empty."""

    def __init__(self, room: ColumnElement[bool], counts: dict[str, Any], booking: dict[str, Any], letter: str) -> None:
        wanted = update(Slot).where(Slot.id == given("slot"), bookable, room).values(counts).returning(*COUNTERS)
        rows = [
            _row(Booking, BOOKING | booking),
            _row(Event, EVENT | {"kind": booking["state"], "after": booking["state"]}),
        ]
        rows += [_row(Letter, LETTER | {"kind": letter})] if letter else []
        self._fused = _fused(wanted, rows)
        self._claim = Statement(wanted)
        self._booking = Statement(insert(Booking).values(rows[0].values).returning(Booking.id))
        self._papers = [Statement(insert(row.table).values(row.values)) for row in rows[1:]]

    def claim(self, line: Line, values: dict[str, Any]) -> Claimed | None:
        if line.fuses:
            return next((Claimed(*row) for row in self._fused.run(line, **values)), None)
        with transactions.sqlite_write(line):
            return self._in_steps(line, values)

    def _in_steps(self, line: Line, values: dict[str, Any]) -> Claimed | None:
        if not _GUARD.run(line, **values):
            return None
        for counted in self._claim.run(line, **values):
            values |= {"waitlist_position": counted[-1]}
            booking_id = self._booking.run(line, **values)[0][0]
            for paper in self._papers:
                paper.run(line, **values, booking=booking_id)
            return Claimed(counted[0], counted[1], counted[2], counted[3], booking_id)
        return None


class _Row(NamedTuple):
    table: type[Base]
    values: dict[str, Any]


def _row(table: type[Base], values: dict[str, Any]) -> _Row:
    """A row to insert: these values, and the defaults of the other columns."""
    columns = table.__table__.c
    typed = {name: _typed(value, columns[name]) for name, value in {**defaults(table), **values}.items()}
    return _Row(table, typed)


def _typed(value: Any, column: KeyedColumnElement[Any]) -> ColumnElement[Any]:
    return given(value.key, column.type) if isinstance(value, _Given) else literal(value, column.type)


class _Given(NamedTuple):
    """A value that the caller binds by this name."""

    key: str


def _guard() -> Update:
    mine = update(Person).where(Person.id == given("person"), Person.version == given("version"))
    return mine.values(version=Person.version + 1)


def _fused(wanted: Update, rows: list[_Row]) -> Statement:
    guard = _guard().returning(Person.id).cte("guard")
    claim = wanted.where(guard.c.id == given("person")).cte("claim")
    made = _after(claim, rows[0], {"waitlist_position": claim.c.waitlist_seq}).returning(Booking.id).cte("made")
    papers = [_after(made, row, {"booking": made.c.id}).cte(row.table.__tablename__ + "_row") for row in rows[1:]]
    columns = [claim.c[column.key] for column in COUNTERS]
    return Statement(select(*columns, made.c.id).join_from(claim, made, true()).add_cte(*papers))


def _after(source: CTE, row: _Row, known: dict[str, Any]) -> Insert:
    """Insert the row if `source` has one; `known` are the values that only the database knows."""
    values = {name: known.get(getattr(value, "key", ""), value) for name, value in row.values.items()}
    chosen: FromClause = source
    return insert(row.table).from_select(
        list(values), select(*values.values()).select_from(chosen), include_defaults=False
    )


_GUARD = Statement(_guard().returning(Person.id))
BOOKING: dict[str, Any] = {
    "slot_id": _Given("slot"),
    "station_id": _Given("station"),
    "person_id": _Given("person"),
    "key": _Given("key"),
    "ticket": _Given("ticket"),
    "created_at": _Given("now"),
}
EVENT: dict[str, Any] = {
    "at": _Given("now"),
    "station_id": _Given("station"),
    "slot_id": _Given("slot"),
    "plan_id": _Given("plan"),
    "booking_id": _Given("booking"),
    "person_id": _Given("person"),
    "actor_id": _Given("person"),
    "details": _Given("details"),
}
LETTER: dict[str, Any] = {
    "person_id": _Given("person"),
    "slot_id": _Given("slot"),
    "booking_id": _Given("booking"),
    "details": _Given("details"),
    "message_id": _Given("message"),
    "created_at": _Given("now"),
    "next_try_at": _Given("now"),
}


def _seat(room: ColumnElement[bool] = has_room) -> _Claim:
    return _Claim(room, {"taken": Slot.taken + 1}, {"state": "booked", "seated_at": _Given("now")}, "confirmed")


_SEAT = _seat()
_PLACE = _Claim(
    is_full,
    {"waiting": Slot.waiting + 1, "waitlist_seq": Slot.waitlist_seq + 1},
    {"state": "waiting", "waitlist_position": _Given("waitlist_position")},
    "",
)
