"""What is asked at the door: which slots take people in now, who this is, who comes in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from booking.model import HOLDING, LIVE, Booking, Event, Person, Slot
from booking.rosters import names


def doors_open(session: Session, station_id: int, now: datetime) -> Sequence[Slot]:
    """The slots that take people in now: from the first check-in until their end."""
    return session.scalars(_slots(station_id).where(Slot.checkin_from <= now, Slot.ends_at > now)).all()


def next_slots(session: Session, station_id: int, now: datetime, limit: int = 4) -> Sequence[Slot]:
    """The slots that start next, all of the same date."""
    coming = session.scalars(_slots(station_id).where(Slot.starts_at > now).limit(limit)).all()
    return [slot for slot in coming if slot.date == coming[0].date]


def bookings_here(session: Session, person_id: int, station_id: int, now: datetime) -> Sequence[Booking]:
    """A person's claims of the last and the next hours at a station: live ones first, then by start."""
    found = (
        select(Booking)
        .join(Booking.slot)
        .where(Booking.person_id == person_id, Booking.station_id == station_id, Slot.ends_at > now)
        .where(or_(Booking.state.in_(LIVE), Booking.state == "released"))
        .options(joinedload(Booking.slot).joinedload(Slot.activity), joinedload(Booking.slot).joinedload(Slot.zone))
        .order_by(Slot.starts_at, Booking.id)
    )
    return session.scalars(found).all()


def find_people(session: Session, station_id: int, sought: str, limit: int = 8) -> Sequence[Person]:
    """People by their name or its pinyin if they were here before; anybody by their whole e-mail address."""
    if not sought:
        return []
    known = select(Booking.person_id).where(Booking.station_id == station_id)
    by_name = names.called(session, station_id, sought) & Person.id.in_(known)
    found = select(Person).where(
        or_(by_name, Person.email == sought.lower()), Person.deleted_at.is_(None), Person.disabled_at.is_(None)
    )
    return session.scalars(found.order_by(Person.name, Person.id).limit(limit)).all()


def may_be_seated(session: Session, station_id: int, person_id: int, email: str) -> bool:
    """Whether a manager of the station may name this person: somebody who was here, or whose address they know."""
    person = session.get(Person, person_id)
    if person is None or person.deleted_at or person.disabled_at:
        return False
    was_here = select(Booking.id).where(Booking.station_id == station_id, Booking.person_id == person_id).limit(1)
    return session.scalar(was_here) is not None or (bool(email) and person.email == email.lower())


def newest(session: Session, slot_id: int, number: int) -> Sequence[Booking]:
    """Whom `move_newest` would move down to the line, the newest last."""
    booked = select(Booking).where(Booking.slot_id == slot_id, Booking.state == "booked")
    order = (func.coalesce(Booking.seated_at, Booking.created_at).desc(), Booking.id.desc())
    found = session.scalars(booked.options(joinedload(Booking.person)).order_by(*order).limit(number)).all()
    return found[::-1]


def seated_at(session: Session, slot_id: int, moment: datetime) -> Sequence[Booking]:
    """Who got a seat of the slot at that very instant."""
    found = select(Booking).where(Booking.slot_id == slot_id, Booking.seated_at == moment, Booking.state.in_(HOLDING))
    return session.scalars(found.options(joinedload(Booking.person)).order_by(Booking.id)).all()


def standing_by(session: Session, slot_ids: Sequence[int]) -> dict[int, int]:
    """How many people stand at the door of each slot without a seat."""
    counted = (
        select(Booking.slot_id, func.count(Booking.id))
        .where(Booking.slot_id.in_(slot_ids), Booking.state == "waiting", Booking.standby_at.is_not(None))
        .group_by(Booking.slot_id)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def last_event(session: Session, slot_id: int) -> int:
    """The newest line of the slot's history: while it stays, so does the roster."""
    return session.scalar(select(func.max(Event.id)).where(Event.slot_id == slot_id)) or 0


def _slots(station_id: int) -> Select[Slot]:
    found = select(Slot).where(Slot.station_id == station_id, Slot.state.not_in(("cancelled", "done")))
    load = (joinedload(Slot.activity), joinedload(Slot.zone))
    return found.options(*load).order_by(Slot.starts_at, Slot.id)
