"""Anonymise: moves old bookings, with their history, to a nameless stand-in; one for each person and month.

A stand-in is a deleted account that never was a real one. It takes over what a person did in the calendar months that
began more than 180 days ago, and nothing records whose place it took.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.orm import Session

from booking.db.transactions import NO_SYNC, transactional
from booking.model import Booking, Draw, DrawEntry, DrawValue, Event, Person, Slot, Strike

KEPT_FOR = timedelta(days=180)
# People in one transaction: on SQLite everybody else waits meanwhile.
AT_ONCE = 20


@transactional
def forget_names(session: Session, now: datetime, limit: int = AT_ONCE) -> int:
    """Anonymise old bookings, strikes and events of up to `limit` people. Returns how many people."""
    old = select(Slot.id).where(Slot.date < nameless_before(now))
    _forget_entries(session, now)
    people = session.scalars(_named(old).limit(limit)).all()
    if people:
        pairs = _stand_ins(session, people, now)
        for column in (Booking.person_id, Strike.person_id, Event.person_id, Event.actor_id):
            table: Any = column.class_
            theirs = update(table.__table__).where(column == bindparam("old"), table.slot_id.in_(old))
            session.connection().execute(theirs.values({column.key: bindparam("new")}), pairs)
    return len(people)


def _forget_entries(session: Session, now: datetime) -> None:
    """Whose an old entry was, and who typed an old public value; the draw can be recomputed without."""
    old = select(Draw.id).where(Draw.date < nameless_before(now))
    for table in (DrawEntry, DrawValue):
        named = update(table).where(table.draw_id.in_(old), table.person_id.is_not(None))
        session.execute(named.values(person_id=None), execution_options=NO_SYNC)


def nameless_before(now: datetime) -> date:
    """The first day whose bookings keep their names: none of the month in which the day of 180 days ago lies does."""
    month = (now - KEPT_FOR).date().replace(day=1)
    return (month + timedelta(days=31)).replace(day=1)


def _named(slots: Select[int]) -> Select[int]:
    """The people of bookings of these slots who still have a name; a deleted account has none."""
    named = select(Person.id).where(Person.deleted_at.is_(None))
    theirs = select(Booking.person_id).where(Booking.slot_id.in_(slots), Booking.person_id.in_(named))
    return theirs.distinct().order_by(Booking.person_id)


def _stand_ins(session: Session, people: Sequence[int], now: datetime) -> list[dict[str, int]]:
    nobody = {"created_at": now, "deleted_at": now, "wants_digest": False, "wants_manager_digest": False}
    made = session.scalars(insert(Person).returning(Person.id), [nobody] * len(people)).all()
    return [{"old": old, "new": new} for old, new in zip(people, made, strict=True)]
