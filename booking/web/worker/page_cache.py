"""Page cache of a station's day: what a reader is sent, from what the process knows of the station and of the reader.

The frame of the page is rendered once for all stations, its parts once for all that look the same (`day_parts`); what
remains is to put them together. A poll is answered with the parts that have changed since the tag that it names, or
with 304. Needs no request, but for a frame that is not cached yet.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple

from flask import current_app, make_response, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from booking import policy
from booking.queries.station_day import StationDay
from booking.web.cache import placeholders
from booking.web.cache.gzip_parts import Packed, Values
from booking.web.cache.placeholders import ME, PACE, WORDS, word
from booking.web.cache.store import NO_LONGER, Cache, Known, Last
from booking.web.i18n import formatting
from booking.web.worker import day_parts, etag, filters, notice_board
from booking.web.worker.day_parts import Part
from booking.web.worker.day_view import DayPage
from booking.web.worker.filters import DayQuery
from booking.web.worker.results import Outcome

ASKED = "booking.page_request"  # environ key under which the app names the request that it has answered
POLL_AFTER = "Poll-After"  # header: in how many seconds to ask again
MOST_PARTS = 60  # that a tag tells apart


class PageRequest(NamedTuple):
    """What is asked for, as parsed values and nothing of the raw request. `tag` is the entity tag that the browser has;
    `style` the fingerprint of a stylesheet that the page must inline."""

    station: str
    asked: DayQuery
    language: str
    is_fragment: bool
    no_files: bool
    tag: str
    is_signed_in: bool
    style: str | None = None


class Viewer(NamedTuple):
    """Who looks at a page: what is known of their sign-in (None for nobody signed in), whether it still holds, and their CSRF
    token."""

    known: Known | None
    is_valid: Callable[[], bool]
    csrf: str

    @property
    def me(self) -> str:
        """The id of the sign-in, or empty."""
        return str(self.known.reader.signed_in.sign_in_id) if self.known else ""


class Answer(NamedTuple):
    """`body` is None where the browser has it already. `pace` is in how many seconds to ask again."""

    tag: str
    pace: float
    body: Packed | None = None
    values: Values = {}


@dataclass(frozen=True)
class RenderedDay:
    """One day as a reader sees it, until the day or the reader changes, or the clock changes it."""

    page: DayPage
    language: str
    above: Sequence[Part]
    cards: Sequence[Part]

    @property
    def parts(self) -> Sequence[Part]:
        return [*self.above, *self.cards]

    @cached_property
    def tag(self) -> str:
        """The order of the parts, then the tag of each."""
        page, tags = self.page, "".join(part.tag for part in self.parts)
        around = (page.station.code, page.when, page.picked, self.language, page.reader is None)
        order = etag.short(*around, [part.id for part in self.parts])
        return f"{order}-{tags if len(self.parts) <= MOST_PARTS else etag.short(tags)}"

    @cached_property
    def pace(self) -> int:
        return self.page.pace

    @cached_property
    def until(self) -> datetime:
        return self.page.changes_at

    @property
    def html(self) -> str:
        """The whole day."""
        above, cards = (Markup("").join(part.html for part in parts) for parts in (self.above, self.cards))
        return str(_markup().day(above, cards, self.tag, ME, PACE, self.address))

    @cached_property
    def packed(self) -> Packed:
        """The same, ready to be sent."""
        return Packed(WORDS.split(self.html))

    @property
    def address(self) -> str:
        return filters.address(self.page.station.code, self.page.when, self.page.picked)

    @cached_property
    def texts(self) -> dict[str, str]:
        """The texts of its frame, escaped."""
        page = self.page
        texts = {
            "name": formatting.local(page.station, "name"),
            "address": formatting.local(page.station, "address"),
            "date": formatting.day_date(page.when, page.today),
            "back": self.address,
            "code": page.station.code,
        }
        return placeholders.escaped(texts)

    @property
    def weight(self) -> int:
        """Bytes, as measured, and some more: what is made when it is needed is counted from the beginning."""
        return 10_000 + 3_600 * len(self.cards)

    def is_still(self, page: DayPage) -> bool:
        """Whether this is what `page` would be."""
        ours = self.page
        same = ours.day is page.day and (page.is_shared or ours.reader is page.reader)
        return same and ours.now <= page.now < self.until

    def changes(self, tag: str) -> Packed | None:
        """The parts that are not as in `tag`; None when they are not the same parts in the same order."""
        order, _dash, ours = self.tag.partition("-")
        known_order, _dash, known = tag.partition("-")
        if order != known_order or len(ours) != len(known) or len(ours) != etag.SHORT * len(self.parts):
            return None
        tags = (known[at : at + etag.SHORT] for at in range(0, len(known), etag.SHORT))
        changed = [part for part, tag in zip(self.parts, tags, strict=True) if part.tag != tag]
        ids = [part.id for part in changed]
        found = self._newest[0]
        if found is None or found[0] != ids:
            found = self._newest[0] = ids, Packed(WORDS.split(str(_markup().changes(changed))))
        return found[1]

    @cached_property
    def _newest(self) -> list[tuple[list[str], Packed] | None]:
        """Ids and markup of the changes that were asked for last: most phones of a station need the same ones."""
        return [None]

    def filled(self, viewer: Viewer, pace: float, now: datetime) -> Markup:
        """The whole day for one reader."""
        return placeholders.filled(WORDS.split(self.html), _texts(self, viewer, pace, now))


def _markup() -> Any:
    return current_app.jinja_env.get_template("worker/_day.html").module


class Frame(NamedTuple):
    """The page around the day, the same at all stations with the same rules."""

    pieces: Packed
    made_at: datetime

    @property
    def weight(self) -> int:
        """Bytes."""
        return self.pieces.weight


def headers(asked: PageRequest, answer: Answer) -> dict[str, str]:
    """The headers of a fragment that are its own."""
    return {"ETag": f'W/"{answer.tag}"', POLL_AFTER: f"{answer.pace:g}"} if asked.is_fragment else {}


def response(asked: PageRequest, answer: Answer) -> Response:
    """The answer within a request, whose headers may be kept for others like it."""
    request.environ[ASKED] = asked
    made = make_response(answer.body.plain(answer.values).decode() if answer.body else ("", 304))
    made.headers.update(headers(asked, answer))
    return made


class FrameKey(NamedTuple):
    """All that a frame depends on."""

    language: str
    style: str | None
    is_signed_in: bool
    has_others: bool
    has_address: bool
    has_draws: bool
    rules: policy.Policy


Render = Callable[[FrameKey], str]


def answer(cache: Cache, asked: PageRequest, viewer: Viewer, now: datetime, render: Render | None) -> Answer | None:
    """What this reader is sent, in the language of this context. `render` makes a frame that is not cached.

    None when there is no such station, the sign-in has ended, or the frame is missing.
    """
    day = cache.day(asked.station, asked.asked.day, now)
    if day is None:
        return None
    if asked.is_fragment and (last := _last(asked, viewer, day, now)) and asked.tag == last.tag:
        return Answer(last.tag, cache.polls.tell(last.pace))
    rendered = _rendered(cache, asked, viewer, day, now)
    page, tag = rendered.page, f"{rendered.tag}-{viewer.me}"
    if viewer.known:
        viewer.known.last = Last(_variant(asked), day, rendered.until, tag, rendered.pace)
    if asked.is_fragment and asked.tag == tag:
        return Answer(tag, cache.polls.tell(rendered.pace))
    if not page.is_shared and not viewer.is_valid():
        return None
    pace = cache.polls.tell(rendered.pace)
    texts = _texts(rendered, viewer, pace, now)
    if asked.is_fragment:
        known, _dash, me = asked.tag.rpartition("-")
        changes = rendered.changes(known) if known and me == viewer.me else None
        if changes is not None:
            return Answer(tag, pace, changes, texts)
    found = Answer(tag, pace, rendered.packed, texts)
    return found if asked.is_fragment else _within_frame(cache, asked, page, now, render, found)


def _variant(asked: PageRequest) -> Hashable:
    return asked.asked, asked.language, asked.no_files


def _last(asked: PageRequest, viewer: Viewer, day: StationDay, now: datetime) -> Last | None:
    last = viewer.known.last if viewer.known else None
    return last if last and last.day is day and last.variant == _variant(asked) and now < last.until else None


def _rendered(cache: Cache, asked: PageRequest, viewer: Viewer, day: StationDay, now: datetime) -> RenderedDay:
    page = DayPage(day, viewer.known.reader if viewer.known else None, now, asked.asked.pick)
    found: RenderedDay | None = cache.pages.get(_key(asked, page))
    if found and found.is_still(page):
        return found
    found = cache.pages[_key(asked, page)] = render_day(page, asked.no_files)
    return found


def _key(asked: PageRequest, page: DayPage) -> Hashable:
    """The key of a rendered day. `who` is nobody, anybody who is signed in, or a person with something of their own."""
    who = None if page.reader is None else "anybody" if page.is_shared else page.reader.signed_in.person_id
    return page.station.id, page.when, _variant(asked), who


def render_day(page: DayPage, no_files: bool, outcome: Outcome | None = None) -> RenderedDay:
    """The day in the language of this context, one of its cards with the outcome of an act."""
    above, cards = day_parts.above(page), day_parts.cards(page, no_files, outcome)
    return RenderedDay(page, formatting.language(), above, cards)


def _within_frame(
    cache: Cache, asked: PageRequest, page: DayPage, now: datetime, render: Render | None, day: Answer
) -> Answer | None:
    """The whole page, with the notices, which a poll leaves as they are."""
    frame = _frame(cache, asked, page, now, render)
    if frame is None:
        return None
    notices = notice_board.folded(cache, page.station, now).packed
    return day._replace(body=frame, values={**day.values, "day": day.body or "", "notices": notices})


def _frame(cache: Cache, asked: PageRequest, page: DayPage, now: datetime, render: Render | None) -> Packed | None:
    station = page.station
    about = (page.reader is not None, station.has_others, bool(station.address), station.has_draws)
    key = FrameKey(asked.language, asked.style, *about, policy.read(station.policy))
    found: Frame | None = cache.pages.get(key)
    if (found is None or not found.made_at <= now < found.made_at + NO_LONGER) and render:
        found = cache.pages[key] = Frame(Packed(placeholders.split_template(lambda: render(key))), now)
    return found.pieces if found else None


def render_frame(key: FrameKey) -> str:
    """The page around a day, with placeholders for what differs between stations. Within a request."""
    words = {name: word(name) for name in ("name", "date", "back", "code", "day", "notices")}
    address = word("address") if key.has_address else ""
    texts = {"name": words["name"], "name_en": words["name"], "address": address, "address_en": address}
    station = SimpleNamespace(**texts, has_others=key.has_others)
    return render_template("worker/slots.html", station=station, rules=key.rules, has_draws=key.has_draws, **words)


def _texts(rendered: RenderedDay, viewer: Viewer, pace: float, now: datetime) -> dict[str, str]:
    """The values of all placeholders. Those that are new in each answer have nothing to escape."""
    counts_to = rendered.page.counts_to
    return {
        **rendered.texts,
        "csrf": viewer.csrf,
        "key": placeholders.random_key(),
        "now": now.isoformat(),
        "me": viewer.me,
        "pace": f"{pace:g}",
        "count": formatting.opens_in(counts_to, now, rendered.page.station) if counts_to else "",
    }
