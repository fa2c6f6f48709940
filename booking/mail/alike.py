"""Digests that tell the same are worded once: only the name of the reader and the way out differ.

People of one slot hear the same: sixty thousand digests are four thousand. What was worded is used for a
minute, which is no longer than a letter may lie between its wording and its sending anyway.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from markupsafe import escape

from booking.mail.facts import Facts
from booking.model import Letter

GOOD_FOR = timedelta(minutes=1)
MOST = 1_000_000  # characters, of two bytes each: a letter has 20,000, and a scheduler stays small
# Stand for the two in what is kept. Whoever types one into a title only shows readers their own name there.
NAME, STOP = "\ue001name\ue001", "\ue001stop\ue001"

Key = tuple[str, str, bool, str]


@dataclass(frozen=True)
class Said:
    """A letter in words."""

    subject: str
    text: str
    page: str


class Alike:
    """What was worded in the last minute: whole letters, and pieces of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[datetime, Any]] = OrderedDict()
        self._size = 0

    def has(self, key: Hashable, now: datetime) -> bool:
        """Whether it need not be worded again."""
        return self._find(key, now) is not None

    def said(self, key: Key, now: datetime, word: Callable[[], Said]) -> Said:
        """The words of all letters with this key, `NAME` and `STOP` in them."""
        found: Said = self._get(key, now, word)
        return found

    def pieces(self, language: str, now: datetime) -> Callable[..., str]:
        """For templates: `call kept(...)` gives its block; the same for all letters of this language with these values."""

        def kept(*key: Hashable, caller: Callable[[], str]) -> str:
            found: str = self._get((language, *key), now, caller)
            return found

        return kept

    def _get(self, key: Hashable, now: datetime, make: Callable[[], Any]) -> Any:
        found = self._find(key, now)
        if found is None:
            found = now, make()
            self._forget(key)
            self._kept[key] = found
            self._size += _length(found[1])
            while self._size > MOST:
                self._forget(next(iter(self._kept)))
        return found[1]

    def _forget(self, key: Hashable) -> None:
        if key in self._kept:
            self._size -= _length(self._kept.pop(key)[1])

    def _find(self, key: Hashable, now: datetime) -> tuple[datetime, Any] | None:
        found = self._kept.get(key)
        return found if found and abs(now - found[0]) < GOOD_FOR else None


def _length(words: Said | str) -> int:
    return len(words) if isinstance(words, str) else len(words.text) + len(words.page)


def of_this_process() -> Alike:
    found: Alike = current_app.extensions.setdefault("mail_alike", Alike())
    return found


def key(letter: Letter, language: str, *, named: bool) -> Key:
    """Equal for letters that tell the same."""
    return letter.kind, language, named, repr(letter.details)


def to_one(said: Said, name: str, stop: str) -> Said:
    """The words, to one reader."""
    return Said(
        said.subject,
        said.text.replace(NAME, name).replace(STOP, stop),
        said.page.replace(NAME, str(escape(name))).replace(STOP, str(escape(stop))),
    )


def to_anybody(told: Facts, *, named: bool) -> Facts:
    """What the templates may name, for nobody in particular."""
    return told | {"name": NAME if named else "", "stop": STOP}
