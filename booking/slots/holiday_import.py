"""Holiday import: takes a State Council notice over into the calendar, with a preview of what changes."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from booking import workdays
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import DayOverride, Plan, Slot, Workday
from booking.workdays import Day, HolidayNotice

Touched = dict[date, tuple[int, int]]


@dataclass(frozen=True)
class Change:
    """A date that becomes a rest day or a workday, with the coming `slots` planned on it and their `people`."""

    was: Day
    works: bool
    name: str
    slots: int
    people: int

    @property
    def date(self) -> date:
        return self.was.date


def preview_import(session: Session, notice: HolidayNotice, now: datetime) -> list[Change]:
    """The dates whose meaning the notice changes."""
    told = {when: said for when in _dates(notice) if (said := notice.says(when))}
    calendar = workdays.load(session, None, min(told), max(told))
    changed = {when: calendar.day(when) for when, (_, works) in told.items() if calendar.is_workday(when) != works}
    touched = _touched(session, changed, now)
    return [
        Change(was, works=told[when][1], name=told[when][0], slots=counts[0], people=counts[1])
        for when, was in changed.items()
        for counts in [touched.get(when, (0, 0))]
    ]


def fingerprint(changes: Iterable[Change]) -> str:
    """A hash of the calendar's changes, the same whoever has booked meanwhile."""
    said = [(change.date.isoformat(), change.was.works, change.was.tentative, change.works) for change in changes]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


@transactional
def import_holidays(
    session: Session, notice: HolidayNotice, shown: str, now: datetime, actor_id: int | None = None
) -> Sequence[Change]:
    """Import the notice. `shown` is the fingerprint that was confirmed; refused when the changes are no longer those.

    The slots follow with the next planning.
    """
    transactions.advisory_lock(session, "workdays")
    changes = preview_import(session, notice, now)
    if fingerprint(changes) != shown:
        raise RuleViolation("calendar_changed")
    source = f"import {now:%Y-%m-%d}"
    for when in _dates(notice):
        if said := notice.says(when):
            session.merge(Workday(date=when, name=said[0], works=said[1], source=source))
    days = [change.date.isoformat() for change in changes]
    record(session, "holidays_imported", now, actor_id=actor_id, year=notice.year, days=days)
    return changes


def _dates(notice: HolidayNotice) -> list[date]:
    """All dates of its year, and what it says of the December before."""
    first = date(notice.year, 1, 1)
    year = (first + workdays.ONE_DAY * n for n in range((date(notice.year + 1, 1, 1) - first).days))
    return sorted({*year, *notice.days})


def _touched(session: Session, days: Iterable[date], now: datetime) -> Touched:
    """How many slots and people the change of these dates affects: none where a station or a plan overrides them."""
    own_word = exists().where(DayOverride.station_id == Slot.station_id, DayOverride.date == Slot.date)
    found = (
        select(Slot.date, func.count(Slot.id), func.sum(Slot.taken + Slot.waiting))
        .join(Plan, Slot.plan_id == Plan.id)
        .where(Slot.date.in_(list(days)), Slot.state.in_(("planned", "open")), Slot.starts_at > now)
        .where(Plan.on_rest_days.is_(False), ~own_word)
        .group_by(Slot.date)
    )
    return {when: (count, people) for when, count, people in session.execute(found)}
