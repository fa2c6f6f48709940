"""Request tally: how many requests were made of stations in some days, and what became of them. No word of them is read."""

from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Select, and_, case, func, join, literal, or_, select, union_all
from sqlalchemy.orm import Session

from booking import clock
from booking.db.arrays import is_in_array
from booking.db.statements import CompiledStatement, param, wrap
from booking.model import ServiceRequest, Station
from booking.statistics.aggregate import Span
from booking.workdays import ONE_DAY

NOW = 2  # beside 1 for the days asked for and 0 for those before


@dataclass(frozen=True)
class RequestTally:
    """As in `queries.service_requests.RequestTotals`; `overdue` ones are open now, whenever they were sent."""

    collected: int = 0
    ended: int = 0
    answer_due: int = 0
    answered_in_time: int = 0
    overdue: int = 0

    def __add__(self, other: "RequestTally") -> "RequestTally":
        return RequestTally(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def response_rate(self) -> float | None:
        """Of those whose first answer was due by now, or given, the share that was answered in time."""
        return self.answered_in_time / self.answer_due if self.answer_due else None


NO_REQUESTS = RequestTally()


def request_tallies(
    session: Session,
    before: Span,
    current: Span,
    zones: Collection[str],
    centre_ids: Collection[int],
    now: datetime,
    *,
    by_station: bool,
) -> Mapping[tuple[int, bool], RequestTally]:
    """By centre, or by station, and by whether it is of the days asked for or of those before, which have no overdue ones.

    `zones` are the time zones of the stations of these centres: one statement for each, and a city has one.
    """
    connection, found = wrap(session.connection()), dict[tuple[int, bool], RequestTally]()
    for zone in zones:
        days = {"before_from": _begin(before.first, zone), "before_until": _begin(before.last + ONE_DAY, zone)}
        days |= {"from": _begin(current.first, zone), "until": _begin(current.last + ONE_DAY, zone)}
        today = clock.at_station(now, zone).date()
        rows = _COUNTS[by_station].run(connection, centres=list(centre_ids), zone=zone, today=today, **days)
        for key, period, *numbers in rows:
            tally = RequestTally(overdue=numbers[0]) if period == NOW else RequestTally(*numbers)
            found[key, period != 0] = found.get((key, period != 0), NO_REQUESTS) + tally
    return found


def _begin(day: date, zone: str) -> datetime:
    return clock.instant(day, time(), zone)


def _at(counted: Select[Any]) -> Select[Any]:
    here = (is_in_array(Station.centre_id, "centres"), Station.zone_name == param("zone"))
    return counted.select_from(join(Station, ServiceRequest, ServiceRequest.station_id == Station.id)).where(*here)


def _counts(part: Any) -> CompiledStatement:
    sent_at, is_late = ServiceRequest.created_at, ServiceRequest.answer_due_on < param("today")
    is_current = and_(sent_at >= param("from"), sent_at < param("until"))
    is_before = and_(sent_at >= param("before_from"), sent_at < param("before_until"))
    period = case((is_current, 1), else_=0).label("period")
    sent = select(
        part,
        period,
        func.count(),
        func.count().filter(ServiceRequest.ended_at.is_not(None)),
        func.count().filter(or_(ServiceRequest.answered_at.is_not(None), is_late)),
        func.count().filter(ServiceRequest.answered_on <= ServiceRequest.answer_due_on),
    )
    # The first range is for the index of requests by station and instant.
    around = (sent_at >= param("before_from"), sent_at < param("until"))
    sent = _at(sent).where(*around, or_(is_current, is_before), ServiceRequest.state != "withdrawn")
    due = case((ServiceRequest.answered_at.is_(None), ServiceRequest.answer_due_on), else_=ServiceRequest.due_on)
    late = select(part, literal(NOW), func.count(), literal(0), literal(0), literal(0))
    late = _at(late).where(ServiceRequest.ended_at.is_(None), due < param("today"))
    return CompiledStatement(union_all(sent.group_by(part, period), late.group_by(part)))


_COUNTS = {True: _counts(Station.id), False: _counts(Station.centre_id)}
