"""Store: the cache of a web process: rendered pages, who reads them, and the texts of answers to bookings.

Nothing in it is older than the last poll of the change feed (`queries/change_feed`), which does the invalidation, and
nothing is decided by it.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import Flask, Request, current_app
from sqlalchemy import Engine

from booking import people
from booking.extensions import db
from booking.queries import page_reader
from booking.queries.change_feed import ChangeFeed
from booking.queries.page_reader import PageReader
from booking.web.cache import placeholders
from booking.web.cache.gzip_parts import Headers, Packed
from booking.web.cache.lru import Memory

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
    countdown: Callable[[float], str]

    def values(self, own: Mapping[str, str], now: datetime) -> dict[str, str]:
        """The current values of the placeholders; `own` are this reader's."""
        count = self.countdown((self.opens_at - now).total_seconds()) if self.opens_at else ""
        return {**own, "key": placeholders.random_key(), "now": now.isoformat(), "count": count}


class Known(NamedTuple):
    """A reader as found at an instant."""

    reader: PageReader
    noted: int
    made_at: datetime

    @property
    def weight(self) -> int:
        """Bytes: no part of it is longer than a language's name."""
        return 400


class Cache:
    """The caches of one process. `noted` in an entry is the version of the change feed from before it was read."""

    def __init__(self, engine: Engine, news: ChangeFeed) -> None:
        self._engine = engine
        self.news = news
        self.readers: Memory[tuple[str, str], Known] = Memory(16 * MB)  # by token and station
        self.pages: Memory[Hashable, Page] = Memory(32 * MB)
        self.page_headers: dict[Hashable, Headers] = {}  # by the form of a page and the status
        self.texts: Memory[Hashable, Any] = Memory(8 * MB)  # of answers to bookings
        self.headers: dict[int, Headers] = {}  # of the same answers, by status

    def is_fresh(self, page: Page, now: datetime) -> bool:
        return page.made_at <= now < page.until and page.noted >= self.news.changed(page.station_id, page.person_id)

    def reader(self, token: str, station: str, now: datetime) -> PageReader | None:
        """Who reads a station's page with this sign-in; None when the sign-in is not valid.

        For a personal page the database is asked: another process may have ended the sign-in.
        """
        known, noted = self.readers.get((token, station)), self.news.noted
        if known and self._holds(known, now):
            reader = known.reader
            is_valid = reader.shares or people.find_sign_in_at(self._engine, token, now) == reader.signed_in
            return reader if is_valid else None
        hashed, soon = people.hash_token(token), now + people.RENEWED_UNTIL
        found = page_reader.find(self._engine, hashed, station, now, soon)
        if found:
            self.readers[token, station] = Known(found, noted, now)
        return found

    def _holds(self, known: Known, now: datetime) -> bool:
        changed = self.news.changed(person_id=known.reader.signed_in.person_id)
        return known.made_at <= now < known.made_at + NO_LONGER and known.noted >= changed


def register(app: Flask) -> None:
    with app.app_context():
        app.extensions["cache"] = Cache(db.engine, ChangeFeed(db.engine, app.config["CACHE_POLL_SECONDS"]))


def of_this_process() -> Cache:
    found: Cache = current_app.extensions["cache"]
    return found


def look(request: Request) -> Cache:
    """The process cache after polling the change feed; at once for a browser that has just changed something."""
    found = of_this_process()
    found.news.look(at_once=JUST_ACTED in request.cookies)
    return found
