"""Digests that tell the same are worded once: only the name of the reader and the way out differ.

People of one slot hear the same: sixty thousand digests are four thousand. What those share, a seat's card or what
opens at a station, is worded once too, and kept as it goes over the line. What was worded is used for a minute, which
is no longer than a letter may lie between its wording and its sending anyway.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import current_app
from markupsafe import escape

from booking.mail import packing, styling
from booking.mail.facts import Facts
from booking.model import Letter

GOOD_FOR = timedelta(minutes=1)
MOST = 2_000_000  # bytes: a scheduler stays small
# Stand for the two in what is kept. Whoever types one into a title only shows readers their own name there.
NAME, STOP = "\ue001name\ue001", "\ue001stop\ue001"
# Stands for a kept piece in the words around it.
_MARK = "\ue002{}\ue002"
_HOLES = re.compile(f"({NAME}|{STOP}|{_MARK.format('[0-9]+')})")

Key = tuple[str, str, bool, str]
# Words on their way to bytes: what is quoted already, and the holes between.
Quoted = Sequence[bytes | str]


@dataclass(frozen=True)
class Said:
    """A letter in words."""

    subject: str
    text: str
    page: str


class Worded(NamedTuple):
    """A letter as it is kept, `NAME` and `STOP` in it."""

    subject: str
    text: Quoted
    page: Quoted


class Packed(NamedTuple):
    """A letter to one reader, quoted."""

    subject: str
    text: bytes
    page: bytes


class Piece(NamedTuple):
    """A block of a template that many letters share, and the blanks around it."""

    before: str
    quoted: bytes
    after: str


class Alike:
    """What was worded in the last minute: whole letters, and pieces of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[datetime, Any]] = OrderedDict()
        self._size = 0

    def has(self, key: Hashable, now: datetime) -> bool:
        """Whether it need not be worded again."""
        return self._find(key, now) is not None

    def get(self, key: Hashable, now: datetime, make: Callable[[], Any]) -> Any:
        """What `make` gave within this minute, or gives now."""
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


class Pieces:
    """The pieces of one letter that is being worded; `style` is the stylesheet of the page."""

    def __init__(self, known: Alike, language: str, now: datetime, style: str) -> None:
        self._known = known
        self._language = language
        self._now = now
        self._style = style
        self._marks: dict[str, bytes] = {}

    def kept(self, name: str, *values: Hashable, caller: Callable[[], str]) -> str:
        """For templates: `call kept(name, …)` gives its block; the same for all letters of this language with these values.

        A name ends as the file in which it stands. In a subject it gives the words themselves, elsewhere a mark.
        """
        key = (self._language, name, *values)
        if name.startswith("subject"):
            return str(self._known.get(key, self._now, caller))
        piece: Piece = self._known.get(key, self._now, lambda: self._piece(name, caller()))
        mark = _MARK.format(len(self._marks))
        self._marks[mark] = piece.quoted
        return f"{piece.before}{mark}{piece.after}"

    def _piece(self, name: str, said: str) -> Piece:
        words = said.strip()
        before, after = said[: len(said) - len(said.lstrip())], said[len(said.rstrip()) :]
        quoted = packing.quoted(styling.piece(words, self._style) if name.endswith(".html") else words)
        return Piece(before, quoted, after)

    def quoted(self, words: str) -> Quoted:
        """The words with their pieces."""
        first, *rest = _HOLES.split(words)
        made: list[bytes | str] = [packing.quoted(first)]
        for hole, text in zip(rest[::2], rest[1::2], strict=True):
            made += [hole if hole in (NAME, STOP) else self._marks.get(hole, b""), packing.quoted(text)]
        return made


def _length(made: Worded | Piece | str) -> int:
    """Bytes, those shared with others included."""
    if isinstance(made, str):
        return len(made)
    return len(made.quoted) if isinstance(made, Piece) else sum(map(len, (*made.text, *made.page)))


def of_this_process() -> Alike:
    found: Alike = current_app.extensions.setdefault("mail_alike", Alike())
    return found


def key(letter: Letter, language: str, *, named: bool) -> Key:
    """Equal for letters that tell the same."""
    return letter.kind, language, named, repr(letter.details)


def to_one(worded: Worded, name: str, stop: str) -> Packed:
    """The words, to one reader."""
    plain = {NAME: packing.quoted(name), STOP: packing.quoted(stop)}
    escaped = {NAME: packing.quoted(str(escape(name))), STOP: packing.quoted(str(escape(stop)))}
    return Packed(worded.subject, _filled(worded.text, plain), _filled(worded.page, escaped))


def _filled(words: Quoted, holes: dict[str, bytes]) -> bytes:
    return b"".join([part if isinstance(part, bytes) else holes[part] for part in words])


def to_anybody(told: Facts, *, named: bool) -> Facts:
    """What the templates may name, for nobody in particular."""
    return told | {"name": NAME if named else "", "stop": STOP}
