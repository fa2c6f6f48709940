"""Slot cards: what a worker sees of a station: its days, its slots, and what booking each would answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from booking import clock, policy, seats, workdays
from booking.errors import RuleViolation
from booking.model import LIVE, Booking, Slot, Station


class Card(NamedTuple):
    """One slot as one reader sees it. `mine` is their live booking, `place` their waiting-list position (from 1).

    `refusal` is why booking would be refused; None when it would not, or for somebody not signed in. `replaces` are the
    reader's waiting-list places that a seat here would end.
    """

    slot: seats.SlotSnapshot
    state: str
    seen_at: datetime
    mine: seats.Entry | None = None
    place: int | None = None
    refusal: RuleViolation | None = None
    replaces: tuple[seats.Entry, ...] = ()

    @property
    def left(self) -> int:
        """Seats that can be booked now: while the waiting list is open, a free seat belongs to it."""
        return 0 if self.slot.waiting and self.line_open else self.slot.free

    @property
    def line_open(self) -> bool:
        """Whether a seat that becomes free still goes to the waiting list by itself."""
        return self.seen_at < self.slot.waitlist_until

    @property
    def act(self) -> str | None:
        """The one action that the card offers: "take", "wait", or None."""
        if self.refusal:
            return None
        return "take" if self.left else "wait"

    @property
    def drops(self) -> tuple[seats.Entry, ...]:
        """The waiting-list places that the card's action ends, by start."""
        return self.replaces if self.act == "take" else ()


@dataclass(frozen=True)
class DayView:
    """One day of the strip: what the calendar says, and how many slots it has."""

    day: workdays.Day
    slots: int = 0


@dataclass(frozen=True)
class Opening:
    """The next instant at which slots open: their dates, their number, their seats."""

    opens_at: datetime
    first: date
    slots: int
    seats: int


def days(session: Session, station: Station, now: datetime) -> list[DayView]:
    """Today and the coming days on which slots are shown, rest days included."""
    first = clock.at_station(now, station.zone_name).date()
    last = first + timedelta(days=policy.read(station.policy).days_ahead)
    calendar = workdays.load(session, station.id, first, last)
    found = session.execute(
        select(Slot.date, func.count(Slot.id))
        .where(Slot.station_id == station.id, Slot.date.between(first, last), Slot.state != "cancelled")
        .group_by(Slot.date)
    )
    counted: dict[date, int] = dict(iter(found))
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [DayView(calendar.day(when), counted.get(when, 0)) for when in every]


def cards(
    session: Session,
    station: Station,
    when: date,
    person_id: int | None,
    now: datetime,
    who: seats.Eligibility | None = None,
) -> list[Card]:
    """The slots of one day, in order of time, as this reader (None: nobody signed in) sees them.

    `who` is the reader's eligibility, where it is known already.
    """
    found = seats.snapshots().where(Slot.station_id == station.id, Slot.date == when).order_by(Slot.starts_at, Slot.id)
    return _as_seen(session, [seats.snapshot(row) for row in session.execute(found)], person_id, now, who)


def card(session: Session, slot_id: int, person_id: int | None, now: datetime) -> Card | None:
    """One slot as this reader sees it; None when there is no such slot."""
    found = session.execute(seats.snapshots().where(Slot.id == slot_id))
    return next(iter(_as_seen(session, [seats.snapshot(row) for row in found], person_id, now)), None)


def of_press(press: seats.BookingResult, place: int | None, now: datetime) -> Card:
    """The slot as the person sees it who has just booked, from the result of the booking without another read."""
    slot, mine = press.slot, press.booking if press.booking.state in LIVE else None
    no = RuleViolation("in_line" if place else "yours") if mine else None
    return Card(slot, slot.state_at(now), now, mine, place, no)


def place_of(session: Session | scoped_session[Any], press: seats.BookingResult) -> int | None:
    """The waiting-list position of a booking; counted only where the result does not know it."""
    return press.place or (place_in_line(session, press.booking) if press.booking.state == "waiting" else None)


def of_refusal(no: RuleViolation, now: datetime) -> Card | None:
    """The slot as a person without a booking sees it after a refusal; None when the refusal holds no snapshot."""
    if not isinstance(no.seen, seats.SlotSnapshot):
        return None
    return Card(no.seen, no.seen.state_at(now), now, refusal=no)


def next_opening(session: Session, station_id: int, now: datetime) -> Opening | None:
    """What opens next at a station."""
    # A station's slots are few, and indexed by date: ordered by opening with LIMIT 1, every station's would be read.
    coming = (
        select(Slot.opens_at, func.min(Slot.date), func.count(Slot.id), func.sum(Slot.capacity - Slot.taken))
        .where(Slot.station_id == station_id, Slot.date >= (now - timedelta(days=1)).date())
        .where(Slot.state == "planned", Slot.opens_at > now)
        .group_by(Slot.opens_at)
    )
    rows = session.execute(coming).all()
    return Opening(*min(rows)) if rows else None


def place_in_line(session: Session | scoped_session[Any], entry: Booking | seats.Entry) -> int:
    """The position of a waiting entry on its waiting list, from 1."""
    before = select(func.count(Booking.id)).where(
        Booking.slot_id == entry.slot_id,
        Booking.state == "waiting",
        Booking.waitlist_position < entry.waitlist_position,
    )
    return (session.scalar(before) or 0) + 1


def _as_seen(
    session: Session,
    slots: Sequence[seats.SlotSnapshot],
    person_id: int | None,
    now: datetime,
    who: seats.Eligibility | None = None,
) -> list[Card]:
    if person_id is None or not slots:
        return [Card(slot, slot.state_at(now), now, refusal=_for_nobody(slot, now)) for slot in slots]
    known = who or seats.eligibility(session, person_id, slots[0].station, slots[0].date, now)
    return [_card(session, slot, known, now) for slot in slots]


def _card(session: Session, slot: seats.SlotSnapshot, who: seats.Eligibility, now: datetime) -> Card:
    mine = who.on(slot.id)
    place = place_in_line(session, mine) if mine and mine.state == "waiting" else None
    no = seats.refusal(slot, who, now)
    replaces = () if no else tuple(sorted(seats.clashing(slot, who), key=lambda entry: (entry.starts_at, entry.id)))
    return Card(slot, slot.state_at(now), now, mine, place, no, replaces)


def _for_nobody(slot: seats.SlotSnapshot, now: datetime) -> RuleViolation | None:
    return seats.refusal(slot, seats.Eligibility(0, False, None, ()), now)
