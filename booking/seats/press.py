"""The worker's two presses: take a seat or a place in line, and give it up."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from booking import store
from booking.model import Booking, Slot
from booking.notices import tell
from booking.refusals import Refused
from booking.seats.line import hold, serve
from booking.seats.moves import find_booking, leave, new, queue, sit, withdraw
from booking.seats.standing import Entry, Standing, clashing, refusal, standing, too_many_places

# How often a press looks again when seats and places come and go under it.
ROUNDS = 3


@dataclass(frozen=True)
class Press:
    """The answer to a press: the booking, whether it was there already, and what it replaced."""

    slot: Slot
    booking: Booking
    again: bool = False
    withdrawn: tuple[Entry, ...] = ()


def take(session: Session, person_id: int, slot_id: int, now: datetime, key: str | None = None) -> Press:
    """Give the person a seat, or when the slot is full the next place in its line.

    A second press, or the same `key` again, gets the same booking back and changes nothing.
    """
    store.lock(session, people={person_id})
    slot = session.scalar(_LOOK.where(Slot.id == slot_id))
    if slot is None or slot.station.closed_at:
        raise Refused("no_such_slot")
    if earlier := _pressed_before(session, person_id, slot_id, key):
        return Press(slot, earlier, again=True)
    who = standing(session, person_id, slot.station, slot.date, now)
    mine = who.on(slot_id)
    if (no := refusal(slot, who, now)) and not (mine and no.reason in ("yours", "in_line")):
        raise no
    if no and mine:
        return Press(slot, find_booking(session, mine.booking_id), again=True)
    return _get_what_is_left(session, slot, who, now, key)


def give_up(session: Session, booking_id: int, now: datetime, actor_id: int | None = None) -> Booking:
    """Give a seat or a place in line back; the seat passes on in the same transaction."""
    booking = find_booking(session, booking_id)
    held = hold(session, {booking.slot_id}, now, {booking.person_id})
    slot = held.slots[booking.slot_id]
    session.refresh(booking)
    if booking.state == "cancelled":
        return booking
    if booking.state not in ("booked", "waiting"):
        raise Refused("not_live", state=booking.state)
    if now >= slot.starts_at and booking.state == "booked":
        raise Refused("started")
    leave(session, slot, booking, now, "given_up", actor_id or booking.person_id)
    serve(session, slot, now, held.people)
    return booking


def _get_what_is_left(session: Session, slot: Slot, who: Standing, now: datetime, key: str | None) -> Press:
    mine, dropped = who.on(slot.id), clashing(slot, who)
    if dropped:
        store.lock(session, slots={slot.id, *(entry.slot_id for entry in dropped)})
    for _round in range(ROUNDS):
        if _claim_seat(session, slot, now):
            booking = find_booking(session, mine.booking_id) if mine else new(slot, who.person_id, now, key)
            _sit_down(session, slot, booking, now, dropped)
            return Press(slot, booking, withdrawn=dropped)
        # The look may have seen a seat that is gone now: then the limit of places was not asked yet.
        if not too_many_places(slot, who, now) and _claim_place(session, slot, now):
            return Press(slot, queue(session, slot, new(slot, who.person_id, now, key), now))
        # Somebody was faster between our look and our claims: say what is true now, or try again.
        session.refresh(slot)
        if no := refusal(slot, who, now):
            raise no
    raise Refused("busy")


def _sit_down(session: Session, slot: Slot, booking: Booking, now: datetime, dropped: tuple[Entry, ...]) -> None:
    booking.via = "tap"
    sit(session, slot, booking, now, "booked", booking.person_id)
    withdraw(session, slot, dropped, now)
    tell(session, "confirmed", now, person_id=booking.person_id, slot_id=slot.id, booking_id=booking.id)


def bookable(slot_id: int, now: datetime) -> ColumnElement[bool]:
    return and_(Slot.id == slot_id, Slot.state.in_(("planned", "open")), Slot.opens_at <= now, Slot.starts_at > now)


def has_room(now: datetime) -> ColumnElement[bool]:
    return and_(Slot.taken < Slot.capacity, or_(Slot.waiting == 0, Slot.line_until <= now))


_COUNTERS = (Slot.capacity, Slot.taken, Slot.waiting, Slot.line_last)
# All that the rules and the answer need of a slot, in one look.
_LOOK = select(Slot).options(joinedload(Slot.station), joinedload(Slot.activity), joinedload(Slot.zone))


def _claim_seat(session: Session, slot: Slot, now: datetime) -> bool:
    return _claim(session, slot, and_(bookable(slot.id, now), has_room(now)), {"taken": Slot.taken + 1})


def _claim_place(session: Session, slot: Slot, now: datetime) -> bool:
    full = and_(Slot.line_until > now, or_(Slot.taken >= Slot.capacity, Slot.waiting > 0))
    queue = {"waiting": Slot.waiting + 1, "line_last": Slot.line_last + 1}
    return _claim(session, slot, and_(bookable(slot.id, now), full), queue)


def _claim(session: Session, slot: Slot, condition: ColumnElement[bool], values: dict[str, ColumnElement[int]]) -> bool:
    """Change the slot if `condition` holds at that very moment; the row is locked from then on, its counters fresh."""
    statement = update(Slot).where(condition).values(values).returning(*_COUNTERS)
    counted = session.execute(statement, execution_options={"synchronize_session": False}).one_or_none()
    for column, value in zip(_COUNTERS, counted or (), strict=False):
        set_committed_value(slot, column.key, value)
    return counted is not None


def _pressed_before(session: Session, person_id: int, slot_id: int, key: str | None) -> Booking | None:
    if not key:
        return None
    earlier = session.scalar(select(Booking).where(Booking.person_id == person_id, Booking.key == key))
    if earlier and earlier.slot_id != slot_id:
        raise Refused("key_reused")
    return earlier
