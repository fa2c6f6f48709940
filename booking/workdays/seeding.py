"""Seeding: fills the calendar table from libraries: announced years, and statutory holidays for the coming ones."""

from collections.abc import Iterator
from datetime import date

import chinese_calendar
from sqlalchemy import delete, extract, select
from sqlalchemy.orm import Session

from booking.db.transactions import advisory_lock, transactional
from booking.model import Workday
from booking.workdays import statutory
from booking.workdays.lookup import ONE_DAY, STATUTORY, announced_years

# For so many years after the last announced one the table has the statutory holidays: nothing is planned later.
YEARS_AHEAD = 5

_CHINESE = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


def seed(session: Session) -> int:
    """Add every year that the libraries know and the table does not. Returns the number of dates added.

    The libraries take seconds on a small computer: they are asked before the transaction, in which nobody else writes.
    """
    known = announced_years(session)
    new = [year for year in seed_years() if year not in known]
    announced = [row for year in new for row in seed_year(year)]
    legal = _statutory(session, known | set(new))
    return _write(session, new, announced, legal) if announced or legal else 0


def dates(year: int) -> Iterator[date]:
    when = date(year, 1, 1)
    while when.year == year:
        yield when
        when += ONE_DAY


def seed_years() -> range:
    years = [when.year for when in chinese_calendar.holidays]
    return range(max(min(years), 2024), max(years) + 1)


def seed_year(year: int) -> Iterator[Workday]:
    # chinese_calendar's holidays include days of neighbouring years: ask it date by date.
    for when in dates(year):
        _, holiday = chinese_calendar.get_holiday_detail(when)
        works = chinese_calendar.is_workday(when)
        yield Workday(date=when, works=works, name=_CHINESE.get(holiday or "", ""), source="chinesecalendar")


def _statutory(session: Session, known: set[int]) -> list[Workday]:
    """Statutory holidays of unannounced years; the library for them is loaded only when a year is missing."""
    year = extract("year", Workday.date)
    have = {int(found) for found in session.scalars(select(year).where(Workday.source == STATUTORY).distinct())}
    lacking = set(range(min(known), max(known) + 1 + YEARS_AHEAD)) - known - have
    days = [found for year in sorted(lacking) for found in statutory.days_off(year).items()]
    return [Workday(date=when, works=False, name=name, source=STATUTORY) for when, name in days]


@transactional
def _write(session: Session, new: list[int], announced: list[Workday], legal: list[Workday]) -> int:
    advisory_lock(session, "workdays")
    session.execute(delete(Workday).where(extract("year", Workday.date).in_(new), Workday.source == STATUTORY))
    return _add(session, announced) + _add(session, legal)


def _add(session: Session, rows: list[Workday]) -> int:
    """Add rows; dates that a notice has set already are kept."""
    if not rows:
        return 0
    said = set(session.scalars(select(Workday.date).where(Workday.date.between(rows[0].date, rows[-1].date))))
    added = [row for row in rows if row.date not in said]
    session.add_all(added)
    return len(added)
