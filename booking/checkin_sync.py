"""Taps on the roster that a phone may have kept while it had no network: each counts once, at its true time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import people, seats
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Booking, DoorTap, Event, Strike

# What is older was not tapped at this noon's door.
LONGEST = timedelta(hours=2)


@dataclass(frozen=True)
class Tap:
    """`here` checks in, otherwise a check-in is taken back; `nonce` is the phone's name for this one tap.

    `after` is the same phone's tap on the same name before this one, or empty.
    """

    nonce: str
    booking_id: int
    here: bool
    at: datetime
    after: str = ""


def apply(session: Session, tap: Tap, now: datetime, actor_id: int, excuse: str) -> str:
    """What came of a tap; the same answer however often it is sent.

    `in` and `out` say what is true now, `older` that somebody said otherwise later, `seated` that the seat had been
    released and a free one was found: then there is no strike. `no_seat` says that none was found for somebody who had
    been here in time: then the strike is forgiven with `excuse`.
    """
    transactions.advisory_lock(session, f"tap {tap.nonce}")
    known = session.get(DoorTap, tap.nonce)
    if known is not None:
        return known.outcome
    at = _true_time(session, tap, now)
    outcome = _apply(session, tap, at, now, actor_id, excuse)
    told = {"nonce": tap.nonce, "booking_id": tap.booking_id, "person_id": actor_id, "outcome": outcome}
    session.add(DoorTap(**told, at=at, received_at=now))
    return outcome


def claim_scan(session: Session, nonce: str, person_id: int) -> None:
    """A scan that was made before signing in is good for one person. Raises `stale_code` for the next one."""
    transactions.advisory_lock(session, f"tap {nonce}")
    known = session.get(DoorTap, nonce)
    if known is not None and known.person_id != person_id:
        raise RuleViolation("stale_code")


def spend_scan(session: Session, nonce: str, booking: Booking, now: datetime) -> None:
    """The scan that was claimed has let this person in."""
    if session.get(DoorTap, nonce) is None:
        told = {"nonce": nonce, "booking_id": booking.id, "person_id": booking.person_id, "outcome": "scan"}
        session.add(DoorTap(**told, at=now, received_at=now))


def _true_time(session: Session, tap: Tap, now: datetime) -> datetime:
    """The age that a phone tells was longer on its way the slower the network: its own order is known better."""
    at = min(max(tap.at, now - LONGEST), now)
    before = session.get(DoorTap, tap.after) if tap.after else None
    if before is not None and before.booking_id == tap.booking_id and before.at <= now:
        at = max(at, before.at)
    return at


def _apply(session: Session, tap: Tap, at: datetime, now: datetime, actor_id: int, excuse: str) -> str:
    booking = session.get_one(Booking, tap.booking_id)
    wanted = ("in", "attended") if tap.here else ("out", "booked")
    if booking.state == wanted[1]:
        return wanted[0]
    if _said_later(session, booking.slot_id, booking.id, at):
        return "older"
    if not tap.here:
        # Undoing a walk-in frees the seat now; any other undo happened when it was tapped.
        seats.undo_check_in(session, booking.id, now if booking.via == "door" else at, actor_id)
        return "out"
    if booking.state == "released" and at < booking.slot.release_at:
        return _seat_again(session, booking, now, actor_id, excuse)
    was = booking.state
    seats.check_in(session, booking.id, at, actor_id)
    return "seated" if was == "released" else "in"


def _said_later(session: Session, slot_id: int, booking_id: int, at: datetime) -> bool:
    """Whether another helper tapped this name after `at`, and was heard first."""
    taps = Event.kind.in_(("checked_in", "undone"))
    of = (Event.slot_id == slot_id, Event.booking_id == booking_id)  # the slot's history has an index
    last = session.scalar(select(func.max(Event.at)).where(*of, taps))
    return last is not None and last > at


def _seat_again(session: Session, booking: Booking, now: datetime, actor_id: int, excuse: str) -> str:
    """Released because the tap was late to arrive, not the person."""
    try:
        seats.check_in(session, booking.id, now, actor_id)
    except RuleViolation as no:
        if no.reason not in ("full", "over"):
            raise
    else:
        return "seated"
    struck = session.scalar(select(Strike.id).where(Strike.booking_id == booking.id, Strike.forgiven_at.is_(None)))
    if struck:
        people.forgive(session, struck, now, actor_id, excuse)
    return "no_seat"
