"""Reinstatement: seats given back after a slot was cancelled, or made smaller, by mistake.

Only while no letter about it has been sent; afterwards what the letter said stays true.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db.arrays import in_array
from booking.enqueue import ATTEMPTED, withdraw_letters
from booking.errors import RuleViolation
from booking.model import HOLDING, Booking, Event, Letter, Slot
from booking.seats.claim import ClaimRow, change, claim_in
from booking.seats.eligibility import Eligibility, at_door, clashing, personal, too_many_places
from booking.seats.look import eligibilities
from booking.seats.transitions import line, withdraw
from booking.seats.waitlist import fill_free_seats


class Previous(NamedTuple):
    """A booking that ended when its slot was cancelled, and the state that it had."""

    booking: Booking
    state: str


class Reinstated(NamedTuple):
    """The people who are on the slot again, and those who have other bookings by now, or left."""

    again: Sequence[Booking] = ()
    elsewhere: Sequence[Booking] = ()


def last_cancel(session: Session, slot: Slot) -> Event | None:
    """The event that cancelled the slot."""
    found = select(Event).where(Event.slot_id == slot.id, Event.kind == "cancelled", Event.booking_id.is_(None))
    return session.scalar(found.order_by(Event.id.desc()).limit(1))


def called_off(session: Session, slot: Slot, at: datetime) -> list[Previous]:
    """Who was on the slot when it was cancelled at that instant: seats first, then the waiting list in its order."""
    found = (
        select(Booking, Event.before)
        .join(Event, Event.booking_id == Booking.id)
        .where(Event.slot_id == slot.id, Event.kind == "slot_cancelled", Event.at == at)
        .where(Booking.state == "cancelled", Booking.end_reason == "slot_cancelled")
    )
    rows = [Previous(booking, str(before)) for booking, before in session.execute(found)]
    return sorted(rows, key=lambda was: (was.state == "waiting", was.booking.waitlist_position or 0, was.booking.id))


def anybody_told(session: Session, slot: Slot, at: datetime) -> bool:
    """Whether a letter about that cancellation was sent, or may have been: an attempted one cannot be withdrawn."""
    about = (Letter.slot_id == slot.id, Letter.kind == "slot_cancelled", Letter.created_at == at)
    return session.scalar(select(Letter.id).where(*about, ATTEMPTED).limit(1)) is not None


def reinstate(
    session: Session, slot: Slot, at: datetime, now: datetime, people: set[int], actor_id: int | None
) -> Reinstated:
    """Undo `vacate` of that instant on a locked slot that is open again. Withdraws all letters about it, or raises."""
    withdraw_letters(session, "slot_cancelled", slot.id, "brought back", Letter.created_at == at)
    if anybody_told(session, slot, at):  # a letter was sent meanwhile
        raise RuleViolation("people_know")
    before = called_off(session, slot, at)
    everybody = eligibilities(session, slot.id, {was.booking.person_id for was in before}, now)
    elsewhere = [was for was in before if _refusal(slot, *was, everybody[was.booking.person_id], now)]
    again = [_return(session, slot, *was, now, actor_id) for was in before if was not in elsewhere]
    back = claim_in(session, again)
    for booking in back:
        if booking.state in HOLDING:
            withdraw(session, clashing(slot, everybody[booking.person_id]), now, booking.id)
    fill_free_seats(session, slot, now, people)
    return Reinstated(back, [was.booking for was in elsewhere])


def move_back(session: Session, slot: Slot, now: datetime, people: set[int], actor_id: int | None) -> list[Booking]:
    """Undo `demote` on a locked slot that is larger again, for those whose letter about it has not been sent."""
    if now >= slot.starts_at:
        return []
    # Who was moved down has a time at which the seat was given, and comes before everybody else.
    entries = [entry for entry in line(session, slot) if entry.seated_at and entry.person_id in people]
    if not entries:
        return []
    everybody = eligibilities(session, slot.id, [entry.person_id for entry in entries], now)
    first = [entry for entry in entries if not personal(slot, everybody[entry.person_id])][: slot.free]
    theirs = Letter.booking_id.in_(in_array([entry.id for entry in first]))
    unsent = withdraw_letters(session, "moved_down", slot.id, "moved back", theirs) if first else ()
    back = [entry for entry in first if entry.id in {letter.booking_id for letter in unsent}]
    # They keep `seated_at`, the order in which seats were given.
    claim_in(session, [change(slot, entry, "booked", now, "moved_back", actor_id) for entry in back])
    for entry in back:
        withdraw(session, clashing(slot, everybody[entry.person_id]), now, entry.id)
    return back


def _refusal(slot: Slot, booking: Booking, state: str, who: Eligibility, now: datetime) -> RuleViolation | None:
    """What the person did meanwhile may keep them out; a pause does not, since it ends no existing booking."""
    if booking.via == "door":
        return at_door(slot, who)
    no = personal(slot, who)
    if no and no.reason != "paused":
        return no
    return too_many_places(slot, who, now) if state == "waiting" and not booking.standby_at else None


def _return(
    session: Session, slot: Slot, booking: Booking, state: str, now: datetime, actor_id: int | None
) -> ClaimRow[Slot]:
    row = change(slot, booking, state, now, "reinstated", actor_id)
    came = _checked_in(session, booking) if state == "attended" else None
    return row._replace(checked_in_at=came.at, late=came.before == "released") if came else row


def _checked_in(session: Session, booking: Booking) -> Event | None:
    of = (Event.slot_id == booking.slot_id, Event.booking_id == booking.id, Event.kind == "checked_in")
    return session.scalar(select(Event).where(*of).order_by(Event.id.desc()).limit(1))
