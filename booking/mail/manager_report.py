"""Manager report: the content of the manager's digest: today, the last workday, what opens next, what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import monitoring, seats, slots, statistics, workdays
from booking.mail import digests
from booking.mail.wording import JOBS
from booking.model import JobRun, Letter, Slot, Station
from booking.queries import applied_policy, manager, service_requests, station_day, watch_links


@dataclass(frozen=True)
class DayOutcome:
    """The numbers of a day. `unlucky` counts the people who wanted a seat that day and got none."""

    date: date
    slots: int = 0
    attended: int = 0
    walk_ins: int = 0
    released: int = 0
    unrecorded: int = 0
    unlucky: int = 0


@dataclass(frozen=True)
class Report:
    """One station's part of the manager's digest. `requests_due`: whose next word is due today, or was before.
    `unlinked`: whose link to watch online is still missing. `rules_changed`: how many rules nodes above have changed since
    the digest before."""

    station: Station
    rosters: Sequence[manager.Roster]
    last: DayOutcome
    opening: station_day.Opening | None
    calendar_until: date | None
    hints: Sequence[statistics.Hint] = ()
    draws: statistics.DrawTally | None = None
    requests_due: int = 0
    unlinked: Sequence[Slot] = ()
    rules_changed: int = 0

    @property
    def seats(self) -> int:
        return sum(roster.slot.capacity for roster in self.rosters)

    @property
    def taken(self) -> int:
        return sum(roster.slot.taken for roster in self.rosters)

    @property
    def waiting(self) -> int:
        return sum(roster.slot.waiting for roster in self.rosters)


def of_station(session: Session, station: Station, today: date, now: datetime) -> Report:
    """The report of one station on one day."""
    slots = [s for s in manager.slots_between(session, station.id, today, today) if s.state != "cancelled"]
    calendar = workdays.load(session, station.id, today, today)
    known = workdays.known_until(session, today)
    before = calendar.workday_before(today)
    draws = statistics.of_draws(session, station.id, before, before)
    return Report(
        station,
        [manager.roster(session, slot) for slot in slots],
        outcome(session, station.id, before),
        next(iter(station_day.openings(session, station.id, now)), None),
        known if workdays.ends_soon(known, today) else None,
        statistics.weekly(session, station, now),
        statistics.total(draws) if draws else None,
        service_requests.due_by(session, station.id, today),
        watch_links.missing(session, station.id, today, now),
        len(applied_policy.changed_since(session, station.id, digests.hour_on(before, station, "manager"))),
    )


def outcome(session: Session, station_id: int, day: date) -> DayOutcome:
    """The numbers of `day` at a station, the same as on the manager's page."""
    told = statistics.of_station(session, station_id, statistics.Span(day, day)).total
    return DayOutcome(day, told.slots, told.visits, told.walk_ins, told.no_shows, told.unrecorded, told.unmet)


def troubles(session: Session, now: datetime, station_ids: Sequence[int] = ()) -> list[tuple[str, Any]]:
    """Problems of the scheduler and the mail: a code, and the value that the sentence about it names."""
    yesterday = now - timedelta(days=1)
    jobs = session.scalars(select(JobRun).order_by(JobRun.name)).all()
    wrong: list[tuple[str, Any]] = [("job_failed", JOBS.get(job.name, job.name)) for job in jobs if job.error]
    if not jobs or monitoring.late_since(session, now):
        wrong.append(("late", ""))
    wrong += [("outage", missed) for missed in monitoring.outages_since(session, yesterday)]
    held = [slot for one in station_ids for slot in slots.held_releases(session, one, yesterday)]
    if late := [slot for slot in held if not slot.unattended]:
        wrong.append(("release_held", late))
    if waiting := [slot for slot in held if seats.awaits_word(slot, now)]:
        wrong.append(("unattended", waiting))
    if aside := [row for one in station_ids for row in monitoring.listed(session, one)]:
        wrong.append(("set_aside", len(aside)))
    failed = select(func.count(Letter.id)).where(Letter.state == "failed", Letter.created_at > yesterday)
    if count := session.scalar(failed):
        wrong.append(("letters_failed", str(count)))
    return wrong
