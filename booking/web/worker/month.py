"""Month view: the coming weeks of a station as a calendar: slots, seats that are left, and the reader's own."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from flask import render_template
from flask_babel import gettext

from booking.queries.slot_cards import Card
from booking.queries.station_day import DayView
from booking.web.i18n import formatting
from booking.web.worker import coming, day_parts, filters
from booking.web.worker.blueprint import pages
from booking.web.worker.coming import ComingDays
from booking.web.worker.filters import ALL

A_WEEK = 7


class Square(NamedTuple):
    """A day of the calendar. `name` is the whole date, `href` None where nothing is shown of it (yet, or any more);
    `seats` says what can be had, `own` is "booked", "waiting" or empty."""

    date: date
    name: str
    href: str | None = None
    is_today: bool = False
    note: str = ""
    slots: int = 0
    seats: str = ""
    own: str = ""


@pages.get("/s/<code>/month")
def month(code: str) -> str:
    ahead = coming.read(code)
    squares = _squares(ahead)
    return render_template(
        "worker/month.html",
        station=ahead.page.station,
        weeks=[squares[start : start + A_WEEK] for start in range(0, len(squares), A_WEEK)],
        days=ahead.page.day.days,
        today=ahead.page.today,
        # Narrow columns for Saturday and Sunday where nothing runs on them.
        rests=not any(square.slots or square.note for square in squares if square.date.isoweekday() > 5),
    )


def _squares(ahead: ComingDays) -> list[Square]:
    """Whole weeks from Monday, around the days that are shown."""
    days = {view.day.date: view for view in ahead.page.day.days}
    first, last = min(days), max(days)
    monday = first - timedelta(days=first.weekday())
    sunday = last + timedelta(days=A_WEEK - last.isoweekday())
    dates = [monday + timedelta(days=n) for n in range((sunday - monday).days + 1)]
    return [_square(ahead, when, days[when]) if when in days else _empty(ahead, when) for when in dates]


def _empty(ahead: ComingDays, when: date) -> Square:
    return Square(when, formatting.day_date(when, ahead.page.today))


def _square(ahead: ComingDays, when: date, view: DayView) -> Square:
    page = ahead.page
    cards = [card for card in ahead.cards if card.slot.date == when]
    return _empty(ahead, when)._replace(
        href=filters.address(page.station.code, when, ALL),
        is_today=when == page.today,
        note=_note(view),
        slots=view.slots,
        seats=_seats(view, cards, is_over=when != page.when or page.day.over_at <= page.now),
        own=page.own(when),
    )


def _note(view: DayView) -> str:
    """Why it is no ordinary day. That an ordinary weekend is one, its column says."""
    day = view.day
    is_weekend = day.date.isoweekday() > 5 and not day.works and not day.name
    return "" if is_weekend else day_parts.note(view)


def _seats(view: DayView, cards: Sequence[Card], *, is_over: bool) -> str:
    """What can be had on a day: 余 23, 约满, 进行中, 已结束; nothing before it opens. `cards` are those that have not begun."""
    if not view.slots:
        return ""
    if not cards:
        return str(gettext("已结束") if is_over else gettext("进行中"))
    if left := sum(card.left for card in cards if card.state == "open"):
        return str(gettext("余 %(n)s", n=left))
    return str(gettext("约满") if any(card.state == "open" for card in cards) else "")
