"""Notice board: what a station tells everybody: a fold on its page, the same for all readers, and a page with all of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from flask import current_app, render_template
from markupsafe import Markup

from booking import clock
from booking.extensions import db
from booking.queries import current_notices
from booking.queries.current_notices import NoticeText
from booking.queries.station_day import StationPage
from booking.web.cache.gzip_parts import Packed
from booking.web.cache.store import Cache
from booking.web.i18n import formatting
from booking.web.security import permissions
from booking.web.worker.blueprint import pages

FOLDED = 3  # on the station's page


class FoldedBoard(NamedTuple):
    """The markup of a fold, also ready to be sent, and of which board it is made."""

    board: Sequence[NoticeText]
    markup: Markup
    packed: Packed


@pages.get("/s/<code>/notices")
def notices(code: str) -> str:
    station, now = permissions.open_station(code), clock.now()
    found = current_notices.of_station(db.session(), station, now)
    return render_template(
        "worker/notices.html", station=station, notices=found, today=formatting.station_date(now, station)
    )


def folded(cache: Cache, station: StationPage, now: datetime) -> FoldedBoard:
    """The newest notices of today in the language of this context; needs no request. Empty where there are none."""
    board, today = cache.board(station.id, now), station.today(now)
    key = ("board", station.id, today, formatting.language())
    found: FoldedBoard | None = cache.pages.get(key)
    if found is None or found.board is not board:
        shown = current_notices.shown_on(board, today)
        macro = current_app.jinja_env.get_template("worker/_notices.html").module.notice_fold  # type: ignore[attr-defined]
        markup = macro(shown[:FOLDED], len(shown), station.code, today) if shown else Markup("")
        found = cache.pages[key] = FoldedBoard(board, markup, Packed([str(markup)]))
    return found
