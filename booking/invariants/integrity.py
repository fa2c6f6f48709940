"""Integrity, I9: foreign keys hold, and rows that belong together belong to one station."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    ForeignKey,
    Select,
    Table,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from booking.model import Activity, ActivityWish, Base, Booking, Event, Picture, Plan, Slot, Strike, Zone
from booking.pictures import NAME_LENGTH


def integrity(session: Session, _now: datetime) -> Iterator[str]:
    if session.get_bind().dialect.name == "sqlite":
        yield from _sqlite(session)
    else:
        yield from _orphans(session)
    yield from _mixed(session)
    yield from _merged_apart(session)
    yield from _crowded_zones(session)
    yield from _missing_pictures(session)


def _sqlite(session: Session) -> Iterator[str]:
    for told in session.scalars(text("PRAGMA integrity_check")):
        if told != "ok":
            yield f"I9 the file is damaged: {told}"
    for table, row, parent, _key in session.execute(text("PRAGMA foreign_key_check")):
        yield f"I9 {table} row {row}: its {parent} does not exist"


def _orphans(session: Session) -> Iterator[str]:
    for child, column, parent, count in session.execute(_lost_parents()):
        yield f"I9 {child}.{column}: {count} rows lead to no {parent}"


@cache
def _lost_parents() -> CompoundSelect[Any]:
    """One row for each foreign key that rows break: table, column, parent table, how many. One statement for all."""
    keys = [(table, key) for table in Base.metadata.sorted_tables for key in table.foreign_keys]
    return union_all(*(_orphans_of(table, key) for table, key in sorted(keys, key=lambda pair: pair[1].parent.name)))


def _orphans_of(table: Table, key: ForeignKey) -> Select[str, str, str, int]:
    parent = key.column.table.alias()
    there = exists().where(parent.c[key.column.name] == key.parent)
    where = literal(table.name), literal(key.parent.name), literal(key.column.table.name)
    lost = select(*where, func.count()).select_from(table).where(key.parent.is_not(None), ~there)
    return lost.having(func.count() > 0)


def _mixed(session: Session) -> Iterator[str]:
    """Rows of one station that refer to a row of another."""
    pairs: tuple[tuple[type[Base], type[Base], ColumnElement[bool]], ...] = (
        (Booking, Slot, Booking.slot_id == Slot.id),
        (Strike, Slot, Strike.slot_id == Slot.id),
        (Event, Slot, Event.slot_id == Slot.id),
        (Slot, Zone, Slot.zone_id == Zone.id),
        (Slot, Activity, Slot.activity_id == Activity.id),
        (Slot, Plan, Slot.plan_id == Plan.id),
        (Plan, Zone, Plan.zone_id == Zone.id),
        (Plan, Activity, Plan.activity_id == Activity.id),
        (ActivityWish, Slot, ActivityWish.slot_id == Slot.id),
    )
    for child, parent, joined in pairs:
        apart = child.__table__.c.station_id != parent.__table__.c.station_id
        rows = select(child.__table__.c.id).select_from(child).join(parent, and_(joined, apart))
        for row_id in session.scalars(rows.order_by(child.__table__.c.id)):
            yield f"I9 {child.__tablename__} {row_id}: its {parent.__tablename__} is of another station"


def _merged_apart(session: Session) -> Iterator[str]:
    """Wishes that were merged into one of another station, or into one that is merged itself."""
    into = aliased(ActivityWish)
    wrong = or_(into.station_id != ActivityWish.station_id, into.merged_into.is_not(None))
    rows = select(ActivityWish.id).join(into, ActivityWish.merged_into == into.id).where(wrong)
    for row_id in session.scalars(rows.order_by(ActivityWish.id)):
        yield f"I9 activity_wish {row_id}: it was merged where it cannot be"


def _crowded_zones(session: Session) -> Iterator[str]:
    """If two slots of a zone overlap, then one begins before all the earlier ones have ended."""
    slot = aliased(Slot)
    ended = func.max(slot.ends_at).over(partition_by=slot.zone_id, order_by=(slot.starts_at, slot.id), rows=(None, -1))
    held = select(slot.id, slot.zone_id, slot.starts_at, ended.label("ended")).where(slot.state != "cancelled")
    rows = held.subquery()
    for slot_id, zone_id in session.execute(select(rows.c.id, rows.c.zone_id).where(rows.c.ended > rows.c.starts_at)):
        yield f"I9 slot {slot_id}: overlaps another in zone {zone_id}"


def _missing_pictures(session: Session) -> Iterator[str]:
    """Activities whose uploaded picture is not stored."""
    stored = exists().where(Picture.name == Activity.picture)
    lost = select(Activity.id).where(func.length(Activity.picture) == NAME_LENGTH, ~stored).order_by(Activity.id)
    for activity_id in session.scalars(lost):
        yield f"I9 activity {activity_id}: its picture is not stored"
