"""Markup that is rendered once and filled in for each reader: what differs stands in it as a blank.

Rendering is what an answer costs most; a page of a station differs from reader to reader in a token or two.
"""

import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from flask import g, session
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from booking import clock
from booking.web.memory import Memory

# Made anew by each process: no text that somebody has typed can look like a blank.
_BEGINS, _ENDS = f"\ue000{secrets.token_hex(8)}-", "\ue001"
CSRF, KEY, NOW, COUNT, ME = (f"{_BEGINS}{name}{_ENDS}" for name in ("csrf", "key", "now", "count", "me"))
_NUMBER = 7_310_000_000  # a number that stands for another: no id, no count of ours is as high
READERS = re.compile(f"{_BEGINS}(csrf|key|now|count|me){_ENDS}")
# Numbers that are blanks are looked for only here, for a shape holds nobody's words.
SHAPES = re.compile(f"(?:{_BEGINS}|{_NUMBER // 100})([a-z]+|[0-9][0-9]){_ENDS}?")

Skeleton = list[str]


def word(name: str) -> str:
    """A blank for a text."""
    return f"{_BEGINS}{name}{_ENDS}"


def number(place: int) -> int:
    """A blank for a number, where a template counts or builds an address with it; filled as str(place)."""
    return _NUMBER + place


def is_blank() -> bool:
    """Whether a skeleton is being rendered: then what differs from reader to reader must be a blank."""
    return bool(g.get("blank"))


class Skeletons:
    """Skeletons by what they depend on, the latest used ones: so many bytes of them."""

    def __init__(self, most: int) -> None:
        self._kept: Memory[Hashable, Skeleton] = Memory(most)

    def get(self, key: Hashable) -> Skeleton | None:
        """The skeleton for `key`, if there is one yet."""
        return self._kept.get(key)

    def fill(self, key: Hashable, render: Callable[[], str], values: Mapping[str, str]) -> Markup:
        """What `render` makes, with `values` in its blanks. It is asked only when there is nothing for `key` yet."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = skeleton(render, SHAPES)
        return filled(found, _WithOwn(values))


def filled(skeleton: Skeleton, values: Mapping[str, str]) -> Markup:
    """The skeleton with `values`, which are markup, in its blanks."""
    parts = skeleton.copy()
    parts[1::2] = map(values.__getitem__, skeleton[1::2])
    return Markup("".join(parts))  # noqa: S704


def escaped(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as `filled` wants them."""
    return {name: str(escape(value)) for name, value in values.items()}


class _WithOwn(dict[str, str]):
    """Values, and what is a reader's own, made when it is needed."""

    def __missing__(self, name: str) -> str:
        value = self[name] = word(name) if is_blank() else str(escape(OWN[name]()))
        return value


def random_key() -> str:
    return secrets.token_urlsafe(12)


def csrf() -> str:
    """The session's token, signed. Signing is most of the work, and the token of a session does not change."""
    raw = session.get("csrf_token")
    if not raw:
        return generate_csrf()
    if (signed := _signed.get(raw)) is None:
        signed = _signed[raw] = generate_csrf()
    return signed


_signed: Memory[str, str] = Memory(4 * 2**20)


OWN: dict[str, Callable[[], str]] = {
    "count": lambda: "",
    "csrf": csrf,
    "key": random_key,
    "now": lambda: clock.now().isoformat(),
    "me": lambda: str(getattr(current_user, "sign_in_id", "")),
}


def new_key() -> str:
    """What makes a press one press, however often it is sent. One for a page: its forms add what they are about."""
    return KEY if is_blank() else random_key()


def reader() -> str:
    """Whose page it is: the sign-in's number, or nothing."""
    return ME if is_blank() else OWN["me"]()


def shown_at() -> str:
    """The server's clock, for the page's countdown."""
    return NOW if is_blank() else OWN["now"]()


def skeleton(render: Callable[[], str], blank: re.Pattern[str] = READERS) -> Skeleton:
    """What `render` makes: text and the names of blanks in turn. Only what `blank` finds is one."""
    before = g.get("blank"), g.get("csrf_token")
    g.blank, g.csrf_token = True, CSRF
    try:
        html = render()
    finally:
        g.blank, g.csrf_token = before
        if not before[1]:
            del g.csrf_token
    return blank.split(html)
