"""Search over all coming days of a station: by words, kind, day of the week, and what can still be booked."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from flask import make_response, render_template, request
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from booking.queries import folding, pagination
from booking.queries.slot_cards import Card
from booking.sanitise import one_line
from booking.web import htmx
from booking.web.cache.placeholders import own_tag
from booking.web.errors import read_id
from booking.web.forms.programme import KIND_WORDS
from booking.web.i18n import formatting
from booking.web.worker import card_cache, coming, day_parts, day_view, etag, filters
from booking.web.worker.blueprint import pages
from booking.web.worker.coming import ComingDays
from booking.web.worker.filters import ALL, Pick

LONGEST = 40  # characters of a search
A_PAGE = 20  # cards


class Search(NamedTuple):
    """What is looked for. `text` is what was typed; `weekday` is 1 (Monday) to 7, or 0 for any; `page` is from 1."""

    text: str = ""
    pick: Pick = ALL
    weekday: int = 0
    page: int = 1

    @property
    def is_too_long(self) -> bool:
        return len(self.text) > LONGEST

    @property
    def words(self) -> list[str]:
        """Folded. What has no letter is looked for as it is, and so not found."""
        typed = [folding.fold(word) for word in folding.words(self.text)]
        return typed or [self.text] * bool(self.text)

    def results(self, cards: Sequence[Card]) -> list[Card]:
        """The cards that have all that is asked for: each word somewhere in their texts."""
        if self.is_too_long:
            return []
        kept = [card for card in cards if self.pick.fits(card) and self.weekday in (0, card.slot.date.isoweekday())]
        words = self.words
        return [card for card in kept if all(word in _texts(card) for word in words)] if words else kept

    def address(self, code: str) -> str:
        return filters.find_address(code, self.pick, self.text, self.weekday, self.page)


class Choice(NamedTuple):
    """A link that changes one part of the search."""

    href: str
    text: str
    current: bool


class FoundDay(NamedTuple):
    """The found slots of one day. `note` says why it is no ordinary one; `limits` are said once above the cards: the
    sentence, and the slot that it is about."""

    name: str
    note: str
    limits: Sequence[tuple[str, int | None]]
    cards: Sequence[Markup]


@pages.get("/s/<code>/find")
def find(code: str) -> Response:
    """A page whose address can be shared; for htmx its results alone."""
    ahead, search = coming.read(code), _read(request.args)
    found = search.results(ahead.cards)
    number, _pages, first = pagination.place(len(found), search.page, A_PAGE)
    search, shown = search._replace(page=number), found[first : first + A_PAGE]
    choices = {"kinds": _kinds(ahead, search), "weekdays": _weekdays(ahead, search)}
    about = {"total": len(found), "every": len(ahead.cards), "opening": ahead.page.opening, **choices}
    tag = own_tag(_tag(ahead, search, shown, about))

    def render(template: str) -> str:
        ways = _ways(ahead, search, len(found))
        days = list(_days(ahead, shown))
        said = {"search": search, "station": ahead.page.station, "today": ahead.page.today, "tag": tag}
        return render_template(template, **about, **ways, **said, days=days, longest=LONGEST)

    if htmx.asked():
        return htmx.fresh(tag, lambda: render("worker/_found.html"))
    return make_response(render("worker/find.html"), 422 if search.is_too_long else 200)


def _read(args: Mapping[str, str]) -> Search:
    """Read the query. Choices that make no sense choose nothing, and unknown fields are ignored."""
    weekday, page = (read_id(args.get(name, "")) for name in ("weekday", "page"))
    return Search(one_line(args.get("q", "")), filters.pick(args), weekday if weekday <= 7 else 0, max(page, 1))


def _texts(card: Card) -> str:
    """Titles, host and kind in both languages, folded; no word goes over from one to the next."""
    about, host = card.slot.activity, card.slot.host
    hosts = (host,) if host else (about.host, about.host_en)
    return "\n".join(map(folding.fold, (about.title, about.title_en, *hosts, about.kind, str(KIND_WORDS[about.kind]))))


def _kinds(ahead: ComingDays, search: Search) -> list[Choice]:
    code = ahead.page.station.code
    picks = filters.choices(search.pick, ahead.cards)
    return [
        Choice(search._replace(pick=pick, page=1).address(code), filters.name(pick), pick == search.pick)
        for pick in picks
    ]


def _weekdays(ahead: ComingDays, search: Search) -> list[Choice]:
    """Those on which there is something, Monday first."""
    code = ahead.page.station.code
    dates = {card.slot.date.isoweekday(): card.slot.date for card in ahead.cards}
    names = {0: str(gettext("每天"))} | {day: formatting.day_name(dates[day]) for day in sorted(dates)}
    if len(dates) < 2 and not search.weekday:
        return []
    return [
        Choice(search._replace(weekday=day, page=1).address(code), name, day == search.weekday)
        for day, name in names.items()
    ]


def _tag(ahead: ComingDays, search: Search, shown: Sequence[Card], about: dict[str, Any]) -> str:
    """The entity tag of all that the results show."""
    page, cards = ahead.page, [etag.facts(card) for card in shown]
    return etag.of(formatting.language(), page.today, page.day.days_digest, search, cards, sorted(about.items()))


def _ways(ahead: ComingDays, search: Search, total: int) -> dict[str, Any]:
    """Addresses: of this search, its neighbours, and, where it finds nothing, of the same words without the filters."""
    code, page = ahead.page.station.code, search.page
    widened = search._replace(pick=ALL, weekday=0, page=1)
    is_of_use = not total and widened != search and widened.results(ahead.cards)
    return {
        "address": search.address(code),
        "later": search._replace(page=page + 1).address(code) if page * A_PAGE < total else None,
        "earlier": search._replace(page=page - 1).address(code) if page > 1 else None,
        "widened": widened.address(code) if is_of_use else None,
        "whole": filters.find_address(code),
    }


def _days(ahead: ComingDays, shown: Sequence[Card]) -> Iterator[FoundDay]:
    page = ahead.page
    notes = {view.day.date: day_parts.note(view) for view in page.day.days}
    said: set[tuple[str, int | None]] = set()
    for when, of_day in groupby(shown, lambda card: card.slot.date):
        cards = list(of_day)
        limits = [(formatting.reason(no, page.station), no.details.get("slot_id")) for no in day_view.limits(cards)]
        new = [limit for limit in limits if limit not in said]
        said.update(new)
        markup = [card_cache.card(card, page.reader is not None) for card in cards]
        yield FoundDay(_name(when, page.today), notes[when], new, markup)


def _name(when: date, today: date) -> str:
    """明天 12月1日周二, 12月3日周四."""
    near = formatting.day_name(when, today) if (when - today).days < 2 else ""
    name = f"{near} {formatting.day_date(when, today)}".strip()
    return name[:1].upper() + name[1:]
