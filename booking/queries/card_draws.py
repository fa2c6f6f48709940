"""Draws on cards: what the card of a slot says of its draw, and a reader's wishes in the draws that are not decided."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, func, select
from sqlalchemy.sql.elements import ColumnElement

from booking import draws
from booking.db.statements import CompiledStatement, DriverConnection, param
from booking.model import UNDECIDED, Draw, DrawEntry, Slot


class CardDraw(NamedTuple):
    """The draw of a slot, the same for all readers. `entered` and `seats` are those of the whole draw, which gives the
    seats of so many `slots`."""

    id: int
    state: str
    opens_at: datetime
    closes_at: datetime
    value_from: datetime | None
    entered: int
    seats: int
    slots: int

    @property
    def result_at(self) -> datetime:
        return draws.result_at(self)

    def phase(self, now: datetime) -> str:
        return phase(self, now)


class Wishes(NamedTuple):
    """A reader's entry in a draw: slot ids, the best first."""

    entry_id: int
    slots: tuple[int, ...]


def phase(draw: Draw | CardDraw, now: datetime) -> str:
    """What the clock says of a draw: soon, gathering, sealed, drawn or void."""
    if draw.state in ("drawn", "void"):
        return draw.state
    if now < draw.opens_at:
        return "soon"
    return "gathering" if draw.state == "gathering" and now < draw.closes_at else "sealed"


def between(connection: DriverConnection, station_id: int, first: date, last: date) -> dict[int, CardDraw]:
    """By slot, of a station's slots in these days that wait for their draw."""
    rows = _DRAWS.run(connection, station_id=station_id, first=first, last=last)
    seats: dict[int, list[int]] = {}
    for row in rows:
        seats.setdefault(row[2], []).append(row[1])
    return {row[0]: CardDraw._make((*row[2:], sum(seats[row[2]]), len(seats[row[2]]))) for row in rows}


def wishes_of(told: str | None) -> tuple[Wishes, ...]:
    """The wishes in a column made by `wishes_in_one_column`."""
    pairs = (each.split(":", 1) for each in told.split(";")) if told else ()
    return tuple(Wishes(int(entry_id), tuple(map(int, slots.strip("[]").split(",")))) for entry_id, slots in pairs)


def wishes_in_one_column(person_id: Any, station_id: Any) -> ColumnElement[str]:
    """A person's wishes in the undecided draws of a station, as one column of a larger statement."""
    mine = cast(DrawEntry.id, Text) + ":" + cast(DrawEntry.wishes, Text)
    return (
        select(func.aggregate_strings(mine, ";"))
        .join_from(DrawEntry, Draw, Draw.id == DrawEntry.draw_id)
        .where(DrawEntry.person_id == person_id, DrawEntry.left_at.is_(None))
        .where(Draw.station_id == station_id, Draw.state.in_(UNDECIDED))
        .scalar_subquery()
    )


def entered(wishes: Sequence[Wishes], draw: CardDraw, draws: Mapping[int, CardDraw]) -> Wishes | None:
    """The reader's entry in a draw, by the draws of the slots."""
    return next((one for one in wishes if any(n in draws and draws[n].id == draw.id for n in one.slots)), None)


_live = select(func.count(DrawEntry.id)).where(DrawEntry.draw_id == Draw.id, DrawEntry.left_at.is_(None))
# A draw is of one day: each of its slots that can still be drawn is among the rows of that day.
_DRAWS = CompiledStatement(
    select(
        Slot.id,
        Slot.capacity,
        Draw.id,
        Draw.state,
        Draw.opens_at,
        Draw.closes_at,
        Draw.value_from,
        _live.scalar_subquery(),
    )
    .join_from(Slot, Draw, Draw.id == Slot.draw_id)
    .where(Slot.station_id == param("station_id"), Slot.date.between(param("first"), param("last")))
    .where(Slot.state == "planned")
    .order_by(Slot.id)
)
