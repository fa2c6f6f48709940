"""Card cache: fragment cache of a slot's card: rendered once for each key, then filled with texts and numbers.

The key is all that decides about the markup; what is only printed is a placeholder. Small numbers belong to the
key, since squares are drawn and plurals are chosen by them.
"""

from collections.abc import Mapping
from types import SimpleNamespace as Blank
from typing import Any, NamedTuple

from flask import render_template
from markupsafe import Markup

from booking.errors import RuleViolation
from booking.queries.slot_cards import Card
from booking.web import picture_links
from booking.web.cache.placeholders import PLACEHOLDERS, FragmentCache, escaped, filled, number, with_own, word
from booking.web.i18n import formatting
from booking.web.worker import draw_words
from booking.web.worker.calendar import takes_no_files
from booking.web.worker.results import Outcome

NUMBERS = ("01", "02", "03", "04", "05", "06", "07")  # placeholders of `_values`: the slot, the booking, `_numbers`
FEW = 20  # numbers up to here are part of the key

fragments = FragmentCache(8 * 2**20)


class CardKey(NamedTuple):
    """Cache key: all that a card's markup depends on. A number is None when it is only printed."""

    language: str
    signed_in: bool
    no_files: bool
    state: str
    is_counted: bool
    act: str | None
    at_opening: str | None
    by_draw: bool
    allocation: str
    door_seats: int
    phase: str
    wish: int
    wishes: int
    says_draw: bool
    door: str
    line_open: bool
    mine: str
    refusal: str
    says_why: bool
    drops: bool
    opens: bool
    numbers: tuple[int | None, ...]
    outcome: "OutcomeKey | None"


class OutcomeKey(NamedTuple):
    """The part of the key that a result contributes."""

    tone: str
    reason: str
    says_more: bool
    undo: bool
    leaves: bool
    asks: bool


class CardTexts(NamedTuple):
    """The texts of a card for one kind of reader, whatever its counters are. `words` are escaped markup."""

    language: str
    no_files: bool
    signed_in: bool
    words: dict[str, str]
    told: OutcomeKey | None


def card(seen: Card, signed_in: bool, outcome: Outcome | None = None) -> Markup:
    """The markup of one card in a day's list, for the reader of this request."""
    return with_own(markup(seen, signed_in, takes_no_files(), outcome))


def markup(
    seen: Card, signed_in: bool, no_files: bool, outcome: Outcome | None = None, *, says_opening: bool = True
) -> Markup:
    """The same with placeholders for what is the reader's own. Needs no request.

    `says_opening` is false where the opening of all cards is said once, above them.
    """
    said = say(seen, outcome, signed_in=signed_in, no_files=no_files)
    if not says_opening:
        said.words["opens"] = ""
    key = _key(seen, said)
    values = PLACEHOLDERS | _values(seen, said, outcome.undoes if outcome else None)
    return fragments.fill(key, lambda: _render(key), values)


def say(seen: Card, outcome: Outcome | None, *, signed_in: bool, no_files: bool) -> CardTexts:
    """All texts that the card needs, in the current language. Needs no request."""
    told = _told(outcome) if outcome else None
    return CardTexts(formatting.language(), no_files, signed_in, escaped(_words(seen, outcome)), told)


def _told(outcome: Outcome) -> OutcomeKey:
    undo, leaves = outcome.booking_id is not None, outcome.entry_id is not None
    return OutcomeKey(outcome.tone, outcome.reason, bool(outcome.text), undo, leaves, outcome.asks)


def again(seen: Card, said: CardTexts, booking_id: int | None, own: Mapping[str, str]) -> Markup | None:
    """The card without a request, from cached texts; None when no card of this key has been rendered yet.

    `own` is what belongs to this reader only, as markup: `csrf`, `key`, and texts with their own numbers.
    """
    template = fragments.get(_key(seen, said))
    return filled(template, {**_values(seen, said, booking_id), **own}) if template else None


def _key(seen: Card, said: CardTexts) -> CardKey:
    return CardKey(
        said.language,
        said.signed_in,
        said.no_files,
        seen.state,
        seen.is_counted,
        seen.act,
        seen.at_opening,
        seen.by_draw,
        seen.allocation,
        seen.slot.door_seats,
        seen.phase,
        seen.wish,
        seen.wishes,
        bool(said.words["draws"]),
        seen.door,
        seen.line_open,
        seen.mine.state if seen.mine else "",
        seen.refusal.reason if seen.refusal else "",
        bool(said.words["why"]),
        bool(said.words["drops"]),
        bool(said.words["opens"]),
        tuple(n if n <= FEW else None for n in _numbers(seen)),
        said.told,
    )


def _values(seen: Card, said: CardTexts, booking_id: int | None) -> dict[str, str]:
    return {**said.words, **dict(zip(NUMBERS, map(str, (seen.slot.id, booking_id, *_numbers(seen))), strict=True))}


def _numbers(seen: Card) -> tuple[int, ...]:
    slot = seen.slot
    return (seen.place or 0, seen.left, slot.capacity, slot.taken, slot.waiting)


def _words(seen: Card, outcome: Outcome | None) -> dict[str, Any]:
    """The texts that are printed."""
    slot = seen.slot
    words: dict[str, Any] = {
        "why": formatting.reason(seen.refusal, slot.station) if seen.refusal else "",
        "drops": formatting.drops(seen),
        "time": formatting.clock_range(slot, slot.station),
        "starts": slot.starts_at.isoformat(),
        "until": formatting.clock_time(slot.waitlist_until, slot.station),
        "title": formatting.local(slot.activity, "title"),
        "heading": formatting.heading(formatting.local(slot.activity, "title")),
        "where": formatting.where(slot),
        "picture": picture_links.picture_url(slot.activity.picture),
        "opens": "",
        "draws": draw_words.of_card(seen),
    }
    if seen.state == "planned":
        words["opens"] = formatting.format_moment(
            slot.opens_at, slot.station, formatting.station_date(seen.seen_at, slot.station)
        )
        words["instant"] = slot.opens_at.isoformat()
    if outcome:
        words |= {"said": outcome.title, "more": outcome.text}
    return words


def _render(key: CardKey) -> str:
    place, left, capacity, taken, waiting = (
        number(n) if value is None else value for n, value in enumerate(key.numbers, start=3)
    )
    slot = Blank(id=number(1), capacity=capacity, taken=taken, waiting=waiting, door_seats=key.door_seats)
    slot.activity = Blank(title=word("title"), title_en=word("title"))
    seen = Blank(slot=slot, state=key.state, act=key.act, left=left, place=place, line_open=key.line_open)
    seen.at_opening, seen.by_draw, seen.allocation, seen.door = key.at_opening, key.by_draw, key.allocation, key.door
    seen.is_counted, seen.phase, seen.wish, seen.wishes = key.is_counted, key.phase, key.wish, key.wishes
    seen.mine = Blank(state=key.mine) if key.mine else None
    seen.refusal = RuleViolation(key.refusal) if key.refusal else None
    printed = ("time", "starts", "until", "where", "instant", "heading", "picture")
    words: dict[str, Any] = {name: word(name) for name in printed}
    words |= {name: word(name) if said else "" for name, said in _said(key).items()}
    outcome = key.outcome and _blank_outcome(key.outcome)
    return render_template("worker/_slot_card.html", card=seen, person=key.signed_in, outcome=outcome, **words)


def _said(key: CardKey) -> dict[str, bool]:
    """Texts that not every card has."""
    return {"why": key.says_why, "drops": key.drops, "opens": key.opens, "draws": key.says_draw}


def _blank_outcome(told: OutcomeKey) -> Blank:
    more, undo = word("more") if told.says_more else "", number(2) if told.undo else None
    leave = number(2) if told.leaves else None
    said = {"tone": told.tone, "reason": told.reason, "title": word("said"), "text": more, "asks": told.asks}
    return Blank(slot_id=number(1), booking_id=undo, entry_id=leave, **said)
