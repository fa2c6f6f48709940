"""Fragments of a day page: the parts that change by themselves, each with its element's id, its tag and its markup.

A part is rendered by Jinja once for all stations and readers for whom it looks the same, and then filled in. Needs no
request: its markup has placeholders for what differs between readers.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import render_template
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup

from booking.queries.slot_cards import Card
from booking.queries.station_day import DayView
from booking.web.cache.placeholders import PLACEHOLDERS, escaped, word
from booking.web.i18n import formatting
from booking.web.worker import card_cache, etag, filters
from booking.web.worker.blueprint import pages
from booking.web.worker.day_view import OPEN, DayPage
from booking.web.worker.filters import ALL, Pick
from booking.web.worker.results import Outcome

Words = dict[str, Any]
CODE = word("code")  # stands for the station's code: addresses are the same at all stations but for it


class Part(NamedTuple):
    """An element of the page. Its markup is made when it is needed."""

    id: str
    tag: str
    make: Callable[[], Markup]

    @property
    def html(self) -> Markup:
        return self.make()


def above(page: DayPage) -> list[Part]:
    """Everything above the cards."""
    return [_head(page), _strip(page), _picks(page), _notes(page)]


def cards(page: DayPage, no_files: bool, outcome: Outcome | None = None) -> list[Part]:
    """The cards, one of them with the outcome of an act."""
    signed_in, says_opening = page.reader is not None, page.opens_once is None
    return [_card(card, signed_in, no_files, outcome, says_opening) for card in page.shown]


def _card(card: Card, signed_in: bool, no_files: bool, outcome: Outcome | None, says_opening: bool) -> Part:
    said = outcome if outcome and outcome.slot_id == card.slot.id else None
    make = partial(card_cache.markup, card, signed_in, no_files, said, says_opening=says_opening)
    return Part(f"slot-card-{card.slot.id}", etag.short(etag.facts(card), says_opening), make)


def _head(page: DayPage) -> Part:
    opening, banner, is_signed_in = page.opening, page.banner, page.reader is not None
    left = page.left if banner == OPEN else 0
    key = (is_signed_in, banner, opening, left, page.when, page.today, page.station.zone_name, page.picked)

    def words() -> Words:
        about = {"banner": banner, "opening": opening, "left": left, "day": page.when, "today": page.today}
        path, _mark, query = filters.address(CODE, page.when, page.picked).partition("?")
        sign_in = f"/account/sign-in?next={path}?{quote(query)}"
        return {**about, "station": page.station, "now": page.now, "sign_in": None if is_signed_in else sign_in}

    return _part("head", key, words, {"code": page.station.code})


def _strip(page: DayPage) -> Part:
    own = tuple(page.own(view.day.date) for view in page.day.days)
    key = (page.day.days_digest, page.when, page.today, page.picked, own)

    def words() -> Words:
        squares = [_square(page, view, mine) for view, mine in zip(page.day.days, own, strict=True)]
        return {"squares": squares, "date": formatting.day_date(page.when, page.today)}

    return _part("strip", key, words, {"code": page.station.code})


def _square(page: DayPage, view: DayView, own: str) -> dict[str, Any]:
    when = view.day.date
    words = [formatting.day_date(when, page.today), str(OWN.get(own, ""))]
    return {
        "href": filters.address(CODE, when, page.picked),
        "name": formatting.day_name(when, page.today),
        "number": when.day,
        "said": " ".join(filter(None, words)),
        "current": when == page.when,
        "rest": not view.day.works and not view.slots,
        "note": note(view),
        "mine": own,
    }


def _picks(page: DayPage) -> Part:
    picks = tuple(filters.choices(page.picked, page.cards))
    key = (page.when, page.picked, picks)

    def words() -> Words:
        return {"choices": _choices(page, picks), "find": filters.find_address(CODE, page.picked), "code": CODE}

    return _part("picks", key, words, {"code": page.station.code})


def _choices(page: DayPage, picks: Sequence[Pick]) -> list[dict[str, Any]]:
    return [
        {
            "href": filters.address(CODE, page.when, pick),
            "text": filters.name(pick),
            "current": pick == page.picked,
        }
        for pick in picks
    ]


def _notes(page: DayPage) -> Part:
    limits, later = page.limits, page.next_with_slots
    said = {f"text{n}": formatting.reason(no, page.station) for n, no in enumerate(limits)}
    said |= {f"slot{n}": no.details["slot_id"] for n, no in enumerate(limits) if "slot_id" in no.details}
    links = tuple(f"slot{n}" in said for n in range(len(limits)))
    opens = None if page.opens_said else page.opens_once
    if opens:
        said["opens"] = formatting.format_moment(opens, page.station, page.today)
    has_cards, is_filtered = bool(page.cards), bool(page.cards and not page.shown)

    def words() -> Words:
        return {
            "limits": [(word(f"text{n}"), word(f"slot{n}") if link else None) for n, link in enumerate(links)],
            "opens": word("opens") if opens else "",
            "view": page.view,
            "has_cards": has_cards,
            "is_filtered": is_filtered,
            "whole": filters.address(CODE, page.when, ALL),
            "other_days": filters.find_address(CODE, page.picked),
            "later": later,
            "later_address": later and filters.address(CODE, later, ALL),
            "today": page.today,
        }

    key = (
        links,
        bool(opens),
        has_cards,
        is_filtered and page.picked,
        page.day.days_digest,
        page.when,
        later,
        page.today,
    )
    return _part("notes", key, words, {"code": page.station.code} | said)


def _part(name: str, key: Hashable, words: Callable[[], Words], values: Words) -> Part:
    """The part `_day_NAME.html`. `key` is all that decides about its markup beside `values`, which are printed."""

    def make() -> Markup:
        known_by = (name, formatting.language(), key)
        render = partial(_render, name, words)
        return card_cache.fragments.fill(known_by, render, PLACEHOLDERS | escaped(values))

    return Part(f"day-{name}", _tag(key, tuple(values.items())), make)


def _render(name: str, words: Callable[[], Words]) -> str:
    return render_template(f"worker/_day_{name}.html", **words())


@lru_cache(8192)
def _tag(key: Hashable, values: Hashable) -> str:
    return etag.short(key, values)


OWN = {"booked": lazy_gettext("已预约"), "waiting": lazy_gettext("候补中")}
HOLIDAYS = {
    "元旦": lazy_gettext("元旦"),
    "春节": lazy_gettext("春节"),
    "清明节": lazy_gettext("清明节"),
    "劳动节": lazy_gettext("劳动节"),
    "端午节": lazy_gettext("端午节"),
    "中秋节": lazy_gettext("中秋节"),
    "国庆节": lazy_gettext("国庆节"),
}


@pages.app_template_filter()
def holiday(name: str) -> str:
    """The name of a public holiday in the reader's language, where it is a national one."""
    return str(HOLIDAYS.get(name, name))


def note(view: DayView) -> str:
    """Why a day is not an ordinary one, or empty."""
    day = view.day
    if not day.works:
        return holiday(day.name) or str(gettext("周末") if day.date.isoweekday() > 5 else gettext("休息"))
    if day.date.isoweekday() > 5:
        return str(gettext("上班"))
    return str(gettext("暂定")) if day.tentative else ""
