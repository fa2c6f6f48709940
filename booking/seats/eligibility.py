"""Eligibility: who may book a seat: what the rules know of a person, and every reason for a refusal."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from booking import policy
from booking.errors import RuleViolation
from booking.model import HOLDING, LIVE, Booking, Person, Slot, Station
from booking.seats import strike_ledger
from booking.seats.snapshot import SlotSnapshot, StationInfo

AnySlot = Slot | SlotSnapshot


class Entry(NamedTuple):
    """One live booking of a person, with what the limits need to know of its slot."""

    id: int
    slot_id: int
    station_id: int
    date: date
    starts_at: datetime
    ends_at: datetime
    state: str
    via: str
    standby_at: datetime | None = None
    seated_at: datetime | None = None
    waitlist_position: int | None = None

    @property
    def at_door(self) -> bool:
        return self.standby_at is not None

    @property
    def holds_seat(self) -> bool:
        return self.state in HOLDING

    def overlaps(self, slot: AnySlot) -> bool:
        return self.starts_at < slot.ends_at and slot.starts_at < self.ends_at

    def counts_for(self, slot: AnySlot) -> bool:
        """Whether it counts towards the person's daily limit of seats at that station."""
        return (self.station_id, self.date) == (slot.station_id, slot.date) and self.via != "door"


class Eligibility(NamedTuple):
    """What the rules need to know of one person at one station."""

    person_id: int
    gone: bool
    paused_until: datetime | None
    entries: tuple[Entry, ...]

    def on(self, slot_id: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.slot_id == slot_id), None)

    def seats_beside(self, slot: AnySlot) -> list[Entry]:
        return [e for e in self.entries if e.holds_seat and e.slot_id != slot.id]


NOBODY = Eligibility(0, False, None, ())


def eligibility(
    session: Session, person_id: int, station: Station | StationInfo, since: date, now: datetime
) -> Eligibility:
    """The person's live bookings from today or from `since` on, and their pause at `station`."""
    found = session.get(Person, person_id)
    # Waiting-list places count on every station; one day more, since a station may be a day behind UTC.
    first = min(since, now.date()) - timedelta(days=1)
    rows = session.execute(_ENTRIES, {"person_id": person_id, "first": first})
    return Eligibility(
        person_id,
        found is None or found.deleted_at is not None or found.disabled_at is not None,
        strike_ledger.paused_until(session, person_id, station.id, policy.read(station.policy), now),
        tuple(Entry._make(row) for row in rows),
    )


def refusal(slot: AnySlot, who: Eligibility, now: datetime) -> RuleViolation | None:
    """Why booking `slot` would be refused, or None. Disables the button, and is checked again inside the lock."""
    return _closed(slot, now) or _already(slot, who, now) or personal(slot, who) or _no_room(slot, who, now)


def _closed(slot: AnySlot, now: datetime) -> RuleViolation | None:
    if slot.state == "cancelled":
        return RuleViolation("cancelled", why=slot.cancel_reason)
    if now < slot.opens_at:
        return RuleViolation("not_open", opens_at=slot.opens_at)
    if now >= slot.ends_at:
        return RuleViolation("over")
    return RuleViolation("started") if now >= slot.starts_at else None


def _already(slot: AnySlot, who: Eligibility, now: datetime) -> RuleViolation | None:
    mine = who.on(slot.id)
    if mine is None:
        return None
    if mine.holds_seat:
        return RuleViolation("yours")
    first_tap_takes_it = now >= slot.waitlist_until and slot.free > 0
    return None if first_tap_takes_it else RuleViolation("in_line")


def personal(slot: AnySlot, who: Eligibility) -> RuleViolation | None:
    """What keeps this person from any seat of the slot, by booking or by promotion."""
    if who.gone:
        return RuleViolation("gone")
    if who.paused_until:
        return RuleViolation("paused", until=who.paused_until)
    limit = policy.read(slot.station.policy).seats_a_day
    that_day = [entry for entry in who.seats_beside(slot) if entry.counts_for(slot)]
    if len(that_day) >= limit:
        return RuleViolation("day_limit", limit=limit, slot_id=that_day[0].slot_id)
    return _overlap(slot, who)


def _overlap(slot: AnySlot, who: Eligibility) -> RuleViolation | None:
    there = next((entry for entry in who.seats_beside(slot) if entry.overlaps(slot)), None)
    return RuleViolation("overlap", slot_id=there.slot_id) if there else None


def at_door(slot: Slot, who: Eligibility) -> RuleViolation | None:
    """At check-in only the impossible is refused: the seat would stay empty otherwise."""
    return RuleViolation("gone") if who.gone else _overlap(slot, who)


def _no_room(slot: AnySlot, who: Eligibility, now: datetime) -> RuleViolation | None:
    in_line_phase = now < slot.waitlist_until
    if slot.free and not (slot.waiting and in_line_phase):
        return None
    if not in_line_phase:
        return RuleViolation("line_closed")
    return too_many_places(slot, who, now)


def too_many_places(slot: AnySlot, who: Eligibility, now: datetime) -> RuleViolation | None:
    if places_left(slot.station, who, now):
        return None
    return RuleViolation("waiting_limit", limit=policy.read(slot.station.policy).waiting_entries)


def places_left(station: Station | StationInfo, who: Eligibility, now: datetime) -> int:
    """For how many more seats of the station the person may wait."""
    waits = sum(entry.state == "waiting" and not entry.at_door and entry.starts_at > now for entry in who.entries)
    return max(0, policy.read(station.policy).waiting_entries - waits)


def door_is_open(slot: Slot, now: datetime) -> None:
    if slot.state == "cancelled":
        raise RuleViolation("cancelled", why=slot.cancel_reason)
    if now < slot.checkin_from:
        raise RuleViolation("too_early", opens_at=slot.checkin_from)
    if now >= slot.ends_at:
        raise RuleViolation("over")


def clashing(slot: AnySlot, who: Eligibility) -> tuple[Entry, ...]:
    """The person's waiting-list places that end when they get a seat in `slot`."""
    limit = policy.read(slot.station.policy).seats_a_day
    full_day = 1 + sum(entry.counts_for(slot) for entry in who.seats_beside(slot)) >= limit
    waits = [entry for entry in who.entries if entry.state == "waiting" and entry.slot_id != slot.id]
    return tuple(entry for entry in waits if entry.overlaps(slot) or (full_day and entry.counts_for(slot)))


def entry_columns(slot: type[Slot]) -> list[Any]:
    """The columns of an `Entry`, with `slot` or an alias of it."""
    about = (slot.id, slot.station_id, slot.date, slot.starts_at, slot.ends_at)
    own = (Booking.state, Booking.via, Booking.standby_at, Booking.seated_at, Booking.waitlist_position)
    return [Booking.id, *about, *own]


_ENTRIES = (
    select(*entry_columns(Slot))
    .join(Slot, Booking.slot_id == Slot.id)
    .where(Booking.person_id == bindparam("person_id"), Booking.state.in_(LIVE), Slot.date >= bindparam("first"))
)
