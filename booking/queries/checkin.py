"""Check-in queries: which slots admit people now, who a person is, who may come in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from booking.model import HOLDING, LIVE, Booking, Event, Person, Slot
from booking.queries import disclosure, name_order, person_lookup


def doors_open(session: Session, station_id: int, now: datetime) -> Sequence[Slot]:
    """The slots open for check-in: from its start until the end of the slot."""
    return session.scalars(_slots(station_id).where(Slot.checkin_from <= now, Slot.ends_at > now)).all()


def next_slots(session: Session, station_id: int, now: datetime, limit: int = 4) -> Sequence[Slot]:
    """The slots that start next, all of the same date."""
    coming = session.scalars(_slots(station_id).where(Slot.starts_at > now).limit(limit)).all()
    return [slot for slot in coming if slot.date == coming[0].date]


def bookings_here(session: Session, person_id: int, station_id: int, now: datetime) -> Sequence[Booking]:
    """A person's bookings of the last and the next hours at a station: live ones first, then by start."""
    found = (
        select(Booking)
        .join(Booking.slot)
        .where(Booking.person_id == person_id, Booking.station_id == station_id, Slot.ends_at > now)
        .where(or_(Booking.state.in_(LIVE), Booking.state == "released"))
        .options(joinedload(Booking.slot).joinedload(Slot.activity), joinedload(Booking.slot).joinedload(Slot.zone))
        .order_by(Slot.starts_at, Booking.id)
    )
    return session.scalars(found).all()


@dataclass(frozen=True)
class Found:
    """The people found by a search; `strangers` have never been here, and were found by their e-mail address only."""

    people: Sequence[Person] = ()
    strangers: Collection[int] = ()


def find_people(session: Session, slot: Slot, sought: str, email: str, now: datetime, limit: int = 8) -> Found:
    """People who were here before, as everywhere; while check-in is open, anybody by their full e-mail address."""
    if not sought or slot.state_at(now) in ("cancelled", "done"):
        return Found()
    alive = (Person.deleted_at.is_(None), Person.disabled_at.is_(None))
    matches = person_lookup.at_station(session, slot.station_id, sought, email, *alive)
    ids = matches.first(limit, lambda person: name_order.sort_key(person.name))
    known = {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(ids), *alive))}
    people = [known[person_id] for person_id in ids if person_id in known]
    is_asked = email and _is_open(slot, now)
    reached = session.scalar(select(Person).where(Person.email == email, *alive)) if is_asked else None
    if reached is None or reached in people:
        return Found(people)
    is_known = any(asked(session, slot.station_id, reached.id) for asked in (disclosure.knows, disclosure.may_call))
    return Found([*people, reached], () if is_known else (reached.id,))


def may_be_seated(session: Session, slot: Slot, person_id: int, email: str, now: datetime) -> bool:
    """Whether a manager may seat this person: known here, or on this slot once, or found by their e-mail address."""
    person = session.get(Person, person_id)
    if person is None or person.deleted_at or person.disabled_at:
        return False
    on_slot = select(Booking.id).where(Booking.slot_id == slot.id, Booking.person_id == person_id).limit(1)
    if disclosure.knows(session, slot.station_id, person_id) or session.scalar(on_slot):
        return True
    return bool(email) and person.email == email and _is_open(slot, now)


def _is_open(slot: Slot, now: datetime) -> bool:
    return slot.checkin_from <= now < slot.ends_at and slot.state not in ("cancelled", "done")


def newest(session: Session, slot_id: int, number: int) -> Sequence[Booking]:
    """The bookings that `move_newest` would move to the waiting list, the newest last."""
    booked = select(Booking).where(Booking.slot_id == slot_id, Booking.state == "booked")
    order = (func.coalesce(Booking.seated_at, Booking.created_at).desc(), Booking.id.desc())
    found = session.scalars(booked.options(joinedload(Booking.person)).order_by(*order).limit(number)).all()
    return found[::-1]


def seated_at(session: Session, slot_id: int, moment: datetime) -> Sequence[Booking]:
    """Who got a seat of the slot at exactly that instant."""
    found = select(Booking).where(Booking.slot_id == slot_id, Booking.seated_at == moment, Booking.state.in_(HOLDING))
    return session.scalars(found.options(joinedload(Booking.person)).order_by(Booking.id)).all()


def standing_by(session: Session, slot_ids: Sequence[int]) -> dict[int, int]:
    """How many people are on standby for each slot."""
    counted = (
        select(Booking.slot_id, func.count(Booking.id))
        .where(Booking.slot_id.in_(slot_ids), Booking.state == "waiting", Booking.standby_at.is_not(None))
        .group_by(Booking.slot_id)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def last_event(session: Session, slot_id: int) -> int:
    """The id of the slot's newest event: while it stays the same, so does the roster."""
    return session.scalar(select(func.max(Event.id)).where(Event.slot_id == slot_id)) or 0


def _slots(station_id: int) -> Select[Slot]:
    found = select(Slot).where(Slot.station_id == station_id, Slot.state.not_in(("cancelled", "done")))
    load = (joinedload(Slot.activity), joinedload(Slot.zone))
    return found.options(*load).order_by(Slot.starts_at, Slot.id)
