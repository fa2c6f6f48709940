"""Page cache of a station's day: the page as rendered a moment ago, while it is fresh; and polls answered with 304.

Readers with nothing of their own on the page share it; the few differences are filled in (`web/blanks`).
"""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from typing import Any, Protocol

from flask import make_response, request, session
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock
from booking.model import Station
from booking.web import assets, blanks, doorstep, htmx, kept
from booking.web.doorstep import MadeFrom
from booking.web.i18n import formatting
from booking.web.kept import Page
from booking.web.packing import Packed
from booking.web.worker import tag
from booking.web.worker.calendar import takes_no_files
from booking.web.worker.filters import DayQuery

SPECIAL = {"outcome", "_flashes"}  # session keys that bypass the cache: the next page shows a result once


class Shown(Protocol):
    """What is needed of a `Day`."""

    @property
    def now(self) -> datetime: ...
    @property
    def changes_at(self) -> datetime: ...
    @property
    def is_plain(self) -> bool: ...
    @property
    def tag(self) -> str: ...
    @property
    def counts_to(self) -> datetime | None: ...


def noted() -> int:
    """The version of the change feed that a page rendered now is cached with; read it before the database."""
    return kept.kept().news.noted


def shown(code: str, asked: DayQuery) -> Response | None:
    """The page that was asked for, if it is cached and fresh."""
    if SPECIAL & session.keys():
        return None
    memory, person_id = kept.look(request), current_user.person_id
    plain = person_id and memory.is_plain(_name(code, asked, person_id), person_id)
    name = _name(code, asked, "plain" if plain else person_id)
    page = memory.pages.get(name)
    return answer(name, page) if page and memory.is_true(page, clock.now()) else None


def keep(day: Shown, station: Station, asked: DayQuery, render: Callable[[], str], noted: int) -> tuple[Hashable, Page]:
    """Render and cache the page. `noted` is the version of the change feed from before the day was read."""
    memory, person_id = kept.kept(), current_user.person_id
    shared = day.is_plain
    until = min(day.changes_at, day.now + kept.NO_LONGER)
    pieces, reader = Packed(blanks.skeleton(render)), None if shared else person_id
    page = Page(day.now, until, station.id, reader, noted, day.tag, pieces, day.counts_to)
    if person_id and shared:
        memory.plain[_name(station.code, asked, person_id)] = noted
    name = _name(station.code, asked, "plain" if person_id and shared else person_id)
    memory.pages[name] = page
    return name, page


def answer(name: Hashable, page: Page) -> Response:
    """The page for this reader, or 304 when they have the fragment already."""
    own = {"csrf": blanks.csrf(), "me": blanks.reader()}

    def body() -> str:
        return page.pieces.plain(values(page, own)).decode()

    doorstep.say_from(request.environ, MadeFrom(name, page.tag, current_user.known, own, values))
    return htmx.fresh(tag.own(page.tag), body) if htmx.asked() else make_response(body())


def values(page: Page, own: Mapping[str, str]) -> dict[str, str]:
    """The current values of the page's placeholders; `own` are this reader's."""
    now = clock.now()
    count = formatting.countdown((page.opens_at - now).total_seconds()) if page.opens_at else ""
    return {**own, "key": blanks.random_key(), "now": now.isoformat(), "count": count}


def _name(code: str, asked: DayQuery, reader: Any) -> Hashable:
    """Cache key: all that a page is made from, beside the history and the clock."""
    return code, asked, formatting.language(), htmx.asked() or assets.is_inlined(), takes_no_files(), reader
