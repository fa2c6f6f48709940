"""A station's page as it was rendered a moment ago, for as long as it is true; and the poll that asks for nothing new.

Readers who have nothing of their own on the page share it; what differs even then is filled in (`web/blanks`).
"""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from typing import Any, Protocol

from flask import make_response, request, session
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock
from booking.model import Station
from booking.web import blanks, critical_css, doorstep, htmx, kept
from booking.web.doorstep import MadeFrom
from booking.web.i18n import formatting
from booking.web.kept import Page
from booking.web.packing import Packed
from booking.web.worker import tag
from booking.web.worker.calendar import takes_no_files
from booking.web.worker.filters import Asked

SPECIAL = {"outcome", "_flashes"}  # in a session: the next page says what an act has brought, and only it does


class Shown(Protocol):
    """What is asked of a day."""

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
    """What a page that is asked for now is kept with."""
    return kept.kept().news.noted


def shown(code: str, asked: Asked) -> Response | None:
    """The page that was asked for, if it is kept and true."""
    if SPECIAL & session.keys():
        return None
    memory, person_id = kept.look(request), current_user.person_id
    plain = person_id and memory.is_plain(_name(code, asked, person_id), person_id)
    name = _name(code, asked, "plain" if plain else person_id)
    page = memory.pages.get(name)
    return answer(name, page) if page and memory.is_true(page, clock.now()) else None


def keep(day: Shown, station: Station, asked: Asked, render: Callable[[], str], noted: int) -> tuple[Hashable, Page]:
    """Render, and keep it under its name. `noted` is from before the day was looked at."""
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
    """The page for this reader, or 304 for who holds the fragment already."""
    own = {"csrf": blanks.csrf(), "me": blanks.reader()}

    def body() -> str:
        return page.pieces.plain(values(page, own)).decode()

    doorstep.say_from(request.environ, MadeFrom(name, page.tag, current_user.known, own, values))
    return htmx.fresh(tag.own(page.tag), body) if htmx.asked() else make_response(body())


def values(page: Page, own: Mapping[str, str]) -> dict[str, str]:
    """What stands in the page's blanks now; `own` is what is this reader's."""
    now = clock.now()
    count = formatting.countdown((page.opens_at - now).total_seconds()) if page.opens_at else ""
    return {**own, "key": blanks.random_key(), "now": now.isoformat(), "count": count}


def _name(code: str, asked: Asked, reader: Any) -> Hashable:
    """All that a page is made from, beside the history and the clock."""
    return code, asked, formatting.language(), htmx.asked() or critical_css.is_inlined(), takes_no_files(), reader
