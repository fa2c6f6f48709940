"""Cache: process cache of a web process: who is signed in, rendered pages, slots and texts of answers.

Nothing in it is older than the last poll of the change feed (`queries/change_feed`), which does the invalidation, and
nothing is decided by it.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from flask import Flask, Request, current_app

from booking.extensions import db
from booking.model import SignedIn
from booking.queries.change_feed import ChangeFeed
from booking.web.memory import Memory
from booking.web.packing import Headers, Packed

T = TypeVar("T")
MB = 2**20
NO_LONGER = timedelta(seconds=60)  # time to live, for the little that writes no event, such as an imported calendar
JUST_ACTED = "acted"  # cookie that bypasses the cache: another process may not have seen this browser's own change yet
JUST_NOW = 2  # seconds that the cookie lasts


@dataclass(frozen=True)
class Page:
    """A rendered page, for which reader it is, and until when it is fresh."""

    made_at: datetime
    until: datetime
    station_id: int
    person_id: int | None
    noted: int
    tag: str
    pieces: Packed
    opens_at: datetime | None


@dataclass(frozen=True)
class Known(Generic[T]):
    """A looked-up value: a sign-in, or a slot of which only the texts are used."""

    found: T
    noted: int
    made_at: datetime


class Kept:
    """The caches of one process. `noted` in an entry is the version of the change feed from before it was read."""

    def __init__(self, news: ChangeFeed) -> None:
        self.news = news
        self.plain: Memory[Hashable, int] = Memory(4 * MB)
        self.pages: Memory[Hashable, Page] = Memory(32 * MB)
        self.answers: Memory[Hashable, Any] = Memory(24 * MB)
        self.told: Memory[Hashable, Any] = Memory(8 * MB)  # texts of answers to bookings
        self.headers: dict[int, Headers] = {}  # headers of the same answers, by status

    def is_true(self, page: Page, now: datetime) -> bool:
        return page.made_at <= now < page.until and page.noted >= self.news.changed(page.station_id, page.person_id)

    def is_plain(self, name: Hashable, person_id: int) -> bool:
        """Whether the page with this key shows nothing of the person's own."""
        noted = self.plain.get(name)
        return noted is not None and noted >= self.news.changed(person_id=person_id)

    def is_known(self, known: Known[SignedIn], now: datetime) -> bool:
        return self._holds(known, now, None, known.found.person_id)

    def _holds(self, known: Known[Any], now: datetime, station_id: int | None, person_id: int | None) -> bool:
        return known.made_at <= now < known.made_at + NO_LONGER and known.noted >= self.news.changed(
            station_id, person_id
        )


def register(app: Flask) -> None:
    with app.app_context():
        app.extensions["kept"] = Kept(ChangeFeed(db.engine, app.config["CACHE_POLL_SECONDS"]))


def kept() -> Kept:
    found: Kept = current_app.extensions["kept"]
    return found


def look(request: Request) -> Kept:
    """The process cache after polling the change feed; at once for a browser that has just changed something."""
    found = kept()
    found.news.look(at_once=JUST_ACTED in request.cookies)
    return found
