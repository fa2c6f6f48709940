"""Entry list: the live entries of draws, read by their columns, of many draws at once: a city's close at one instant."""

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from booking.db.arrays import is_in_array
from booking.db.statements import CompiledStatement, DriverConnection
from booking.model import Draw, DrawEntry


class LiveEntry(NamedTuple):
    """An entry that has not been left."""

    id: int
    draw_id: int
    person_id: int
    partner_id: int | None
    no: int | None
    tag: str
    balls: int | None
    people: int
    wishes: list[int]


def live_entries(connection: DriverConnection, draws: Collection[int]) -> dict[int, list[LiveEntry]]:
    """By draw, and by tag: the number of an entry says nothing about when it was made."""
    found: dict[int, list[LiveEntry]] = {draw_id: [] for draw_id in draws}
    read = json.loads
    for row in _LIVE.run(connection, draws=list(found)):
        found[row[1]].append(LiveEntry._make((*row[:8], read(row[8]))))
    return found


def grouped(entries: Sequence[LiveEntry]) -> list[list[LiveEntry]]:
    """The entries that stand in the list as one: two who enter together, the older first, or one alone."""
    by_id = {entry.id: entry for entry in entries}
    groups = []
    for entry in entries:
        other = by_id.get(entry.partner_id) if entry.partner_id else None
        if other is None:
            groups.append([entry])
        elif entry.id < other.id:
            groups.append([entry, other])
    return groups


def published_list(session: Session, draw: Draw) -> list[list[Any]]:
    """The frozen list as it is published, read by its columns: a page shows a thousand."""
    columns = (DrawEntry.no, DrawEntry.tag, DrawEntry.balls, DrawEntry.people, DrawEntry.wishes)
    frozen = select(*columns).where(DrawEntry.draw_id == draw.id, DrawEntry.no.is_not(None)).order_by(DrawEntry.no)
    return as_published(session.execute(frozen).all())


def as_published(frozen: Sequence[Any]) -> list[list[Any]]:
    """The frozen list, as `order` reads it: number, tag, balls, people, wishes."""
    return [[entry.no, entry.tag, entry.balls, entry.people, entry.wishes] for entry in frozen]


_columns = (DrawEntry.id, DrawEntry.draw_id, DrawEntry.person_id, DrawEntry.partner_id)
_listed = (DrawEntry.no, DrawEntry.tag, DrawEntry.balls, DrawEntry.people, cast(DrawEntry.wishes, Text))
_LIVE = CompiledStatement(
    select(*_columns, *_listed)
    .where(is_in_array(DrawEntry.draw_id, "draws"), DrawEntry.left_at.is_(None))
    .order_by(DrawEntry.draw_id, DrawEntry.tag)
)
