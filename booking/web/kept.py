"""What a web process keeps so as not to ask again: who is signed in, and what a station's page looks like.

Nothing here is older than the last look at the history (`rosters/news`), and nothing is decided by it.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from flask import Flask, Request, current_app

from booking.extensions import db
from booking.model import SignedIn
from booking.queries.change_feed import ChangeFeed
from booking.seats import SlotSnapshot
from booking.web.memory import Memory
from booking.web.packing import Headers, Packed

T = TypeVar("T")
MB = 2**20
NO_LONGER = timedelta(seconds=60)  # for the little that has no history, such as an imported calendar
JUST_ACTED = "acted"  # the cookie of a browser whose own act another process may not have seen yet
JUST_NOW = 2  # seconds that it lasts


@dataclass(frozen=True)
class Page:
    """A rendered page, for whom it is true, and for how long."""

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
    """Something that was looked up: who is signed in, or a slot, of which the words may still be true."""

    found: T
    noted: int
    made_at: datetime


class Kept:
    """One process's memory. `noted` is what the news had noted before anything was looked up."""

    def __init__(self, news: ChangeFeed) -> None:
        self.news = news
        self.plain: Memory[Hashable, int] = Memory(4 * MB)
        self.pages: Memory[Hashable, Page] = Memory(32 * MB)
        self.answers: Memory[Hashable, Any] = Memory(24 * MB)
        self.slots: Memory[int, Known[SlotSnapshot]] = Memory(4 * MB)  # for their words
        self.told: Memory[Hashable, Any] = Memory(8 * MB)  # the words of answers to presses
        self.headers: dict[int, Headers] = {}  # of the same, by status

    def is_true(self, page: Page, now: datetime) -> bool:
        return page.made_at <= now < page.until and page.noted >= self.news.changed(page.station_id, page.person_id)

    def is_plain(self, name: Hashable, person_id: int) -> bool:
        """Whether the page of this name has nothing of the person's own."""
        noted = self.plain.get(name)
        return noted is not None and noted >= self.news.changed(person_id=person_id)

    def is_known(self, known: Known[SignedIn], now: datetime) -> bool:
        return self._holds(known, now, None, known.found.person_id)

    def slot(self, slot_id: int, now: datetime) -> SlotSnapshot | None:
        """The slot as it was a moment ago, if nothing of its station has changed since. Its numbers are old."""
        known = self.slots.get(slot_id)
        return known.found if known and self._holds(known, now, known.found.station_id, None) else None

    def keep_slot(self, slot: SlotSnapshot, now: datetime, noted: int) -> None:
        self.slots[slot.id] = Known(slot, noted, now)

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
    """The memory, not older than a moment; for a browser that has just acted, not older than now."""
    found = kept()
    found.news.look(at_once=JUST_ACTED in request.cookies)
    return found
