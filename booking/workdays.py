"""The calendar: which dates are workdays, as data in the database.

Announced dates (the State Council's, with 调休) are rows of `workday`; a manager's word on one date
of one station is stronger; a date that nobody has announced is Monday to Friday, and tentative.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import chinese_calendar
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.model import DayOverride, Workday
from booking.refusals import Refused

ONE_DAY = timedelta(days=1)
# Enough to find the workday before any date: no rest in China lasts longer than this.
LOOK_BACK = timedelta(days=40)


@dataclass(frozen=True)
class Day:
    """One date at one station. `follows` is the ISO weekday whose plans run on it; `name` a holiday's."""

    date: date
    works: bool
    follows: int
    name: str = ""
    tentative: bool = False
    overridden: bool = False


class Calendar:
    """A stretch of days at one station, read once."""

    def __init__(self, announced: Mapping[date, Workday], overrides: Mapping[date, DayOverride]) -> None:
        self._announced = announced
        self._overrides = overrides

    def day(self, when: date) -> Day:
        known, said = self._announced.get(when), self._overrides.get(when)
        weekday = when.isoweekday()
        if said:
            return Day(when, said.works, said.follows or weekday, said.note, overridden=True)
        if known:
            return Day(when, known.works, weekday, known.name)
        return Day(when, weekday <= 5, weekday, tentative=True)

    def is_workday(self, when: date) -> bool:
        return self.day(when).works

    def workday_before(self, when: date, steps: int = 1) -> date:
        """The `steps`-th workday before `when`; 0 is the day itself."""
        for _ in range(steps):
            when -= ONE_DAY
            while not self.is_workday(when):
                when -= ONE_DAY
        return when


def load(session: Session, station_id: int | None, first: date, last: date) -> Calendar:
    """The calendar of a station from `first` to `last`, both included; None reads the country's alone."""
    start = first - LOOK_BACK
    announced = session.scalars(select(Workday).where(Workday.date.between(start, last)))
    mine = select(DayOverride).where(DayOverride.station_id == station_id, DayOverride.date.between(start, last))
    return Calendar({row.date: row for row in announced}, {row.date: row for row in session.scalars(mine)})


def known_until(session: Session) -> date | None:
    """The last date that has been announced."""
    return session.scalar(select(func.max(Workday.date)))


def seed(session: Session) -> int:
    """Add every year that the seed library knows and the table does not. Returns the dates added."""
    have = set(session.scalars(select(func.extract("year", Workday.date)).distinct()))
    rows = [row for year in _seed_years() if year not in have for row in _seed_year(year)]
    session.add_all(rows)
    return len(rows)


def import_days(session: Session, text_form: Any, source: str = "import") -> list[date]:
    """Take over a year in the holiday-cn JSON form. Returns the dates whose meaning changed.

    The form is `{"year": 2027, "papers": [], "days": [{"name", "date", "isOffDay"}]}`: it lists only
    the exceptions, all other dates of that year become plain weekdays. Refuses with `bad_calendar`.
    """
    year, exceptions = _read_form(text_form)
    before = {
        row.date: row for row in session.scalars(select(Workday).where(func.extract("year", Workday.date) == year))
    }
    changed = []
    for when in _dates(year):
        name, works = exceptions.get(when, ("", when.isoweekday() <= 5))
        row = before.get(when)
        if works != (row.works if row else when.isoweekday() <= 5):
            changed.append(when)
        session.merge(Workday(date=when, works=works, name=name, source=source))
    return changed


def override(session: Session, station_id: int, when: date, works: bool, follows: int | None, note: str) -> None:
    """A manager's word on one date of one station."""
    session.merge(DayOverride(station_id=station_id, date=when, works=works, follows=follows, note=note))


def clear_override(session: Session, station_id: int, when: date) -> None:
    said = session.get(DayOverride, (station_id, when))
    if said is not None:
        session.delete(said)


def _dates(year: int) -> Iterator[date]:
    when = date(year, 1, 1)
    while when.year == year:
        yield when
        when += ONE_DAY


def _seed_years() -> range:
    years = [when.year for when in chinese_calendar.holidays]
    return range(max(min(years), 2024), max(years) + 1)


def _seed_year(year: int) -> Iterator[Workday]:
    # holidays of the library also name days of the year before or after: ask it date by date.
    for when in _dates(year):
        _, holiday = chinese_calendar.get_holiday_detail(when)
        works = chinese_calendar.is_workday(when)
        yield Workday(date=when, works=works, name=_CHINESE.get(holiday or "", ""), source="chinesecalendar")


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


def _read_form(form: Any) -> tuple[int, dict[date, tuple[str, bool]]]:
    try:
        year = int(form["year"])
        days = {date.fromisoformat(d["date"]): (str(d["name"])[:40], not d["isOffDay"]) for d in form["days"]}
        datetime(year, 1, 1)  # noqa: DTZ001 (only to refuse a year that is none)
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("bad_calendar") from error
    # The form of December names the first of January too: only its own year counts.
    return year, {when: said for when, said in days.items() if when.year == year}
