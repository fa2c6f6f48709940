"""Request tally: how many requests were made of stations in some days, and what became of them. No word of them is read."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import astuple, dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, join, literal, or_, select, union_all
from sqlalchemy.orm import Session

from booking import clock
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
    here: ColumnElement[bool],
    part: Any,
    now: datetime,
) -> Mapping[tuple[int, bool], RequestTally]:
    """By `part`, a column of `Station`, and by whether it is of the days asked for or of those before, which have no overdue
    ones. `zones` are the time zones of the stations `here`. One statement."""
    if not zones:
        return {}
    found: dict[tuple[int, bool], RequestTally] = {}
    both = union_all(_sent(before, current, zones, now, here, part), _late(zones, now, here, part))
    for key, period, *numbers in session.connection().execute(both):
        tally = RequestTally(overdue=numbers[0]) if period == NOW else RequestTally(*numbers)
        found[key, period != 0] = found.get((key, period != 0), NO_REQUESTS) + tally
    return found


def _sent(
    before: Span, current: Span, zones: Collection[str], now: datetime, here: ColumnElement[bool], part: Any
) -> Select[Any]:
    period = case((_sent_in(current, zones), 1), else_=0)
    due = _by_zone(zones, lambda zone: ServiceRequest.answer_due_on < _today(now, zone))
    counted = select(
        part,
        period,
        func.count(),
        func.count().filter(ServiceRequest.ended_at.is_not(None)),
        func.count().filter(or_(ServiceRequest.answered_at.is_not(None), due)),
        func.count().filter(ServiceRequest.answered_on <= ServiceRequest.answer_due_on),
    )
    # The instants of all zones together, for the index of requests by station and instant.
    begins, ends = zip(*(_instants(span, zone) for span in (before, current) for zone in zones), strict=True)
    around = (ServiceRequest.created_at >= min(begins), ServiceRequest.created_at < max(ends))
    asked = or_(_sent_in(before, zones), _sent_in(current, zones))
    return _at(counted, here).where(*around, asked, ServiceRequest.state != "withdrawn").group_by(part, period)


def _late(zones: Collection[str], now: datetime, here: ColumnElement[bool], part: Any) -> Select[Any]:
    """Open requests whose first answer, or whose end, was due before today."""
    due = case((ServiceRequest.answered_at.is_(None), ServiceRequest.answer_due_on), else_=ServiceRequest.due_on)
    overdue = _by_zone(zones, lambda zone: due < _today(now, zone))
    counted = select(part, literal(NOW), func.count(), literal(0), literal(0), literal(0))
    return _at(counted, here).where(ServiceRequest.ended_at.is_(None), overdue).group_by(part)


def _at(counted: Select[Any], here: ColumnElement[bool]) -> Select[Any]:
    return counted.select_from(join(ServiceRequest, Station, ServiceRequest.station_id == Station.id)).where(here)


def _sent_in(span: Span, zones: Collection[str]) -> ColumnElement[bool]:
    def within(zone: str) -> ColumnElement[bool]:
        begin, end = _instants(span, zone)
        return and_(ServiceRequest.created_at >= begin, ServiceRequest.created_at < end)

    return _by_zone(zones, within)


def _by_zone(zones: Collection[str], condition: Callable[[str], ColumnElement[bool]]) -> ColumnElement[bool]:
    """A condition that depends on the time zone of the station."""
    return or_(*(and_(Station.zone_name == zone, condition(zone)) for zone in sorted(zones)))


def _instants(span: Span, zone: str) -> tuple[datetime, datetime]:
    return clock.instant(span.first, time(), zone), clock.instant(span.last + ONE_DAY, time(), zone)


def _today(now: datetime, zone: str) -> date:
    return clock.at_station(now, zone).date()
