"""Station facts: what the station list says of each station, by one statement for each kind of fact."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from booking import slots
from booking.db.arrays import in_array
from booking.model import Manages, Person, SetAside, SignIn, Slot, Station, StationDayTotals, Suppression
from booking.seats import BOOKS_OPEN
from booking.workdays import ONE_DAY

FOUR_WEEKS = 28 * ONE_DAY
OPENED = Slot.state.in_(("open", "running", "done"))
# The job opens a slot within seconds: one that is planned so long after its opening was not opened.
OPENS_WITHIN = timedelta(minutes=1)


class Manager(NamedTuple):
    """A manager of a station. `last_sign_in` is the newest sign-in that is kept: for thirty days after it has ended."""

    person_id: int
    name: str
    email: str
    last_sign_in: datetime | None
    unreached: bool


class OpenedToday(NamedTuple):
    """A station's slots of today: `due` should have opened by now, `opened` have; `held` wait for the manager's word."""

    slots: int
    due: int
    opened: int
    held: int


class RecentWeeks(NamedTuple):
    """A station's last four weeks, as far as they are counted, and its last workdays of them (`week_…`)."""

    last_held: date | None
    expected: int
    no_shows: int
    week_seats: int = 0
    week_visits: int = 0


def todays(session: Session, today_of: Mapping[int, date], now: datetime) -> dict[int, OpenedToday]:
    """By station, where there are any. `today_of` is the date at each station."""
    awaits = and_(Slot.unattended, Slot.released_at.is_(None), Slot.ends_at > now - BOOKS_OPEN)
    late = and_(~Slot.unattended, Slot.release_held_at.is_not(None), Slot.released_at.is_(None))
    counted = (
        select(
            Slot.station_id,
            Slot.date,
            func.count(),
            func.count().filter(Slot.opens_at <= now),
            func.count().filter(OPENED),
            func.count().filter(Slot.state == "running", or_(awaits, late)),
        )
        # By station, which the index of slots by date needs.
        .where(Slot.station_id.in_(in_array(today_of)), Slot.date.in_(set(today_of.values())))
        .where(Slot.state != "cancelled")
        .group_by(Slot.station_id, Slot.date)
    )
    return {row[0]: OpenedToday._make(row[2:]) for row in _rows(session, counted) if row[1] == today_of[row[0]]}


def pasts(
    session: Session, today: date, week_from: date, among: ColumnElement[bool] | None = None
) -> dict[int, RecentWeeks]:
    """By station, of the days that are counted; the week begins at `week_from`. `among` is a condition on `Station`."""
    day = StationDayTotals
    held = func.max(day.date).filter(day.slots > 0)
    month = select(day.station_id, held, func.sum(day.expected), func.sum(day.no_shows))
    week = select(day.station_id, func.sum(day.seats), func.sum(day.visits))
    weeks = {row[0]: row[1:] for row in _rows(session, _days(week, week_from, today, among))}
    months = _rows(session, _days(month, today - FOUR_WEEKS, today, among))
    return {row[0]: RecentWeeks(*row[1:], *weeks.get(row[0], ())) for row in months}


def managers(session: Session, among: ColumnElement[bool] | None = None) -> dict[int, list[Manager]]:
    """By station, the longest-serving first; without disabled accounts. `among` is a condition on `Station`."""
    newest = select(func.max(SignIn.created_at)).where(SignIn.person_id == Manages.person_id).scalar_subquery()
    unreached = Suppression.kind.is_not_distinct_from("hard")
    theirs = (
        select(Manages.station_id, Person.id, Person.name, Person.email, newest, unreached)
        .join(Person, Manages.person_id == Person.id)
        .outerjoin(Suppression, Suppression.person_id == Person.id)
        .where(Person.disabled_at.is_(None), *_at(Manages.station_id, among))
        .order_by(Manages.since, Person.id)
    )
    found: dict[int, list[Manager]] = defaultdict(list)
    for row in _rows(session, theirs):
        found[row[0]].append(Manager._make(row[1:]))
    return found


def set_aside(session: Session) -> dict[int, int]:
    """By station, how many rows the scheduler could not process and waits for somebody with."""
    waits = (SetAside.next_try_at.is_(None), SetAside.station_id.is_not(None))
    counted = select(SetAside.station_id, func.count()).where(*waits).group_by(SetAside.station_id)
    return {station_id or 0: count for station_id, count in _rows(session, counted)}


def late_openings(session: Session, now: datetime) -> dict[int, int]:
    """By station, how many slots should have opened and have not."""
    return Counter(one.station_id for one in slots.unopened(session, now - OPENS_WITHIN) if one.starts_at > now)


def _days(wanted: Any, first: date, today: date, among: ColumnElement[bool] | None) -> Any:
    """Each day by name, for the index of days by station, where only some stations are asked for."""
    day = StationDayTotals
    when = [day.date >= first, day.date < today]
    if among is not None:
        when = [day.date.in_([first + ONE_DAY * n for n in range((today - first).days)])]
    return wanted.where(*when, *_at(day.station_id, among)).group_by(day.station_id)


def _at(station_id: Any, among: ColumnElement[bool] | None) -> tuple[ColumnElement[bool], ...]:
    return () if among is None else (station_id.in_(select(Station.id).where(among)),)


def _rows(session: Session, wanted: Any) -> Sequence[Any]:
    """Without the ORM, which costs as much again for thousands of rows."""
    return session.connection().execute(wanted).all()
