"""Missed slots: what a person tried for and did not get, each with the one reason that is true."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, union
from sqlalchemy.orm import Session, joinedload

from booking.model import LIVE, Booking, Event, Slot, Try

SINCE = timedelta(days=30)
# Reasons about the slot: for these it is shown how fast it was full, and how many people wanted it.
GONE = ("not_reached", "line_closed", "full")


@dataclass(frozen=True)
class Demand:
    """How fast a slot filled up: when it was full (None: never seen full), and how many people wanted it."""

    full_at: datetime | None
    wanted: int


@dataclass(frozen=True)
class Miss:
    """One slot that a person tried for and missed. `until` and `most` belong to the reason; `rush` to those in GONE."""

    slot: Slot
    at: datetime
    reason: str
    until: datetime | None = None
    most: int | None = None
    rush: Demand | None = None


def misses(session: Session, person_id: int, now: datetime, limit: int = 10) -> list[Miss]:
    """One for each slot, newest slot first. A slot where the person did have a seat is left out."""
    found = {miss.slot.id: miss for miss in sorted(_all(session, person_id, now), key=lambda miss: miss.at)}
    for slot_id in _had(session, person_id, found):
        del found[slot_id]
    newest = sorted(found.values(), key=lambda miss: (miss.slot.starts_at, miss.slot.id), reverse=True)
    return [_with_rush(session, miss) for miss in newest[:limit]]


def in_vain() -> ColumnElement[bool]:
    """Condition: a waiting-list place that ended without a seat, and not by the person's own wish."""
    ended = or_(Booking.state == "expired", Booking.end_reason.in_(("withdrawn", "slot_cancelled")))
    return and_(Booking.seated_at.is_(None), ended)


def _all(session: Session, person_id: int, now: datetime) -> list[Miss]:
    """Every unsuccessful attempt, possibly several for one slot: the last of them counts."""
    since = (now - SINCE).date()
    slot = joinedload(Try.slot)
    tries = session.scalars(
        select(Try)
        .join(Try.slot)
        .where(Try.person_id == person_id, Slot.date >= since)
        .options(slot.joinedload(Slot.activity), slot.joinedload(Slot.station))
    )
    return [
        *(Miss(t.slot, t.at, t.reason, t.until, t.most) for t in tries),
        *(Miss(e.slot, e.ended_at or e.created_at, _end_of(e)) for e in _waited(session, person_id, since)),
    ]


def _waited(session: Session, person_id: int, since: date) -> Sequence[Booking]:
    slot = joinedload(Booking.slot)
    return session.scalars(
        select(Booking)
        .join(Booking.slot)
        .where(Booking.person_id == person_id, Slot.date >= since, in_vain())
        .options(slot.joinedload(Slot.activity), slot.joinedload(Slot.station))
    ).all()


def _end_of(entry: Booking) -> str:
    if entry.state != "expired":
        return entry.end_reason or ""
    return f"skipped_{entry.skipped}" if entry.skipped else "not_reached"


def _had(session: Session, person_id: int, slot_ids: Iterable[int]) -> Sequence[int]:
    """The slots where the person has a seat or waits, or had a seat."""
    live = or_(Booking.state.in_(LIVE), Booking.seated_at.is_not(None))
    return session.scalars(
        select(Booking.slot_id).where(Booking.person_id == person_id, Booking.slot_id.in_(slot_ids), live).distinct()
    ).all()


def _with_rush(session: Session, miss: Miss) -> Miss:
    if miss.slot.state == "cancelled":
        return Miss(miss.slot, miss.at, "slot_cancelled")
    if miss.reason not in GONE:
        return miss
    return Miss(miss.slot, miss.at, miss.reason, rush=rush(session, miss.slot.id, miss.at))


def rush(session: Session, slot_id: int, seen_full: datetime) -> Demand:
    """How fast a slot filled up that was seen full at `seen_full`: its last seat before anybody had to wait."""
    first = select(func.min(Event.at)).where(Event.slot_id == slot_id, Event.kind == "waiting")
    waited = session.scalar(first)
    bound = min(waited, seen_full) if waited else seen_full
    given = select(func.max(Event.at)).where(Event.slot_id == slot_id, Event.kind == "booked", Event.at <= bound)
    people = union(
        select(Booking.person_id).where(Booking.slot_id == slot_id),
        select(Try.person_id).where(Try.slot_id == slot_id),
    ).subquery()
    return Demand(session.scalar(given), session.scalar(select(func.count()).select_from(people)) or 0)
