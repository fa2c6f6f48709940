"""Check-in sync: replays offline check-ins: roster taps kept by a phone each count once, at their own time.

Idempotency: each tap has a nonce, and its outcome is stored and repeated.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import people, seats
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.model import Booking, DoorTap, Event, Strike

# An older tap cannot belong to a slot that is running now.
LONGEST = timedelta(hours=2)


@dataclass(frozen=True)
class Tap:
    """`here` checks in, otherwise a check-in is undone; `nonce` is the phone's id of this tap.

    `after` is the nonce of the same phone's previous tap on the same person, or empty.
    """

    nonce: str
    booking_id: int
    here: bool
    at: datetime
    after: str = ""


@transactional
def apply(session: Session, tap: Tap, now: datetime, actor_id: int, excuse: str) -> str:
    """Apply a tap; returns its outcome, the same one however often it is sent.

    `in` and `out` say what is true now, `older` that somebody tapped otherwise later, `seated` that the seat had been
    released and a free one was found: then there is no strike. `no_seat` says that none was found for a person who had
    come in time: then the strike is forgiven with `excuse`.
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


@transactional
def arrive(
    session: Session, person_id: int, slot_id: int, now: datetime, *, booking_id: int | None = None, scan: str = ""
) -> Booking:
    """A person checks in at the kiosk: with their booking, or for the slot, on standby where it is full.

    `scan` is one made before signing in, which admits one person. Raises `stale_code` for anybody else.
    """
    if scan:
        claim_scan(session, scan, person_id)
    if booking_id:
        booking = seats.admit.inside(session, booking_id, now, person_id)
    else:
        booking = seats.seat_or_standby.inside(session, slot_id, person_id, now, person_id)
    if scan:
        spend_scan(session, scan, booking, now)
    return booking


def claim_scan(session: Session, nonce: str, person_id: int) -> None:
    """Bind a scan made before signing in to one person. Raises `stale_code` for anybody else."""
    transactions.advisory_lock(session, f"tap {nonce}")
    known = session.get(DoorTap, nonce)
    if known is not None and known.person_id != person_id:
        raise RuleViolation("stale_code")


def spend_scan(session: Session, nonce: str, booking: Booking, now: datetime) -> None:
    """Record that the claimed scan has checked this person in."""
    if session.get(DoorTap, nonce) is None:
        told = {"nonce": nonce, "booking_id": booking.id, "person_id": booking.person_id, "outcome": "scan"}
        session.add(DoorTap(**told, at=now, received_at=now))


def came_in_time(booking: Booking, at: datetime) -> bool:
    """Whether a person whose seat has been released was at the door at `at`, before that."""
    return booking.state == "released" and booking.slot.checkin_from <= at < booking.slot.release_at


def _true_time(session: Session, tap: Tap, now: datetime) -> datetime:
    """The tap's time, clamped. The age it reports includes network delay, so the phone's own order decides first."""
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
        seats.undo_check_in.inside(session, booking.id, now if booking.via == "door" else at, actor_id)
        seats.miss_late.inside(session, booking.slot_id, now)
        return "out"
    if booking.state == "released" and at < booking.slot.release_at:
        return _seat_again(session, booking, at, now, actor_id, excuse)
    was = booking.state
    seats.check_in.inside(session, booking.id, at, actor_id)
    return "seated" if was == "released" else "in"


def _said_later(session: Session, slot_id: int, booking_id: int, at: datetime) -> bool:
    """Whether another device's tap on this person was later than `at`, and arrived first."""
    taps = Event.kind.in_(("checked_in", "undone"))
    of = (Event.slot_id == slot_id, Event.booking_id == booking_id)  # the slot's history has an index
    last = session.scalar(select(func.max(Event.at)).where(*of, taps))
    return last is not None and last > at


def _seat_again(session: Session, booking: Booking, at: datetime, now: datetime, actor_id: int, excuse: str) -> str:
    """Seat a person released because the tap arrived late, not the person. After the end nobody else can be seated."""
    over = now >= booking.slot.ends_at
    try:
        seats.check_in.inside(session, booking.id, at if over else now, actor_id)
    except RuleViolation as no:
        if no.reason not in ("full", "over"):
            raise
    else:
        return "seated"
    struck = session.scalar(select(Strike.id).where(Strike.booking_id == booking.id, Strike.forgiven_at.is_(None)))
    if struck:
        people.forgive.inside(session, struck, now, actor_id, excuse)
    return "no_seat"
