"""Draws in the statistics: of each, how many entered for how many seats, and how many of the drawn seats were used."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Integer, case, func, select
from sqlalchemy.orm import Session

from booking import draws
from booking.model import Booking, Draw, Event, Slot


class DrawTally(NamedTuple):
    """Totals of some draws of a day or of several. `given` are the seats that were drawn, `used` those whose people came.

    A void draw has entries, but none that is `counted`, and no seats. Of the seats `unseen` nobody knows who came: no
    attendance was taken.
    """

    date: date | None
    draws: int = 0
    void: int = 0
    entries: int = 0
    counted: int = 0
    seats: int = 0
    given: int = 0
    used: int = 0
    unseen: int = 0

    @property
    def odds(self) -> float | None:
        """The share of entries that were drawn a seat; None where none is counted."""
        return self.given / self.counted if self.counted else None

    @property
    def use(self) -> float | None:
        """The share of drawn seats that were used, where attendance was taken."""
        seen = self.given - self.unseen
        return self.used / seen if seen else None


def of_draws(session: Session, station_id: int, first: date, last: date) -> list[DrawTally]:
    """The decided draws of a station's days, whose slots are all over, in their order."""
    over = Slot.state.in_(("done", "cancelled"))
    open_ones = select(Slot.id).where(
        Slot.draw_id == Draw.id, Slot.station_id == station_id, Slot.date == Draw.date, ~over
    )
    decided = (Draw.state.in_(("drawn", "void")), ~open_ones.exists())
    found = select(Draw).where(Draw.station_id == station_id, Draw.date.between(first, last), *decided)
    ended = session.scalars(found.order_by(Draw.date, Draw.opens_at)).all()
    entries = draws.entered(session, [draw.id for draw in ended])
    seats = _seats(session, station_id, first, last)
    return [_tally(draw, entries.get(draw.id, 0), seats.get(draw.id, (0, 0, 0))) for draw in ended]


def total(tallies: Sequence[DrawTally]) -> DrawTally:
    """All of them together."""
    return DrawTally(None, *(sum(column) for column in zip(*(one[1:] for one in tallies), strict=True)))


def _tally(draw: Draw, entries: int, seats: tuple[int, int, int]) -> DrawTally:
    void = draw.state == "void"
    return DrawTally(draw.date, 1, int(void), entries, 0 if void else entries, sum(draw.seats.values()), *seats)


def _seats(session: Session, station_id: int, first: date, last: date) -> dict[int, tuple[int, int, int]]:
    """By draw, how many seats were given, used, and given where nobody took attendance.

    By the history: what a seat came by changes when it is moved down or used late, and its entry forgets the person.
    """
    used = func.sum(case((Booking.state == "attended", 1), else_=0))
    unseen = func.sum(case((Booking.state == "unrecorded", 1), else_=0))
    counted = (
        select(Slot.draw_id, func.count(), used.cast(Integer), unseen.cast(Integer))
        .join(Event, Event.slot_id == Slot.id)
        .join(Booking, Booking.id == Event.booking_id)
        .where(Slot.station_id == station_id, Slot.date.between(first, last), Slot.draw_id.is_not(None))
        .where(Event.kind == "drawn")
        .group_by(Slot.draw_id)
    )
    return {row[0] or 0: (row[1], row[2], row[3]) for row in session.execute(counted)}
