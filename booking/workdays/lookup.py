"""Lookup: which dates are workdays at a station.

Announced dates (the State Council's, with 调休) are rows of `workday`, and so are the statutory holidays of years not
announced yet; a manager's override of one date at one station is stronger; any other date is Monday to Friday.
Statutory and weekday dates of unannounced years are tentative.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Integer, SmallInteger, cast, extract, false, func, literal, null, select, true, union_all
from sqlalchemy.orm import Session

from booking.db.arrays import is_in_array
from booking.db.statements import CompiledStatement, DriverConnection, param, wrap
from booking.model import DayOverride, Workday

# `Workday.source` of a statutory holiday: it is no announcement.
STATUTORY = "law"
# How far ahead the days should be announced before managers are warned.
AHEAD = timedelta(days=60)
ONE_DAY = timedelta(days=1)
# Enough to find the workday before any date: no holiday in China lasts longer than this.
LOOK_BACK = timedelta(days=40)
# Enough to find the 20th workday after any date.
LOOK_AHEAD = timedelta(days=80)


@dataclass(frozen=True)
class Day:
    """One date at one station. `follows` is the ISO weekday whose plans run on it; `name` a holiday's."""

    date: date
    works: bool
    follows: int
    name: str = ""
    tentative: bool = False
    overridden: bool = False


class DateRow(NamedTuple):
    """A row of `workday`, or a station's own of `day_override`."""

    date: date
    works: bool
    name: str
    source: str
    follows: int | None = None
    is_override: bool = False


class Calendar:
    """A range of days at one station, read once."""

    def __init__(self, rows: Iterable[DateRow]) -> None:
        self._said = {(row.date, row.is_override): row for row in rows}

    def day(self, when: date) -> Day:
        known, said = self._said.get((when, False)), self._said.get((when, True))
        weekday = when.isoweekday()
        if said:
            return Day(when, said.works, said.follows or weekday, said.name, overridden=True)
        if known:
            return Day(when, known.works, weekday, known.name, tentative=known.source == STATUTORY)
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

    def workday_after(self, when: date, steps: int = 1) -> date:
        """The `steps`-th workday after `when`; 0 is the day itself."""
        for _ in range(steps):
            when += ONE_DAY
            while not self.is_workday(when):
                when += ONE_DAY
        return when


def load(session: Session, station_id: int | None, first: date, last: date) -> Calendar:
    """The calendar of a station from `first` to `last`, both included; None reads the country's alone."""
    stations = [] if station_id is None else [station_id]
    return read(wrap(session.connection()), stations, first - LOOK_BACK, last)[station_id]


def read(
    connection: DriverConnection, stations: Collection[int], first: date, last: date
) -> dict[int | None, Calendar]:
    """Of each of these stations the same, and the country's (None), without the days before that `workday_before` needs."""
    rows = _DATES.run(connection, stations=list(stations), first=first, last=last)
    own: dict[int | None, list[DateRow]] = {station_id: [] for station_id in (None, *stations)}
    for station_id, *row in rows:
        own[station_id].append(DateRow._make(row))
    return {station_id: Calendar([*own[None], *said]) for station_id, said in own.items()}


def load_each(session: Session, first: date, last: date) -> tuple[Calendar, dict[int, Calendar]]:
    """The country's calendar, and those of the stations that have overrides of their own in these days."""
    wanted = {"first": first - LOOK_BACK, "last": last}
    country = [DateRow._make(row[1:]) for row in _DATES.run(wrap(session.connection()), stations=[], **wanted)]
    own: dict[int, list[DateRow]] = {}
    for row in session.scalars(select(DayOverride).where(DayOverride.date.between(first - LOOK_BACK, last))):
        said = DateRow(row.date, row.works, row.note, "", row.follows, is_override=True)
        own.setdefault(row.station_id, []).append(said)
    return Calendar(country), {station_id: Calendar([*country, *rows]) for station_id, rows in own.items()}


def announced_years(session: Session) -> set[int]:
    """The years with an announcement for every date. A notice also has some days of the December before its own."""
    year = extract("year", Workday.date)
    counted = select(year).where(Workday.source != STATUTORY).group_by(year).having(func.count() >= 365)
    return {int(found) for found in session.scalars(counted)}


def sources(session: Session) -> dict[int, str]:
    """For each year the source of most of its rows, in order of the years."""
    year = extract("year", Workday.date)
    counted = select(year, Workday.source).group_by(year, Workday.source).order_by(year, func.count())
    return {int(found): source for found, source in session.execute(counted)}


def known_until(session: Session, today: date) -> date | None:
    """The last date up to which every day from today on has been announced, or before today where today has not."""
    known, year = announced_years(session), today.year
    while year in known:
        year += 1
    last = year - 1 if year > today.year else max((past for past in known if past < year), default=None)
    return date(last, 12, 31) if last else None


def ends_soon(known: date | None, today: date) -> bool:
    """Whether fewer days than required are announced."""
    return known is None or known < today + AHEAD


def override(session: Session, station_id: int, when: date, works: bool, follows: int | None, note: str) -> None:
    """Set a manager's override of one date at one station."""
    session.merge(DayOverride(station_id=station_id, date=when, works=works, follows=follows, note=note))


def clear_override(session: Session, station_id: int, when: date) -> None:
    said = session.get(DayOverride, (station_id, when))
    if said is not None:
        session.delete(said)


_between = param("first"), param("last")
_DATES = CompiledStatement(
    union_all(
        select(
            cast(null(), Integer),
            Workday.date,
            Workday.works,
            Workday.name,
            Workday.source,
            cast(null(), SmallInteger),
            false(),
        ).where(Workday.date.between(*_between)),
        select(
            DayOverride.station_id,
            DayOverride.date,
            DayOverride.works,
            DayOverride.note,
            literal(""),
            DayOverride.follows,
            true(),
        ).where(is_in_array(DayOverride.station_id, "stations"), DayOverride.date.between(*_between)),
    )
)
