"""My bookings: a person's own seats, waiting-list places, past and strikes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, not_, select
from sqlalchemy.orm import Session, joinedload

from booking import policy
from booking.model import HOLDING, Booking, Slot, Station, Strike
from booking.queries.deduplicate import one_a_person
from booking.queries.missed_slots import SINCE, in_vain
from booking.queries.slot_cards import place_in_line
from booking.seats import strike_ledger


@dataclass(frozen=True)
class WaitingPlace:
    """A waiting-list place: never shown as a booking."""

    booking: Booking
    place: int


@dataclass(frozen=True)
class LedgerStrike:
    """One strike; it stops counting at `expires_at`."""

    strike: Strike
    expires_at: datetime
    counts: bool


@dataclass(frozen=True)
class Ledger:
    """A person's strikes at one station, newest first, and the pause that they bring."""

    station: Station
    marks: list[LedgerStrike]
    counting: int
    paused_until: datetime | None


def seats_ahead(session: Session, person_id: int, now: datetime) -> Sequence[Booking]:
    """Seats of slots that are not over, soonest first."""
    held = _bookings(person_id).where(Booking.state.in_(HOLDING), Slot.ends_at > now, Slot.state != "done")
    return session.scalars(held.order_by(Slot.starts_at, Slot.id)).all()


def places_ahead(session: Session, person_id: int, now: datetime) -> list[WaitingPlace]:
    """Waiting-list places of slots that are not over, soonest first."""
    waits = _bookings(person_id).where(Booking.state == "waiting", Slot.ends_at > now)
    entries = session.scalars(waits.order_by(Slot.starts_at, Slot.id)).all()
    return [WaitingPlace(entry, place_in_line(session, entry)) for entry in entries]


def past(session: Session, person_id: int, now: datetime, limit: int = 30) -> Sequence[Booking]:
    """Bookings that are over or have ended, newest first, one for each slot; without what `misses` explains."""
    gone = _bookings(person_id).where((Slot.ends_at <= now) | Booking.ended_at.is_not(None))
    gone = gone.where(not_(and_(in_vain(), Slot.date >= (now - SINCE).date())))
    return one_a_person(session.scalars(gone.order_by(Slot.starts_at.desc(), Booking.id.desc()).limit(limit)))


def strike_ledgers(session: Session, person_id: int, now: datetime) -> list[Ledger]:
    """The person's strikes of the last year, by station."""
    found = session.scalars(
        select(Strike)
        .where(Strike.person_id == person_id, Strike.at > now - timedelta(days=366))
        .options(joinedload(Strike.slot).joinedload(Slot.station), joinedload(Strike.slot).joinedload(Slot.activity))
        .order_by(Strike.at.desc(), Strike.id.desc())
    ).all()
    stations = {strike.station_id: strike.slot.station for strike in found}
    return [
        _ledger(session, person_id, st, [s for s in found if s.station_id == st.id], now) for st in stations.values()
    ]


def by_ticket(session: Session, station_id: int, ticket: str) -> Booking | None:
    """The booking of a scanned ticket, at this station only."""
    return session.scalar(select(Booking).where(Booking.ticket == ticket, Booking.station_id == station_id))


def _bookings(person_id: int) -> Select[Booking]:
    slot = joinedload(Booking.slot)
    load = (slot.joinedload(Slot.activity), slot.joinedload(Slot.zone), slot.joinedload(Slot.station))
    return select(Booking).join(Booking.slot).where(Booking.person_id == person_id).options(*load)


def _ledger(session: Session, person_id: int, station: Station, strikes: list[Strike], now: datetime) -> Ledger:
    numbers = policy.read(station.policy)
    marks = [_mark(strike, strike.at + numbers.strike_window, now) for strike in strikes]
    paused = strike_ledger.paused_until(session, person_id, station.id, numbers, now)
    return Ledger(station, marks, sum(mark.counts for mark in marks), paused)


def _mark(strike: Strike, expires_at: datetime, now: datetime) -> LedgerStrike:
    return LedgerStrike(strike, expires_at, strike.forgiven_at is None and expires_at > now)
