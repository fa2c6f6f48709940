"""Station days: counts each day of each station for good once it is over, also where no slot has ended on it.

Until then a day is counted whenever a slot ends (`seats.day_totals`).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from booking import clock, seats
from booking.db.transactions import transactional
from booking.model import Station, StationDayTotals
from booking.seats import BOOKS_OPEN
from booking.workdays import ONE_DAY

# For so many days back the days are counted, also by an installation that has not counted any yet: this month and the
# one before, whole.
COUNTED_FOR = 62 * ONE_DAY
# A day counts as over so long after its midnight: who was there can be told for `BOOKS_OPEN` after a slot's end.
BOOKS_CLOSE = BOOKS_OPEN + timedelta(hours=1)


def days_to_count(session: Session, now: datetime) -> list[date]:
    """The days that are over at all stations and are not counted for good at each of them."""
    zones = session.scalars(select(Station.zone_name).distinct()).all()
    if not zones:
        return []
    today = min(clock.at_station(now - BOOKS_CLOSE, zone).date() for zone in zones)
    first = today - COUNTED_FOR
    stations = session.scalar(select(func.count(Station.id)))
    done = (StationDayTotals.date >= first, StationDayTotals.final)
    full = select(StationDayTotals.date).where(*done).group_by(StationDayTotals.date)
    counted = set(session.scalars(full.having(func.count() == stations)))
    days = (first + ONE_DAY * n for n in range(COUNTED_FOR.days))
    return [day for day in days if day not in counted]


def stations_to_count(session: Session, day: date) -> Sequence[int]:
    """The stations of which this day is not counted for good."""
    known = exists().where(
        StationDayTotals.station_id == Station.id, StationDayTotals.date == day, StationDayTotals.final
    )
    return session.scalars(select(Station.id).where(~known).order_by(Station.id)).all()


@transactional
def count_day(session: Session, day: date, station_ids: Sequence[int]) -> int:
    """Count this day, which is over, at these stations. Returns at how many. Safe to repeat."""
    seats.count_day(session, day, station_ids, final=True)
    return len(station_ids)
