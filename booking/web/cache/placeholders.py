"""Fragment placeholders: markup rendered once and cached, with placeholders for what differs from reader to reader.

Rendering is the largest cost of an answer, and a station's page differs between readers in a token or two.
"""

import random
import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from flask import g
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from booking import clock
from booking.web.cache.lru import Memory

# Random in each process, so that no text that somebody has typed can look like a placeholder.
_BEGINS, _ENDS = f"\ue000{secrets.token_hex(8)}-", "\ue001"
_NUMBER = 7_310_000_000  # stands for a number: none of our ids and counts is as high
WORDS = re.compile(f"{_BEGINS}([a-z]+[0-9]?){_ENDS}")
# Number placeholders are looked for only in card markup without texts, where no other number can look like one.
SHAPES = re.compile(f"(?:{_BEGINS}|{_NUMBER // 100})([a-z]+[0-9]?|[0-9][0-9]){_ENDS}?")

SplitTemplate = list[str]


def word(name: str) -> str:
    """A placeholder for a text."""
    return f"{_BEGINS}{name}{_ENDS}"


# What differs between readers, and from one answer to the next.
PLACEHOLDERS = {name: word(name) for name in ("csrf", "key", "now", "count", "me", "pace")}
CSRF, KEY, NOW, COUNT, ME, PACE = PLACEHOLDERS.values()


def number(place: int) -> int:
    """A placeholder for a number, where a template counts or builds an address with it; filled as str(place)."""
    return _NUMBER + place


def is_blank() -> bool:
    """Whether markup for the cache is being rendered: then what differs between readers must be a placeholder."""
    return bool(g.get("blank"))


class FragmentCache:
    """Fragment cache: split markup by its key, least recently used first out; `most` bytes."""

    def __init__(self, most: int) -> None:
        self._kept: Memory[Hashable, SplitTemplate] = Memory(most)

    def get(self, key: Hashable) -> SplitTemplate | None:
        """The split markup for `key`, if it is cached."""
        return self._kept.get(key)

    def fill(self, key: Hashable, render: Callable[[], str], values: Mapping[str, str]) -> Markup:
        """What `render` makes, with `values` in its placeholders. `render` is called only when `key` is not cached."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = split_template(render, SHAPES)
        return filled(found, values)


def filled(template: SplitTemplate, values: Mapping[str, str]) -> Markup:
    """The markup with `values`, which are markup too, in its placeholders."""
    parts = template.copy()
    parts[1::2] = map(values.__getitem__, template[1::2])
    return Markup("".join(parts))  # noqa: S704


def escaped(values: Mapping[str, Any]) -> dict[str, str]:
    """Values escaped, as `filled` wants them."""
    return {name: str(escape(value)) for name, value in values.items()}


def with_own(markup: str) -> Markup:
    """The markup of a card with what is this request's reader's own in its placeholders."""
    return Markup(WORDS.sub(lambda found: str(escape(OWN[found[1]]())), markup))  # noqa: S704


def random_key() -> str:
    """No secret: it counts for one person only. The system's random numbers would cost a thread its turn."""
    return f"{random.getrandbits(96):024x}"


OWN: dict[str, Callable[[], str]] = {
    "csrf": generate_csrf,
    "key": random_key,
}


def new_key() -> str:
    """Idempotency key of a booking form. One for each page: its forms append what they are about."""
    return KEY if is_blank() else random_key()


def reader() -> str:
    """Whose page it is: the id of the sign-in, or empty."""
    return ME if is_blank() else str(getattr(current_user, "sign_in_id", ""))


def own_tag(tag: str) -> str:
    """The entity tag for one sign-in: who signs in next with the same browser gets a page with their own tokens."""
    return f"{tag}-{reader()}"


def shown_at() -> str:
    """The server's clock, for the page's countdown."""
    return NOW if is_blank() else clock.now().isoformat()


def split_template(render: Callable[[], str], blank: re.Pattern[str] = WORDS) -> SplitTemplate:
    """What `render` makes, split into text and names of placeholders in turn. Only what `blank` matches is one."""
    before = g.get("blank"), g.get("csrf_token")
    g.blank, g.csrf_token = True, CSRF
    try:
        html = render()
    finally:
        g.blank, g.csrf_token = before
        if not before[1]:
            del g.csrf_token
    return blank.split(html)
