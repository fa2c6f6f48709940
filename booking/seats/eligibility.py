"""Eligibility: who may book a seat: what the rules know of a person, and every reason for a refusal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ColumnElement, and_, bindparam, case, or_, select
from sqlalchemy.orm import Session

from booking import policy
from booking.errors import RuleViolation
from booking.model import HOLDING, LIVE, Activity, Booking, Person, Slot, Station
from booking.policy import Policy
from booking.seats import strike_ledger
from booking.seats.snapshot import SlotSnapshot, StationInfo

AnySlot = Slot | SlotSnapshot
# Seats of days before that count towards the limits of a city: of who came or did not, and of whom nobody checked in.
USED = (*HOLDING, "released", "unrecorded")


class CountedSlot(NamedTuple):
    """What a refusal says of a booking that counts: when, what and at which station, in both languages."""

    starts_at: datetime
    title: str = ""
    title_en: str = ""
    station: str = ""
    station_en: str = ""


class Entry(NamedTuple):
    """One booking of a person, with what the limits need to know of its slot. `words` are read where a city has limits:
    the fields of `CountedSlot`, a line each."""

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
    late: bool = False
    words: str | None = None

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

    @property
    def counts_in_city(self) -> bool:
        """Whether it counts towards the limits of a city: a seat kept for the person, even if they came late or never.
        A seat at the door would have stayed empty."""
        return self.state != "waiting" and (self.via != "door" or self.late)

    @property
    def told(self) -> CountedSlot:
        return CountedSlot(self.starts_at, *(self.words or "").split("\n"))


class Eligibility(NamedTuple):
    """What the rules need to know of one person at one station. `entries` are live; `used`, only where a city has limits,
    are the seats of the same week that are over, and those that were given up too late."""

    person_id: int
    gone: bool
    paused_until: datetime | None
    entries: tuple[Entry, ...]
    used: tuple[Entry, ...] = ()

    def on(self, slot_id: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.slot_id == slot_id), None)

    def seats_beside(self, slot: AnySlot) -> list[Entry]:
        return [e for e in self.entries if e.holds_seat and e.slot_id != slot.id]

    def counted(self, slot: AnySlot, in_same: Callable[[date, date], bool]) -> list[Entry]:
        """The seats that count in the same week or day of a city, once for each slot, by start."""
        beside = (e for e in (*self.used, *self.entries) if e.counts_in_city and e.slot_id != slot.id)
        once = {entry.slot_id: entry for entry in beside if in_same(entry.date, slot.date)}
        return sorted(once.values(), key=lambda entry: (entry.starts_at, entry.id))

    def waits(self, now: datetime) -> list[Entry]:
        """The waiting-list places that count, anywhere."""
        return [e for e in self.entries if e.state == "waiting" and not e.at_door and e.starts_at > now]


NOBODY = Eligibility(0, False, None, ())


def eligibility(
    session: Session, person_id: int, station: Station | StationInfo, since: date, now: datetime
) -> Eligibility:
    """The person's live bookings from today or from `since` on, and their pause at `station`."""
    found = session.get(Person, person_id)
    # Waiting-list places count on every station; one day more, since a station may be a day behind UTC.
    first = min(since, now.date()) - timedelta(days=1)
    monday = counts_from(station.policy, since)
    asked = {"person_id": person_id, "first": first, "monday": monday or first, "in_city": monday is not None}
    rows = session.execute(_ENTRIES, asked)
    return Eligibility(
        person_id,
        found is None or found.deleted_at is not None or found.disabled_at is not None,
        strike_ledger.paused_until(session, person_id, station.id, policy.read(station.policy), now),
        *apart([Entry._make(row) for row in rows], first),
    )


def counts_from(stored: Mapping[str, Any], day: date) -> date | None:
    """From which day on what is over counts for a seat on `day`: its Monday; None where the city has no limits."""
    return day - timedelta(days=day.weekday()) if any(map(stored.get, policy.CITY_BOUNDS)) else None


def apart(entries: Iterable[Entry], first: date) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The live bookings from `first` on, and those that only a city's limits count."""
    found: tuple[list[Entry], list[Entry]] = [], []
    for entry in entries:
        found[not (entry.state in LIVE and entry.date >= first)].append(entry)
    return tuple(found[0]), tuple(found[1])


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
    numbers = policy.read(slot.station.policy)
    that_day = [entry for entry in who.seats_beside(slot) if entry.counts_for(slot)]
    if len(that_day) >= numbers.seats_a_day:
        return RuleViolation("day_limit", limit=numbers.seats_a_day, slot_id=that_day[0].slot_id)
    return _city_full(slot, who, numbers) or _overlap(slot, who)


def _city_full(slot: AnySlot, who: Eligibility, numbers: Policy) -> RuleViolation | None:
    """The limits of a city."""
    most = numbers.city_day_seats
    if most and len(counted := who.counted(slot, _same_day)) >= most:
        return RuleViolation("city_day_limit", **_counted(slot, most, counted))
    most = numbers.city_week_seats
    if most and len(counted := who.counted(slot, _same_week)) >= most:
        return RuleViolation("week_limit", **_counted(slot, most, counted))
    return None


def _counted(slot: AnySlot, most: int, counted: Sequence[Entry]) -> dict[str, Any]:
    """The details of a refusal. `slot_id` is a seat of the same day where there is one: it can be swapped."""
    there = next((entry for entry in counted if entry.date == slot.date), counted[0])
    return {"limit": most, "slots": _told(counted), "slot_id": there.slot_id}


def _same_day(one: date, other: date) -> bool:
    return one == other


def _same_week(one: date, other: date) -> bool:
    return one.isocalendar()[:2] == other.isocalendar()[:2]


def _told(entries: Iterable[Entry]) -> tuple[CountedSlot, ...]:
    return tuple(entry.told for entry in entries)


def _overlap(slot: AnySlot, who: Eligibility) -> RuleViolation | None:
    there = next((entry for entry in who.seats_beside(slot) if entry.overlaps(slot)), None)
    return RuleViolation("overlap", slot_id=there.slot_id) if there else None


def at_door(slot: AnySlot, who: Eligibility) -> RuleViolation | None:
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
    numbers, waits = policy.read(slot.station.policy), who.waits(now)
    if len(waits) >= numbers.waiting_entries:
        return RuleViolation("waiting_limit", limit=numbers.waiting_entries)
    if places_left(slot.station, who, now):
        return None
    return RuleViolation("city_waiting_limit", limit=numbers.city_waiting_entries, slots=_told(waits))


def places_left(station: Station | StationInfo, who: Eligibility, now: datetime) -> int:
    """For how many more seats of the station the person may wait."""
    numbers = policy.read(station.policy)
    most = min(numbers.waiting_entries, numbers.city_waiting_entries or numbers.waiting_entries)
    return max(0, most - len(who.waits(now)))


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


def entry_columns(slot: type[Slot], in_city: ColumnElement[bool]) -> list[Any]:
    """The columns of an `Entry`, with `slot` or an alias of it; the words only where a city has limits."""
    about = (slot.id, slot.station_id, slot.date, slot.starts_at, slot.ends_at)
    own = (Booking.state, Booking.via, Booking.standby_at, Booking.seated_at, Booking.waitlist_position, Booking.late)
    names = Activity.title + "\n" + Activity.title_en + "\n" + Station.name + "\n" + Station.name_en
    theirs = select(names).where(Activity.id == slot.activity_id, Station.id == slot.station_id).correlate(slot)
    return [Booking.id, *about, *own, case((in_city, theirs.scalar_subquery()))]


def counts(first: Any, monday: Any, in_city: ColumnElement[bool]) -> ColumnElement[bool]:
    """Condition: a booking that is live from `first` on or, where a city has limits, counts there from `monday` on."""
    late = and_(Booking.state == "cancelled", Booking.late)
    used = and_(in_city, or_(Booking.state.in_(USED), late), Slot.date >= monday)
    return or_(and_(Booking.state.in_(LIVE), Slot.date >= first), used)


_in_city: Any = bindparam("in_city", type_=Boolean())
_ENTRIES = (
    select(*entry_columns(Slot, _in_city))
    .join(Slot, Booking.slot_id == Slot.id)
    .where(Booking.person_id == bindparam("person_id"), counts(bindparam("first"), bindparam("monday"), _in_city))
)
