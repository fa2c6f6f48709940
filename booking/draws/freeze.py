"""Freeze: seals the list of a draw when it has closed: numbers, balls and the fingerprint."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from booking.db import statements, transactions
from booking.db.arrays import in_array, update_rows
from booking.db.statements import CompiledStatement
from booking.db.transactions import NO_SYNC, transactional
from booking.draws.balls import balls
from booking.draws.order import list_text, sha256
from booking.history import record
from booking.model import Draw, DrawEntry, Person, Slot

# Options of the UPDATE that takes a draw on, and reads it as it is then.
CLAIMED = NO_SYNC | {"populate_existing": True}


def to_freeze(session: Session, now: datetime) -> Sequence[int]:
    """Draws that have closed and are not frozen."""
    due = select(Draw.id).where(Draw.state == "gathering", Draw.closes_at <= now)
    return session.scalars(due.order_by(Draw.closes_at, Draw.id)).all()


@transactional
def freeze(session: Session, draw_id: int, now: datetime) -> int:
    """Seal the list. The entries of deleted accounts leave before."""
    transactions.plan_by_index(session)
    # The claim waits for whoever enters or leaves at this instant, and everybody after it finds the draw closed.
    mine = update(Draw).where(Draw.id == draw_id, Draw.state == "gathering", Draw.closes_at <= now)
    sealed = mine.values(state="frozen", frozen_at=now, list_sha256="")
    draw = session.scalar(sealed.returning(Draw), execution_options=CLAIMED)
    if draw is None:
        return 0
    _leave_gone(session, draw, now)
    entries = live_entries(session, draw.id)
    own = balls(session, draw.station, [entry.person_id or 0 for entry in entries], now)
    listed = []
    for no, both in enumerate(grouped(entries), 1):
        set_committed_value(both[0], "no", no)
        set_committed_value(both[0], "balls", min(own[entry.person_id or 0] for entry in both))
        set_committed_value(both[0], "people", len(both))
        listed.append(both[0])
    rows = [[entry.id, entry.no, entry.balls, entry.people] for entry in listed]
    _SEAL.run(statements.wrap(session.connection()), rows=rows, ids=[row[0] for row in rows])
    draw.list_sha256 = sha256(list_text(as_published(listed)))
    about: dict[str, Any] = {"station_id": draw.station_id, "draw": draw.id}
    record(session, "frozen", now, **about, entries=len(entries), fingerprint=draw.list_sha256)
    return 1


def live_entries(session: Session, draw_id: int) -> Sequence[DrawEntry]:
    """By tag: the number of an entry says nothing about when it was made."""
    found = select(DrawEntry).where(DrawEntry.draw_id == draw_id, DrawEntry.left_at.is_(None))
    return session.scalars(found.order_by(DrawEntry.tag)).all()


def grouped(entries: Sequence[DrawEntry]) -> list[list[DrawEntry]]:
    """The entries that stand in the list as one: two who enter together, the older first, or one alone."""
    by_id = {entry.id: entry for entry in entries}
    both = ([entry, *([by_id[entry.partner_id]] if entry.partner_id in by_id else [])] for entry in entries)
    return [one for one in both if one[0].id == min(entry.id for entry in one)]


def published_list(session: Session, draw: Draw) -> list[list[Any]]:
    """The frozen list as it is published, read by its columns: a page shows a thousand."""
    columns = (DrawEntry.no, DrawEntry.tag, DrawEntry.balls, DrawEntry.people, DrawEntry.wishes)
    frozen = select(*columns).where(DrawEntry.draw_id == draw.id, DrawEntry.no.is_not(None)).order_by(DrawEntry.no)
    return as_published(session.execute(frozen).all())


def as_published(frozen: Sequence[Any]) -> list[list[Any]]:
    """The frozen list, as `order` reads it: number, tag, balls, people, wishes."""
    return [[entry.no, entry.tag, entry.balls, entry.people, entry.wishes] for entry in frozen]


def slots_of(session: Session, draw: Draw) -> Sequence[Slot]:
    """The slots whose seats this draw gives; those that were cancelled are out of it."""
    same_day = (Slot.station_id == draw.station_id, Slot.date == draw.date, Slot.draw_id == draw.id)
    live = select(Slot).where(*same_day, Slot.state != "cancelled").order_by(Slot.starts_at, Slot.id)
    return session.scalars(live.execution_options(populate_existing=True)).all()


def _leave_gone(session: Session, draw: Draw, now: datetime) -> None:
    gone = exists().where(Person.id == DrawEntry.person_id, Person.deleted_at.is_not(None))
    theirs = update(DrawEntry).where(DrawEntry.draw_id == draw.id, DrawEntry.left_at.is_(None), gone)
    leaving = theirs.values(left_at=now, partner_id=None).returning(DrawEntry.id, DrawEntry.person_id)
    left = session.execute(leaving, execution_options=NO_SYNC).all()
    with_them = DrawEntry.partner_id.in_(in_array([row.id for row in left]))
    session.execute(update(DrawEntry).where(with_them).values(partner_id=None), execution_options=NO_SYNC)
    for person_id in sorted(row.person_id or 0 for row in left):
        about: dict[str, Any] = {"station_id": draw.station_id, "person_id": person_id, "draw": draw.id}
        record(session, "left", now, reason="gone", **about)


_SEAL = CompiledStatement(update_rows(DrawEntry, ("no", "balls", "people")))
