"""Anonymise: moves old bookings, with their history, to a nameless stand-in; one for each person and month.

A stand-in is a deleted account that never was a real one. It takes over what a person did in the calendar months that
began more than 180 days ago, and nothing records whose place it took. What staff did for others keeps their name.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, case, cast, exists, insert, select, text, update
from sqlalchemy.orm import Session, scoped_session

from booking.db.arrays import in_array, unnest
from booking.db.transactions import NO_SYNC, transactional
from booking.history import forget_person
from booking.model import OF_ENTRIES, Booking, Draw, DrawEntry, DrawValue, Event, Person, Slot, Strike

KEPT_FOR = timedelta(days=180)
# People whose bookings are looked at by one statement: all of a city at once would take longer than one may.
LOOKED_AT = 2_000
# Draws, and events of draws, in one transaction: on SQLite everybody else waits meanwhile.
AT_ONCE, EVENTS_AT_ONCE = 20, 500


def named(session: Session | scoped_session[Any], now: datetime) -> Iterator[Sequence[int]]:
    """The people of old bookings who still have a name, some at a time; a deleted account has none."""
    old, last = select(Slot.id).where(Slot.date < nameless_before(now)), 0
    everybody = select(Person.id).where(Person.deleted_at.is_(None)).order_by(Person.id).limit(LOOKED_AT)
    while some := session.scalars(everybody.where(Person.id > last)).all():
        theirs = select(Booking.person_id).where(Booking.person_id.in_(in_array(some)), Booking.slot_id.in_(old))
        yield session.scalars(theirs.distinct().order_by(Booking.person_id)).all()
        last = some[-1]


@transactional
def forget_names(session: Session, people: Sequence[int], now: datetime) -> int:
    """Anonymise the old bookings, strikes and events of these people. Returns how many people."""
    row, old = unnest(_stand_ins(session, people, now)), select(Slot.id).where(Slot.date < nameless_before(now))
    who, nobody = (cast(row[n].as_string(), BigInteger) for n in range(2))
    pairs = select(who.label("named"), nobody.label("nobody")).cte("pairs").prefix_with("MATERIALIZED")
    # Events have no index by who acted. On other people's bookings only staff do, who keep their names there.
    own_act = case((Event.actor_id == pairs.c.named, pairs.c.nobody), else_=Event.actor_id)
    also: dict[Any, dict[str, Any]] = {Event: {"actor_id": own_act}}
    for table in (Booking, Strike, Event):
        theirs = update(table).where(table.person_id == pairs.c.named, table.slot_id.in_(old))
        values = {"person_id": pairs.c.nobody, **also.get(table, {})}
        session.execute(theirs.values(values), execution_options=NO_SYNC)
    return len(people)


@transactional
def forget_entries(session: Session, now: datetime) -> int:
    """Whose an old entry was, and who typed an old public value; the draw can be recomputed without.

    A batch; returns how many draws and events of them: 0 once all is done.
    """
    since = nameless_before(now)
    told = select(Event.id).where(text(OF_ENTRIES), Event.at < datetime.combine(since, time(0), UTC))
    done = forget_person(session, Event.id.in_(told.order_by(Event.at).limit(EVENTS_AT_ONCE)))
    for table in (DrawEntry, DrawValue):
        named = exists().where(table.draw_id == Draw.id, table.person_id.is_not(None))
        old = select(Draw.id).where(Draw.date < since, named).order_by(Draw.id.desc()).limit(AT_ONCE)
        draws = session.scalars(old).all()
        theirs = update(table).where(table.draw_id.in_(in_array(draws)))
        session.execute(theirs.values(person_id=None), execution_options=NO_SYNC)
        done += len(draws)
    return done


def nameless_before(now: datetime) -> date:
    """The first day whose bookings keep their names: none of the month in which the day of 180 days ago lies does."""
    month = (now - KEPT_FOR).date().replace(day=1)
    return (month + timedelta(days=31)).replace(day=1)


def _stand_ins(session: Session, people: Sequence[int], now: datetime) -> list[tuple[int, int]]:
    """A new one for each of these people: the ids of both."""
    nobody = {"created_at": now, "deleted_at": now, "wants_digest": False, "wants_manager_digest": False}
    made = session.scalars(insert(Person).returning(Person.id), [nobody] * len(people)).all()
    return list(zip(people, made, strict=True))
