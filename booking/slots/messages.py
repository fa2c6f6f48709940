"""Messages: a manager's letter to everybody on a slot, counted, in its history, and withdrawn until it is sent."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import clock, seats
from booking.db.transactions import transactional
from booking.enqueue import enqueue, undo_window, withdraw_letters
from booking.errors import RuleViolation
from booking.history import record
from booking.model import HOLDING, LIVE, Booking, Event, Letter, Person, Slot

# To whom a message can go: the states of their bookings.
AUDIENCES = {"booked": HOLDING, "waiting": ("waiting",), "both": LIVE}
MOST_A_DAY = 2
KIND = "slot_message"


class SlotMessage(NamedTuple):
    """One message of today: its event, and whether it can be withdrawn, since no letter of it has been sent."""

    event: Event
    is_unsent: bool


@transactional
def write_to(
    session: Session, slot_id: int, audience: str, text: str, now: datetime, actor_id: int | None = None
) -> int:
    """Write to the people on the slot who have an address. Returns how many; at most `MOST_A_DAY` times a day.

    The same text to the same people once more, as by a second press, writes nothing.
    """
    slot = seats.lock_unfinished(session, slot_id, now)
    sent = [message.event.details for message in today(session, slot, now)]
    if again := next((one for one in sent if (one["to"], one["text"]) == (audience, text)), None):
        return int(again["people"])
    if len(sent) >= MOST_A_DAY:
        raise RuleViolation("message_limit", limit=MOST_A_DAY)
    readers = reached(session, slot_id, audience)
    if not readers:
        raise RuleViolation("nobody_to_write")
    record(session, "message", now, actor_id=actor_id, slot=slot, to=audience, people=len(readers), text=text)
    wait = undo_window(slot, now)
    for booking in readers:
        person_id, booking_id = booking.person_id, booking.id
        enqueue(session, KIND, now, person_id=person_id, slot_id=slot_id, booking_id=booking_id, wait=wait, text=text)
    return len(readers)


@transactional
def withdraw_message(session: Session, slot_id: int, event_id: int, now: datetime, actor_id: int | None = None) -> int:
    """Take a message back before it is sent. Returns how many letters; a withdrawn one counts for no limit."""
    slot = seats.lock_unfinished(session, slot_id, now)
    event = session.get(Event, event_id)
    if event is None or event.slot_id != slot_id or event.kind != "message":
        raise RuleViolation("message_sent")
    if not _is_unsent(session, event):
        raise RuleViolation("message_sent")
    gone = withdraw_letters(session, KIND, slot_id, "withdrawn", Letter.created_at == event.at)
    record(session, "message_withdrawn", now, actor_id=actor_id, slot=slot, people=len(gone), message=event.id)
    return len(gone)


def reached(session: Session, slot_id: int, audience: str) -> Sequence[Booking]:
    """The bookings of that audience whose people have an address."""
    on = select(Booking).join(Booking.person).where(Booking.slot_id == slot_id, Person.email.is_not(None))
    alive = on.where(Booking.state.in_(AUDIENCES[audience]), Person.deleted_at.is_(None))
    return session.scalars(alive.order_by(Booking.id)).all()


def today(session: Session, slot: Slot, now: datetime) -> list[SlotMessage]:
    """The messages about the slot on this date of its station, oldest first, without those taken back."""
    day = clock.at_station(now, slot.station.zone_name).date()
    begin, end = (clock.instant(day + timedelta(days=n), time(0), slot.station.zone_name) for n in (0, 1))
    kinds = Event.kind.in_(("message", "message_withdrawn"))
    found = select(Event).where(Event.slot_id == slot.id, kinds, Event.at >= begin, Event.at < end)
    events = session.scalars(found.order_by(Event.id)).all()
    withdrawn = {event.details.get("message") for event in events if event.kind == "message_withdrawn"}
    left = [event for event in events if event.kind == "message" and event.id not in withdrawn]
    return [SlotMessage(event, _is_unsent(session, event)) for event in left]


def _is_unsent(session: Session, event: Event) -> bool:
    """Whether every letter of the message still waits."""
    about = (Letter.kind == KIND, Letter.slot_id == event.slot_id, Letter.created_at == event.at)
    states = session.execute(select(Letter.state, Letter.tries, Letter.held_at).where(*about)).all()
    return bool(states) and all(tuple(row) == ("queued", 0, None) for row in states)
