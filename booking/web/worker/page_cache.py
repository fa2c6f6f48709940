"""Page cache of a station's day: the page as rendered a moment ago, while it is fresh; and polls answered with 304.

Readers with nothing of their own at the station share it; the few differences are placeholders. What is kept here is
found again by `cache/middleware`, before Flask is asked.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flask import make_response, request, session
from flask_babel import get_locale
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock
from booking.model import Station
from booking.web import assets, htmx
from booking.web.cache import middleware, placeholders, store
from booking.web.cache.gzip_parts import Packed
from booking.web.cache.middleware import ANYBODY, PageKey
from booking.web.cache.store import Page
from booking.web.i18n import formatting
from booking.web.worker import etag
from booking.web.worker.calendar import takes_no_files
from booking.web.worker.filters import DayQuery

SPECIAL = {"outcome", "_flashes"}  # session keys that bypass the cache: the next page shows a result once


class Shown(Protocol):
    """What is needed of a `DayPage`."""

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
    return store.of_this_process().news.noted


def shown(code: str, asked: DayQuery) -> Response | None:
    """The page that was asked for, if it is cached and fresh."""
    if SPECIAL & session.keys():
        return None
    memory, now = store.look(request), clock.now()
    key = _key(code, asked, _reader(code, now))
    page = memory.pages.get(key)
    return answer(key, page) if page and memory.is_fresh(page, now) else None


def keep(day: Shown, station: Station, asked: DayQuery, render: Callable[[], str], noted: int) -> tuple[PageKey, Page]:
    """Render and cache the page. `noted` is the version of the change feed from before the day was read."""
    reader = _reader(station.code, day.now)
    if reader == ANYBODY and not day.is_plain:  # something happened since the reader was asked for
        reader = current_user.person_id
    own = None if reader in (None, ANYBODY) else current_user.person_id
    until = min(day.changes_at, day.now + store.NO_LONGER)
    pieces = Packed(placeholders.skeleton(render))
    page = Page(day.now, until, station.id, own, noted, day.tag, pieces, day.counts_to, formatting.countdown)
    key = _key(station.code, asked, reader)
    store.of_this_process().pages[key] = page
    return key, page


def answer(key: PageKey, page: Page) -> Response:
    """The page for this reader, or 304 when they have the fragment already."""

    def body() -> str:
        own = {"csrf": placeholders.csrf(), "me": placeholders.reader()}
        return page.pieces.plain(page.values(own, clock.now())).decode()

    middleware.made_from(request.environ, key)
    return htmx.fresh(etag.own(page.tag), body) if htmx.asked() else make_response(body())


def _reader(code: str, now: datetime) -> int | str | None:
    """The reader in the page's key: nobody, anybody, or a person who has something of their own here."""
    if current_user.person_id is None:
        return None
    found = store.of_this_process().reader(current_user.token, code, now)
    return ANYBODY if found and found.shares else int(current_user.person_id)


def _key(code: str, asked: DayQuery, reader: int | str | None) -> PageKey:
    style = None if htmx.asked() else assets.is_inlined()
    return PageKey(code, asked, str(get_locale()), htmx.asked(), style, takes_no_files(), reader)
