"""Read for booking: what the rules need of slots and of people, for all bookings of a batch at once.

Three compiled statements, however many ask: the slots, the people, and what they have booked. Nothing is locked.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from time import monotonic
from typing import NamedTuple

from sqlalchemy import Boolean, func, or_, select
from sqlalchemy.orm import Session

from booking import clock, policy
from booking.db import clock_offset, statements
from booking.db.arrays import is_in_array, unnest_param
from booking.db.clock_offset import DatabaseNow
from booking.db.statements import CompiledStatement, DriverConnection, Row, param
from booking.model import SIGNED_IN, Booking, Person, SignedIn, SignIn, Slot
from booking.seats import strike_ledger
from booking.seats.eligibility import Eligibility, Entry, apart, counts, counts_from, entry_columns
from booking.seats.snapshot import SlotSnapshot, snapshot, snapshots

# As long as any strike can count: the longest window that a policy allows plus the longest pause.
STRIKES_COUNT = timedelta(days=policy.BOUNDS["strike_days"][1] + policy.BOUNDS["pause_days"][1])


class Asked(NamedTuple):
    """A booking that is asked for, by a person's id or by the hash of a sign-in token.

    `ahead` is the clock offset that `now` was read with; None for an instant that is given.
    """

    slot_id: int
    now: datetime
    key: str | None = None
    person_id: int | None = None
    token_hash: str | None = None
    ahead: timedelta | None = None

    def by_the_offset(self) -> "Asked":
        """The same by the clock offset that has been measured since."""
        if self.ahead is None or self.ahead == clock.Offset.ahead:
            return self
        return self._replace(now=self.now - self.ahead + clock.Offset.ahead, ahead=clock.Offset.ahead)


class Look(NamedTuple):
    """A slot and a person at one instant. `version` is the optimistic lock: a write requires it to be unchanged.

    `signed_in` is the person's sign-in, where it was asked by a token.
    """

    run: SlotSnapshot
    who: Eligibility
    version: int
    pressed_before: bool
    signed_in: SignedIn | None


def look(connection: DriverConnection, asked: Sequence[Asked]) -> list[Look | None]:
    """What the rules need, in the order of `asked`. None where there is no such slot, person or valid sign-in."""
    slots = {row[0]: snapshot(row) for row in _SLOTS.run(connection, slots=list({one.slot_id for one in asked}))}
    rows = [
        [n, one.person_id, one.token_hash, slots[one.slot_id].station_id, one.key]
        for n, one in enumerate(asked)
        if one.slot_id in slots
    ]
    if not rows:
        return [None] * len(asked)
    now = max(one.now for one in asked)
    host, began = clock.on_this_host(), monotonic()
    found = _PEOPLE.run(connection, asked=rows, now=now, since=now - STRIKES_COUNT)
    if found and clock.Offset.is_followed:
        clock_offset.observe(found[0][-1], host, monotonic() - began)
    people = {row[0]: row[1:-1] for row in found}
    mondays = [counts_from(slot.station.policy, slot.date) for slot in slots.values()]
    entries = _entries(connection, {row[1] for row in people.values()}, now, min(filter(None, mondays), default=None))
    return [
        _seen(slots[one.slot_id], people[n], entries[people[n][1]], one.now) if n in people else None
        for n, one in enumerate(asked)
    ]


def eligibilities(session: Session, slot_id: int, people: Collection[int], now: datetime) -> dict[int, Eligibility]:
    """The same of people at a slot that has not ended, by their ids, in a session's transaction."""
    session.flush()
    asked = [Asked(slot_id, now, person_id=person_id) for person_id in people]
    seen = look(statements.wrap(session.connection()), asked) if asked else []
    return {its.who.person_id: its.who for its in seen if its}


def _entries(
    connection: DriverConnection, people: Collection[int], now: datetime, monday: date | None
) -> dict[int, tuple[tuple[Entry, ...], ...]]:
    """Each person's live bookings of today and later; one day more, since a station may be a day behind UTC.

    Then, where a city has limits, what they have used since `monday`.
    """
    found: dict[int, tuple[Entry, ...]] = dict.fromkeys(people, ())
    first = now.date() - timedelta(days=1)
    asked = {"people": list(people), "first": first, "monday": monday or first, "in_city": monday is not None}
    for row in _ENTRIES.run(connection, **asked):
        found[row[0]] += (Entry._make(row[1:]),)
    return {person: apart(entries, first) if monday else (entries,) for person, entries in found.items()}


def _seen(slot: SlotSnapshot, person: Row, entries: tuple[tuple[Entry, ...], ...], now: datetime) -> Look:
    """Build a `Look` from the columns of `_PEOPLE`."""
    signed_in = SignedIn(*person[: len(SIGNED_IN)])
    version, gone, strikes, before = person[len(SIGNED_IN) :]
    until = strike_ledger.pause_in(strikes, policy.read(slot.station.policy), now) if strikes else None
    who = Eligibility(signed_in.person_id, bool(gone), until, *entries)
    return Look(slot, who, version, before is not None, signed_in if signed_in.sign_in_id else None)


_SLOTS = CompiledStatement(snapshots().where(is_in_array(Slot.id, "slots")))
_asked = unnest_param("asked")
_number, _person, _station = (_asked[n].as_integer() for n in (0, 1, 3))
_token, _key = (_asked[n].as_string() for n in (2, 4))
_PEOPLE = CompiledStatement(
    select(
        _number,
        *SIGNED_IN,
        Person.version,
        or_(Person.deleted_at.is_not(None), Person.disabled_at.is_not(None)),
        strike_ledger.in_one_column(Person.id, _station, param("since")),
        select(Booking.id)
        .correlate(Person, _asked.table)
        .where(Booking.person_id == Person.id, Booking.key == _key)
        .scalar_subquery(),
        DatabaseNow(),
    )
    .select_from(_asked.table)
    .outerjoin(SignIn, SignIn.token_hash == _token)
    .join(Person, Person.id == func.coalesce(_person, SignIn.person_id))
    .where(or_(_person.is_not(None), SignIn.lets_in(param("now"))))
)
_in_city = param("in_city", Boolean())
_ENTRIES = CompiledStatement(
    select(Booking.person_id, *entry_columns(Slot, _in_city))
    .join(Slot, Booking.slot_id == Slot.id)
    .where(is_in_array(Booking.person_id, "people"), counts(param("first"), param("monday"), _in_city))
)
