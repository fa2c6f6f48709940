"""Day totals: the row of numbers of each station's day, counted anew whenever one of its held slots changes.

A slot that ends counts its day in the transaction that closes it, and so does whatever changes a closed slot later. Once
the day is over it is counted for good (`final`), also what depends on slots that were not held: entries of draws.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Insert, Select, func, literal, or_, select
from sqlalchemy.orm import Session

from booking.db import transactions, upsert
from booking.db.arrays import is_in_array
from booking.db.statements import CompiledStatement, param, wrap
from booking.model import Booking, Draw, DrawEntry, Slot, Station, StationDayTotals
from booking.seats.held_slots import HELD, counted_slots, turned_away

DECIDED = ("drawn", "void")


def count_days_of(session: Session, slots: Iterable[Slot]) -> None:
    """Count the days of these slots anew, of those that are closed."""
    days: dict[date, set[int]] = defaultdict(set)
    for slot in slots:
        if slot.state == "done":
            days[slot.date].add(slot.station_id)
    for day, station_ids in sorted(days.items()):
        count_day(session, day, station_ids)


def count_day(session: Session, day: date, station_ids: Collection[int], *, final: bool = False) -> None:
    """Count this day at these stations, whatever was counted before. Locks nothing but its rows, so it comes last."""
    transactions.lock_days(session, day, station_ids)
    session.flush()
    # In a statement of its own: it sees what others committed before the locks were given.
    connection = wrap(session.connection())
    count = _COUNT_FOR_GOOD if final else _COUNT
    count[connection.dialect.name].run(connection, day=day, ids=sorted(station_ids))


def _upsert(insert: upsert.InsertInto, *, final: bool) -> Insert:
    """The statement that counts, with the INSERT of one dialect."""
    counted = _counted(final=final)
    names = [column.name for column in counted.selected_columns]
    wanted = insert(StationDayTotals).from_select(names, counted)
    given: Any = wanted.excluded
    new = {name: given[name] for name in names if name not in ("date", "station_id")}
    new["final"] = or_(StationDayTotals.final, given.final)
    return wanted.on_conflict_do_update(index_elements=["date", "station_id"], set_=new)


def _counted(*, final: bool) -> Select[Any]:
    """The rows as they should be. The same terms as `Tally` and `DrawTally` of the statistics."""
    day = param("day", Date())
    theirs = (is_in_array(Slot.station_id, "ids"), Slot.date == day)
    slot = counted_slots().where(*theirs, HELD).subquery()
    attended = slot.c.unrecorded == 0
    sums = {
        "slots": func.count(slot.c.id),
        "seats": func.sum(slot.c.seats).filter(attended),
        "visits": func.sum(slot.c.visits),
        "expected": func.sum(slot.c.visits - slot.c.walk_ins + slot.c.no_shows),
        "no_shows": func.sum(slot.c.no_shows),
        "walk_ins": func.sum(slot.c.walk_ins),
        "late_cancels": func.sum(slot.c.late),
        "watched": func.sum(slot.c.watched),
    }
    held = _by_station(slot.c.station_id, sums)
    away = turned_away(Booking.person_id, Slot.station_id).where(*theirs).subquery()
    asked = _by_station(away.c.station_id, {"turned_away": func.count(away.c.person_id.distinct())})
    draws = _by_station(Draw.station_id, {"entries": func.count(DrawEntry.id)}, *_decided(day))
    columns = [_or_zero(part.c[name]) for part in (held, asked, draws) for name in part.c.keys()[1:]]
    return (
        select(day.label("date"), Station.id.label("station_id"), *columns, literal(final).label("final"))
        .outerjoin(held, held.c.station_id == Station.id)
        .outerjoin(asked, asked.c.station_id == Station.id)
        .outerjoin(draws, draws.c.station_id == Station.id)
        .where(is_in_array(Station.id, "ids"))
    )


def _by_station(station_id: Any, counts: dict[str, ColumnElement[Any]], *which: ColumnElement[bool]) -> Any:
    named = [count.label(name) for name, count in counts.items()]
    return select(station_id.label("station_id"), *named).where(*which).group_by(station_id).subquery()


def _decided(day: ColumnElement[date]) -> tuple[ColumnElement[bool], ...]:
    """The entries of a day's draws that are decided and whose slots are all over."""
    open_ones = select(Slot.id).where(
        Slot.draw_id == Draw.id,
        Slot.station_id == Draw.station_id,
        Slot.date == Draw.date,
        Slot.state.not_in(("done", "cancelled")),
    )
    of_day = (Draw.date == day, is_in_array(Draw.station_id, "ids"), Draw.state.in_(DECIDED), ~open_ones.exists())
    return *of_day, DrawEntry.draw_id == Draw.id, DrawEntry.left_at.is_(None)


def _or_zero(count: Any) -> ColumnElement[Any]:
    return func.coalesce(count, 0).label(count.name)


# By dialect.
_COUNT, _COUNT_FOR_GOOD = (
    {name: CompiledStatement(_upsert(insert, final=final)) for name, insert in upsert.INSERTS.items()}
    for final in (False, True)
)
