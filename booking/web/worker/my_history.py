"""My history: what happened when, and by whom: the events about the reader."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from flask import render_template, request
from flask_babel import gettext as _

from booking import clock
from booking.extensions import db
from booking.model import Event
from booking.queries import my_history
from booking.queries.my_history import HistoryPage
from booking.web import history_texts
from booking.web.errors import read_id
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker.blueprint import pages


@pages.get("/me/history")
def history() -> str:
    """Newest first; `before` in the query is the event after which it goes on."""
    person = permissions.worker()
    page = my_history.events_about(db.session(), person.id, read_id(request.args.get("before", "")) or None)
    return render_template(
        "worker/history.html", person=person, page=page, days=_days(page), said=history_texts.said, by_whom=by_whom
    )


def _days(page: HistoryPage) -> list[tuple[date, Sequence[Event]]]:
    """The events by their date at the station of their slot."""

    def day(event: Event) -> date:
        slot = page.slots.get(event.slot_id or 0)
        return formatting.station_date(event.at, slot.station if slot else clock.COUNTRY_ZONE)

    return [(when, list(events)) for when, events in groupby(page.events, day)]


def by_whom(event: Event, person_id: int) -> str:
    """Who did it. Staff are not named: their names are for their colleagues."""
    if event.actor_id == person_id:
        return str(_("你"))
    if event.actor_id is None:
        return str(_("系统"))
    return str(_("驿站管理员") if event.station_id else _("全网管理员"))
