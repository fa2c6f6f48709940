"""Filters of a station's page: which day, one kind of activity, or only what can still be booked."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from flask import request
from flask_babel import gettext

from booking import clock, policy
from booking.model import KINDS
from booking.queries.slot_cards import Card
from booking.web.forms.programme import KIND_WORDS

FARTHEST = timedelta(days=policy.BOUNDS["days_ahead"][1] + 1)  # one day more: the time zone is not known here


class Pick(NamedTuple):
    """`kind` is one of KINDS or empty; `only_open` leaves out the slots that cannot be booked."""

    kind: str = ""
    only_open: bool = False

    def takes(self, card: Card) -> bool:
        """Whether the card is shown on its day. The reader's own always are."""
        return bool(card.mine) or self.fits(card)

    def fits(self, card: Card) -> bool:
        fits = not self.kind or card.slot.activity.kind == self.kind
        return fits and not (self.only_open and not (card.act or card.state == "planned"))


ALL = Pick()


class DayQuery(NamedTuple):
    """All that the address of a station's page can ask for. `day` is one that a station could show, or None."""

    day: date | None = None
    pick: Pick = ALL


def asked() -> DayQuery:
    """What this request asks for."""
    return read(request.args)


def read(args: Mapping[str, str]) -> DayQuery:
    """Read the query. Values that make no sense filter nothing, and unknown fields are ignored."""
    return DayQuery(_day(args.get("day", "")), pick(args))


def pick(args: Mapping[str, str]) -> Pick:
    """The same of the filters alone."""
    kind = args.get("kind", "")
    return Pick(kind if kind in KINDS else "", args.get("open") == "1")


def _day(text: str) -> date | None:
    try:
        when = date.fromisoformat(text)
    except ValueError:
        return None
    return when if abs(when - clock.now().date()) <= FARTHEST else None


def choices(picked: Pick, cards: Sequence[Card]) -> list[Pick]:
    """The filters that make a difference for these cards; none when there is nothing to choose from."""
    kinds = list(dict.fromkeys(card.slot.activity.kind for card in cards))
    gone = any(not Pick(only_open=True).takes(card) for card in cards)
    ways = [ALL]
    if gone or picked.only_open:
        ways.append(Pick(only_open=True))
    if len(kinds) > 1:
        ways += [Pick(kind=kind) for kind in kinds]
    return ways if len(ways) > 1 else []


def name(pick: Pick) -> str:
    """What its link says."""
    if pick.kind:
        return str(KIND_WORDS[pick.kind])
    return str(gettext("还能约的") if pick.only_open else gettext("全部"))


def address(code: str, when: date, picked: Pick) -> str:
    """The address of a day with these filters."""
    return _address(f"/s/{code}", {"day": when, "kind": picked.kind, "open": int(picked.only_open)})


def find_address(code: str, picked: Pick = ALL, text: str = "", weekday: int = 0, page: int = 1) -> str:
    """The address of the search over all days with these filters."""
    asked = {"q": text, "kind": picked.kind, "open": int(picked.only_open), "weekday": weekday}
    return _address(f"/s/{code}/find", asked | {"page": page if page > 1 else 0})


def _address(path: str, asked: Mapping[str, object]) -> str:
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{path}?{query}" if query else path
