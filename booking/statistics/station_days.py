"""Station days: counts each day of each station once it is over, so that the list of all stations adds up few rows."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, exists, func, insert, literal, select
from sqlalchemy.orm import Session

from booking import clock
from booking.db.arrays import in_array
from booking.db.transactions import transactional
from booking.model import Slot, Station, StationDayTotals
from booking.seats import BOOKS_OPEN
from booking.statistics.facts import counted_slots
from booking.workdays import ONE_DAY

# For so many days back the days are counted, also by an installation that has not counted any yet.
COUNTED_FOR = 28 * ONE_DAY
# A day counts as over so long after its midnight: who was there can be told for `BOOKS_OPEN` after a slot's end.
BOOKS_CLOSE = BOOKS_OPEN + timedelta(hours=1)


def days_to_count(session: Session, now: datetime) -> list[date]:
    """The days that are over at all stations and that are not counted at each of them."""
    zones = session.scalars(select(Station.zone_name).distinct()).all()
    if not zones:
        return []
    today = min(clock.at_station(now - BOOKS_CLOSE, zone).date() for zone in zones)
    first = today - COUNTED_FOR
    stations = session.scalar(select(func.count(Station.id)))
    full = select(StationDayTotals.date).where(StationDayTotals.date >= first).group_by(StationDayTotals.date)
    counted = set(session.scalars(full.having(func.count() == stations)))
    days = (first + ONE_DAY * n for n in range(COUNTED_FOR.days))
    return [day for day in days if day not in counted]


def stations_to_count(session: Session, day: date) -> Sequence[int]:
    """The stations of which this day is not counted."""
    known = exists().where(StationDayTotals.station_id == Station.id, StationDayTotals.date == day)
    return session.scalars(select(Station.id).where(~known).order_by(Station.id)).all()


@transactional
def count_day(session: Session, day: date, station_ids: Sequence[int]) -> int:
    """Count this day at these stations, where it is not counted yet. Returns at how many."""
    held = (Slot.station_id.in_(in_array(station_ids)), Slot.date == day, Slot.state == "done")
    slot = counted_slots().where(*held).order_by(None).subquery()
    # The same terms as `Tally.fill` and `Tally.no_show_rate`.
    sums: dict[str, ColumnElement[Any]] = {
        "slots": func.count(slot.c.id),
        "seats": func.coalesce(func.sum(slot.c.seats).filter(slot.c.unrecorded == 0), 0),
        "visits": _sum(slot.c.visits),
        "expected": _sum(slot.c.visits - slot.c.walk_ins + slot.c.no_shows),
        "no_shows": _sum(slot.c.no_shows),
    }
    known = exists().where(StationDayTotals.station_id == Station.id, StationDayTotals.date == day)
    rows = (
        select(literal(day, Date), Station.id, *sums.values())
        .outerjoin_from(Station, slot, slot.c.station_id == Station.id)
        .where(Station.id.in_(in_array(station_ids)), ~known)
        .group_by(Station.id)
    )
    counted = (
        insert(StationDayTotals).from_select(["date", "station_id", *sums], rows).returning(StationDayTotals.station_id)
    )
    return len(session.scalars(counted).all())


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(column), 0)
