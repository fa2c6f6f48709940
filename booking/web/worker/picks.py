"""What of a day a reader wants to see: one kind of activity, or only what can still be had."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from flask import request, url_for
from flask_babel import gettext

from booking.model import KINDS
from booking.rosters.cards import Card
from booking.web.forms.programme import KIND_WORDS

FIELDS = ("kind", "open")


class Pick(NamedTuple):
    """`kind` is one of KINDS or nothing; `only_open` leaves out what a tap would bring nothing of."""

    kind: str = ""
    only_open: bool = False

    def takes(self, card: Card) -> bool:
        """Whether the card is shown. What is mine always is."""
        if card.mine:
            return True
        fits = not self.kind or card.slot.activity.kind == self.kind
        return fits and not (self.only_open and not (card.act or card.state == "planned"))


class Choice(NamedTuple):
    """One way to look at the day."""

    text: str
    href: str
    current: bool


def asked() -> Pick:
    """What this request asks for; what makes no sense is everything."""
    kind = request.args.get("kind", "")
    return Pick(kind if kind in KINDS else "", request.args.get("open") == "1")


def choices(code: str, when: date, picked: Pick, cards: Sequence[Card]) -> list[Choice]:
    """The ways that make a difference on this day; none when there is nothing to choose from."""
    kinds = list(dict.fromkeys(card.slot.activity.kind for card in cards))
    gone = any(not Pick(only_open=True).takes(card) for card in cards)
    ways = [(gettext("全部"), Pick())]
    if gone or picked.only_open:
        ways.append((gettext("还能约的"), Pick(only_open=True)))
    if len(kinds) > 1:
        ways += [(str(KIND_WORDS[kind]), Pick(kind=kind)) for kind in kinds]
    if len(ways) == 1:
        return []
    return [Choice(text, address(code, when, pick), pick == picked) for text, pick in ways]


def address(code: str, when: date, picked: Pick) -> str:
    """Where a day is shown in that way."""
    return url_for("worker.station", code=code, day=when, kind=picked.kind or None, open=int(picked.only_open) or None)
