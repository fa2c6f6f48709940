"""Store: the cache of a web process: days of stations, their rendered pages, who reads them, and answers' texts.

Nothing in it is older than the last poll of the change feed (`queries/change_feed`), which does the invalidation, and
nothing is decided by it.
"""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from flask import Flask, Request, current_app
from sqlalchemy import Engine

from booking import clock, people
from booking.extensions import db
from booking.queries import current_notices, page_reader, station_day
from booking.queries.change_feed import ChangeFeed
from booking.queries.current_notices import NoticeText
from booking.queries.page_reader import PageReader
from booking.queries.station_day import StationDay
from booking.web.cache.gzip_parts import Headers
from booking.web.cache.lru import Memory
from booking.web.cache.poll_pace import PollPace
from booking.web.semaphore import TurnQueue

MB = 2**20
NO_LONGER = timedelta(seconds=60)  # time to live, for the little that writes no event, such as an imported calendar
JUST_ACTED = "acted"  # cookie that bypasses the cache: another process may not have seen this browser's own change yet
JUST_NOW = 2  # seconds that the cookie lasts
MOST_ASKING = 18  # requests that wait for the database without a turn, at the same time


class CachedDay(NamedTuple):
    """A day of a station as read at an instant. `noted` is the version of the change feed from before that; `until` is
    when it may be another day, or has been cached for long."""

    day: StationDay
    noted: int
    made_at: datetime
    until: datetime

    @property
    def weight(self) -> int:
        """Bytes: as measured, and some more, for a row of each table that a slot is read from."""
        return 2_500 + 150 * len(self.day.days) + 3_000 * len(self.day.slots)


class CachedBoard(NamedTuple):
    """The notices of a station as read at an instant, the coming ones too."""

    notices: Sequence[NoticeText]
    noted: int
    made_at: datetime


class Last(NamedTuple):
    """What a reader was sent last: from which day it was made, and until when it is what they would be sent again."""

    variant: Hashable
    day: StationDay
    until: datetime
    tag: str
    pace: float


@dataclass
class Known:
    """A reader as found at an instant, and what they were sent last. `is_new`: the database has just been asked."""

    reader: PageReader
    noted: int
    made_at: datetime
    until: datetime
    last: Last | None = None
    is_new: bool = False

    @property
    def weight(self) -> int:
        """Bytes: no part of it is longer than a language's name."""
        return 1_200 + 900 * len(self.reader.who.entries)


class NotCached(Exception):
    """The database would have to be asked, and does not answer."""


class Cache:
    """The caches of one process. `noted` in an entry is the version of the change feed from before it was read.

    `aside` is the same for who has no turn: the database is asked for many at once, and whoever wants to ask waits for a
    permit. It raises NotCached when none comes free for long.
    """

    def __init__(self, engine: Engine, news: ChangeFeed, polls: PollPace) -> None:
        self._engine, self._permits = engine, TurnQueue(MOST_ASKING, waiting=0)
        self._has_turn = True
        self.news = news
        self.readers: Memory[tuple[str, str], Known] = Memory(12 * MB)  # by token and station
        self.days: Memory[tuple[str, date | None], CachedDay] = Memory(32 * MB)  # by station and day
        self.boards: Memory[int, CachedBoard] = Memory(4 * MB)  # by station
        self.pages: Memory[Hashable, Any] = Memory(28 * MB)  # frames, and rendered days
        self.page_headers: dict[Hashable, Headers] = {}  # by the form of a page and the status
        self.texts: Memory[Hashable, Any] = Memory(8 * MB)  # of answers to bookings
        self.headers: dict[int, Headers] = {}  # of the same answers, by status
        self.pictures: Memory[tuple[str, str], bytes] = Memory(8 * MB)  # uploaded ones, by name and size
        self.polls = polls
        self.aside = copy(self)
        self.aside._has_turn = False  # noqa: SLF001

    def look(self) -> None:
        """Poll the change feed if the last poll was long enough ago."""
        if not self.news.is_current:
            with self._asking():
                self.news.look()

    def day(self, station: str, asked: date | None, now: datetime) -> StationDay | None:
        """The day of an open station; None when there is no such station."""
        found, noted = self.days.get((station, asked)), self.news.noted
        if found and self._is_current(found, now):
            return found.day
        kept = found if found and self._is_current(found, now, but_bookings=True) else None
        with self._asking():
            day = (
                station_day.recount(self._engine, kept.day, now)
                if kept
                else station_day.find(self._engine, station, asked, now)
            )
        if found and day == found.day:
            day = found.day  # its pages are as they were
        if day:
            self.days[station, asked] = CachedDay(day, noted, now, kept.until if kept else _until(day, now))
        return day

    def _is_current(self, found: CachedDay, now: datetime, *, but_bookings: bool = False) -> bool:
        changed = self.news.changed_but_bookings if but_bookings else self.news.changed
        return found.made_at <= now < found.until and found.noted >= changed(found.day.station.id)

    def board(self, station_id: int, now: datetime) -> Sequence[NoticeText]:
        """The notices of a station that are not over. One of a node changes those of all stations."""
        found, noted = self.boards.get(station_id), self.news.noted
        changed = max(self.news.changed(station_id), self.news.apart_changed)
        if found and found.noted >= changed and found.made_at <= now < found.made_at + NO_LONGER:
            return found.notices
        with self._asking():
            notices = current_notices.find(self._engine, station_id, now)
        self.boards[station_id] = CachedBoard(notices, noted, now)
        return notices

    def known(self, token: str, station: str, now: datetime) -> Known | None:
        """Who reads a station's page with this sign-in; None when the sign-in is not valid.

        It may have ended a moment ago elsewhere: ask `is_valid` before anything personal is sent.
        """
        known = self.readers.get((token, station))
        if known and self._holds(known, now):
            return known
        noted, soon = self.news.noted, now + people.RENEWED_UNTIL
        with self._asking():
            found = page_reader.find(self._engine, people.hash_token(token), station, now, soon)
        if found is None:
            return None
        until = min(now + NO_LONGER, found.who.paused_until or now + NO_LONGER)
        self.readers[token, station] = Known(found, noted, now, until)
        return Known(found, noted, now, until, is_new=True)

    def is_valid(self, known: Known, token: str, now: datetime) -> bool:
        """Whether the sign-in still is: another process may have ended it."""
        if known.is_new:
            return True
        with self._asking():
            return people.find_sign_in_at(self._engine, token, now) == known.reader.signed_in

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if self._has_turn:
            yield
            return
        if not self._permits.take():
            raise NotCached
        try:
            yield
        finally:
            self._permits.give_back()

    def _holds(self, known: Known, now: datetime) -> bool:
        who = known.reader.who
        # A waiting-list place changes with those before it.
        changed = [self.news.changed(entry.station_id) for entry in who.entries if entry.state == "waiting"]
        changed.append(self.news.changed(person_id=who.person_id))
        return known.made_at <= now < known.until and known.noted >= max(changed)


def _until(day: StationDay, now: datetime) -> datetime:
    """Midnight at the station, or when the last slot is over, after which another day may be shown."""
    midnight = clock.instant(day.today + timedelta(days=1), time(), day.station.zone_name)
    return min(at for at in (now + NO_LONGER, midnight, day.over_at) if at > now)


def register(app: Flask) -> None:
    with app.app_context():
        news = ChangeFeed(db.engine, app.config["CACHE_POLL_SECONDS"])
        app.extensions["cache"] = Cache(db.engine, news, PollPace(app.config["WEB_WORKERS"]))


def of_this_process() -> Cache:
    found: Cache = current_app.extensions["cache"]
    return found


def look(request: Request) -> Cache:
    """The process cache after polling the change feed; at once for a browser that has just changed something."""
    found = of_this_process()
    found.news.look(at_once=JUST_ACTED in request.cookies)
    return found
