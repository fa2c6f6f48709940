"""Reinstatement: seats given back after a slot was cancelled, or made smaller, by mistake.

Only while no letter about it has been sent; afterwards what the letter said stays true.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.enqueue import ATTEMPTED, withdraw_letters
from booking.errors import RuleViolation
from booking.model import HOLDING, Booking, Event, Letter, Slot
from booking.seats.eligibility import Eligibility, at_door, clashing, eligibility, personal, too_many_places
from booking.seats.transitions import line, move, sit, withdraw
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
    again: list[Booking] = []
    elsewhere: list[Booking] = []
    for booking, state in called_off(session, slot, at):
        who = eligibility(session, booking.person_id, slot.station, slot.date, now)
        no = _refusal(slot, booking, state, who, now)
        (elsewhere if no else again).append(booking)
        if not no:
            _return(session, slot, booking, state, now, actor_id)
            if state in HOLDING:
                withdraw(session, slot, clashing(slot, who), now, booking)
    fill_free_seats(session, slot, now, people)
    return Reinstated(again, elsewhere)


def move_back(session: Session, slot: Slot, now: datetime, people: set[int], actor_id: int | None) -> list[Booking]:
    """Undo `demote` on a locked slot that is larger again, for those whose letter about it has not been sent."""
    back: list[Booking] = []
    for entry in line(session, slot) if now < slot.starts_at else ():
        if not slot.free:
            break
        who = eligibility(session, entry.person_id, slot.station, slot.date, now)
        if entry.person_id not in people or personal(slot, who):
            continue
        if not withdraw_letters(session, "moved_down", slot.id, "moved back", Letter.booking_id == entry.id):
            continue
        slot.taken += 1
        seated_at = entry.seated_at
        sit(session, slot, entry, now, "moved_back", actor_id)
        entry.seated_at = seated_at  # restores the order in which seats were given
        withdraw(session, slot, clashing(slot, who), now, entry)
        back.append(entry)
    return back


def _refusal(slot: Slot, booking: Booking, state: str, who: Eligibility, now: datetime) -> RuleViolation | None:
    """What the person did meanwhile may keep them out; a pause does not, since it ends no existing booking."""
    if booking.via == "door":
        return at_door(slot, who)
    no = personal(slot, who)
    if no and no.reason != "paused":
        return no
    return too_many_places(slot, who, now) if state == "waiting" and not booking.standby_at else None


def _return(session: Session, slot: Slot, booking: Booking, state: str, now: datetime, actor_id: int | None) -> None:
    came = _checked_in(session, booking) if state == "attended" else None
    booking.ended_at, booking.end_reason, booking.skipped = None, None, None
    booking.checked_in_at = came.at if came else None
    booking.late = came is not None and came.before == "released"
    if state == "waiting":
        slot.waiting += 1
    else:
        slot.taken += 1
    move(session, slot, booking, state, now, "reinstated", actor_id)


def _checked_in(session: Session, booking: Booking) -> Event | None:
    of = (Event.slot_id == booking.slot_id, Event.booking_id == booking.id, Event.kind == "checked_in")
    return session.scalar(select(Event).where(*of).order_by(Event.id.desc()).limit(1))
