"""Period: the week or the month of a node's numbers, with the one before and the one after it."""

from datetime import date
from typing import NamedTuple

from flask import request

from booking.statistics import Span
from booking.web.forms.fields import DayField
from booking.workdays import ONE_DAY


class Period(NamedTuple):
    """`by` is week or month; `after` is the first day of the next one, None when that has not begun."""

    by: str
    span: Span
    before: Span
    after: date | None


def asked_period(today: date) -> Period:
    """The period in the query: `by` week or month, the one with the day `on`; else the week of yesterday."""
    by = "month" if request.args.get("by") == "month" else "week"
    on = min(DayField.read(request.args.get("on", "")) or today - ONE_DAY, today)
    span = _around(on, by)
    after = span.last + ONE_DAY
    return Period(by, span, _around(span.first - ONE_DAY, by), after if after <= today else None)


def _around(day: date, by: str) -> Span:
    if by == "week":
        monday = day - ONE_DAY * (day.isoweekday() - 1)
        return Span(monday, monday + ONE_DAY * 6)
    first = day.replace(day=1)
    return Span(first, (first + ONE_DAY * 31).replace(day=1) - ONE_DAY)
