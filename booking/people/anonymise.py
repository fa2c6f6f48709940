"""Anonymise: moves old bookings, with their history, to a nameless stand-in; one for each person and month.

A stand-in is a deleted account that never was a real one. It takes over what a person did in the calendar months that
began more than 180 days ago, and nothing records whose place it took.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, Select, cast, exists, insert, select, text, update
from sqlalchemy.orm import Session

from booking.db.arrays import in_array, unnest
from booking.db.transactions import NO_SYNC, transactional
from booking.history import forget_person
from booking.model import OF_ENTRIES, Booking, Draw, DrawEntry, DrawValue, Event, Person, Slot, Strike

KEPT_FOR = timedelta(days=180)
# People, or draws, and events of draws in one transaction: on SQLite everybody else waits meanwhile.
AT_ONCE, EVENTS_AT_ONCE = 20, 500


@transactional
def forget_names(session: Session, now: datetime, limit: int = AT_ONCE) -> int:
    """Anonymise old bookings, strikes and events of up to `limit` people, or as many old draws where nobody is left.

    Returns how many people, or how many draws and events of them: 0 once all is done.
    """
    people = session.scalars(_named(now).limit(limit)).all()
    return _forget_bookings(session, people, now) if people else _forget_entries(session, now, limit)


def _forget_bookings(session: Session, people: Sequence[int], now: datetime) -> int:
    row, old = unnest(_stand_ins(session, people, now)), select(Slot.id).where(Slot.date < nameless_before(now))
    named, nobody = (cast(row[n].as_string(), BigInteger) for n in range(2))
    pairs = select(named.label("named"), nobody.label("nobody")).cte("pairs").prefix_with("MATERIALIZED")
    # One statement for all of them: events have no index by who acted.
    for column in (Booking.person_id, Strike.person_id, Event.person_id, Event.actor_id):
        table: Any = column.class_
        theirs = update(table).where(column == pairs.c.named, table.slot_id.in_(old))
        session.execute(theirs.values({column.key: pairs.c.nobody}), execution_options=NO_SYNC)
    return len(people)


def _forget_entries(session: Session, now: datetime, limit: int) -> int:
    """Whose an old entry was, and who typed an old public value; the draw can be recomputed without."""
    since = nameless_before(now)
    told = select(Event.id).where(text(OF_ENTRIES), Event.at < datetime.combine(since, time(0), UTC))
    done = forget_person(session, Event.id.in_(told.order_by(Event.at).limit(EVENTS_AT_ONCE)))
    for table in (DrawEntry, DrawValue):
        named = exists().where(table.draw_id == Draw.id, table.person_id.is_not(None))
        old = select(Draw.id).where(Draw.date < since, named).order_by(Draw.id.desc()).limit(limit)
        draws = session.scalars(old).all()
        theirs = update(table).where(table.draw_id.in_(in_array(draws)))
        session.execute(theirs.values(person_id=None), execution_options=NO_SYNC)
        done += len(draws)
    return done


def nameless_before(now: datetime) -> date:
    """The first day whose bookings keep their names: none of the month in which the day of 180 days ago lies does."""
    month = (now - KEPT_FOR).date().replace(day=1)
    return (month + timedelta(days=31)).replace(day=1)


def _named(now: datetime) -> Select[int]:
    """The people of old bookings who still have a name; a deleted account has none."""
    old = select(Slot.id).where(Slot.date < nameless_before(now))
    named = select(Person.id).where(Person.deleted_at.is_(None))
    theirs = select(Booking.person_id).where(Booking.slot_id.in_(old), Booking.person_id.in_(named))
    return theirs.distinct().order_by(Booking.person_id)


def _stand_ins(session: Session, people: Sequence[int], now: datetime) -> list[tuple[int, int]]:
    """A new one for each of these people: the ids of both."""
    nobody = {"created_at": now, "deleted_at": now, "wants_digest": False, "wants_manager_digest": False}
    made = session.scalars(insert(Person).returning(Person.id), [nobody] * len(people)).all()
    return list(zip(people, made, strict=True))
