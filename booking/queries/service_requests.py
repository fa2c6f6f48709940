"""Service requests: a person's own, a station's open ones, and the headline, from the same rows as the export."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, joinedload

from booking import clock
from booking.model import ServiceRequest, Station

MINE = 20  # a person's newest
# After its end it can be rated for so long.
RATED_WITHIN = timedelta(days=14)


class RequestTotals(NamedTuple):
    """Counts of requests that were not withdrawn. Of `answer_due` the first answer was due by now, or given."""

    collected: int
    ended: int
    solved_here: int
    answer_due: int
    answered_in_time: int
    rated: int
    solved: int
    satisfied: int

    @property
    def response_rate(self) -> float | None:
        return self.answered_in_time / self.answer_due if self.answer_due else None

    @property
    def solved_rate(self) -> float | None:
        """Of those who said whether it was solved."""
        return self.solved / self.rated if self.rated else None

    @property
    def satisfied_rate(self) -> float | None:
        return self.satisfied / self.rated if self.rated else None


def of_person(session: Session, person_id: int, station_id: int | None = None) -> Sequence[ServiceRequest]:
    """The person's newest requests, at all stations or at one."""
    mine = select(ServiceRequest).where(ServiceRequest.person_id == person_id)
    if station_id:
        mine = mine.where(ServiceRequest.station_id == station_id)
    newest = mine.options(joinedload(ServiceRequest.station)).order_by(ServiceRequest.id.desc())
    return session.scalars(newest.limit(MINE)).all()


def of_interest(session: Session, person_id: int, now: datetime) -> list[ServiceRequest]:
    """Those that are open, or ended within the last two weeks and are not rated yet."""
    recent = [one for one in of_person(session, person_id) if one.state != "withdrawn"]
    return [one for one in recent if one.ended_at is None or (not one.rated_at and now < one.ended_at + RATED_WITHIN)]


def open_ones(session: Session, station_id: int) -> Sequence[ServiceRequest]:
    """The station's open requests, the oldest first."""
    waiting = select(ServiceRequest).where(ServiceRequest.station_id == station_id, ServiceRequest.ended_at.is_(None))
    return session.scalars(waiting.options(joinedload(ServiceRequest.person)).order_by(ServiceRequest.id)).all()


def between(session: Session, station: Station, first: date, last: date) -> Sequence[ServiceRequest]:
    """Those that were sent on these days and not withdrawn, the newest first."""
    begin, end = (clock.instant(day, time(), station.zone_name) for day in (first, last + timedelta(days=1)))
    sent = select(ServiceRequest).where(
        ServiceRequest.station_id == station.id,
        ServiceRequest.created_at >= begin,
        ServiceRequest.created_at < end,
        ServiceRequest.state != "withdrawn",
    )
    return session.scalars(sent.options(joinedload(ServiceRequest.person)).order_by(ServiceRequest.id.desc())).all()


def totals(requests: Sequence[ServiceRequest], station: Station, now: datetime) -> RequestTotals:
    """The headline of these requests of one station."""
    today = clock.at_station(now, station.zone_name).date()
    due = [one for one in requests if one.answered_at or one.answer_due_on < today]
    in_time = [one for one in due if one.answered_on and one.answered_on <= one.answer_due_on]
    rated = [one for one in requests if one.rated_at]
    return RequestTotals(
        len(requests),
        sum(not one.is_open for one in requests),
        sum(one.state == "solved" for one in requests),
        len(due),
        len(in_time),
        len(rated),
        sum(bool(one.solved) for one in rated),
        sum(bool(one.satisfied) for one in rated),
    )


def due_by(session: Session, station_id: int, day: date) -> int:
    """How many open requests are due by the end of this day: the first answer where there is none yet, else the end."""
    due = case((ServiceRequest.answered_at.is_(None), ServiceRequest.answer_due_on), else_=ServiceRequest.due_on)
    waiting = (ServiceRequest.station_id == station_id, ServiceRequest.ended_at.is_(None), due <= day)
    return session.scalar(select(func.count()).select_from(ServiceRequest).where(*waiting)) or 0
