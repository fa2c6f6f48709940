"""Digests that tell of the same things are made of the same pieces: each is worded once, and joined as bytes.

Letters of one shape, say of one seat, no place in line and one opening, differ in their blocks alone: what a template
puts into `call(slot) kept("seat.html", ("seats", 0))`. So a shape's `Frame` is worded once, with holes for its blocks;
a block is worded once for all letters that tell the same there, and kept as it goes over the line. What was worded is
used for a minute, which is no longer than a letter may lie between its wording and its sending anyway.
"""

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import current_app
from flask_babel import force_locale
from markupsafe import escape

from booking.mail import inline_css, packing, translations
from booking.mail.context import Facts
from booking.mail.wording import tidy

GOOD_FOR = timedelta(minutes=1)
MOST = 2_000_000  # bytes: a scheduler stays small
# Made anew by each process: no text that somebody has typed can look like what stands for something else.
_OWN = secrets.token_hex(8)
# Stand for the two in what is kept.
NAME, STOP = f"\ue001{_OWN}-name\ue001", f"\ue001{_OWN}-stop\ue001"
# Stands for a block in the words around it.
_MARK = f"\ue002{_OWN}-{{}}\ue002"
_HOLES = re.compile(f"({NAME}|{STOP}|{_MARK.format('[0-9]+')})")

# The name of a fact, or one of a fact that is a list.
Place = str | tuple[str, int]


class Block(NamedTuple):
    """A hole of a frame. It is worded by the facts at its places and by nothing else; its name ends as its file."""

    name: str
    places: tuple[Place, ...]
    word: Callable[..., str]


class Frame(NamedTuple):
    """The letters of one shape: words, quoted but in the subject, and between them `NAME`, `STOP` and blocks."""

    subject: Sequence[str | Block]
    text: Sequence[bytes | str | Block]
    page: Sequence[bytes | str | Block]


class Packed(NamedTuple):
    """A letter to one reader, quoted."""

    subject: str
    text: bytes
    page: bytes


class Alike:
    """What was worded in the last minute, the least asked for forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[datetime, Any]] = OrderedDict()
        self._size = 0

    def get(self, key: Hashable, now: datetime, make: Callable[[], Any]) -> Any:
        """What `make` gave within this minute, or gives now."""
        found = self._kept.get(key)
        if found and abs(now - found[0]) < GOOD_FOR:
            self._kept.move_to_end(key)
            return found[1]
        made = make()
        self._forget(key)
        self._kept[key] = now, made
        self._size += _length(made)
        while self._size > MOST:
            self._forget(next(iter(self._kept)))
        return made

    def _forget(self, key: Hashable) -> None:
        if key in self._kept:
            self._size -= _length(self._kept.pop(key)[1])


class Framing:
    """A frame that is being worded, for the first letter of its shape."""

    def __init__(self, told: Facts) -> None:
        self._told = told
        self._blocks: dict[str, Block] = {}

    def kept(self, name: str, *places: Place, caller: Callable[..., str]) -> str:
        """For templates: a mark, with the blanks around the block's words, which all letters share."""
        said = plainly(self._told)(name, *places, caller=caller)
        mark = _MARK.format(len(self._blocks))
        self._blocks[mark] = Block(name, places, caller)
        return said[: len(said) - len(said.lstrip())] + mark + said[len(said.rstrip()) :]

    def frame(self, subject: str, text: str, page: str) -> Frame:
        words = [part for part in self._parts(subject) if part]
        return Frame(words, *([_quoted(part) for part in self._parts(said)] for said in (text, page)))

    def _parts(self, said: str) -> list[str | Block]:
        return [self._blocks.get(part, part) for part in _HOLES.split(said)]


class Filling:
    """A frame that is being filled with the facts of one letter."""

    def __init__(
        self, known: Alike, language: str, now: datetime, tell: Callable[[], Facts], style: Callable[[], str]
    ) -> None:
        self._known = known
        self._language = language
        self._now = now
        self._tell = tell
        self._style = style
        self._keys: dict[Place, Hashable] = {}

    def fill(self, frame: Frame, name: str, stop: str) -> Packed:
        """The letter to the reader of that name, whose way out is `stop`."""
        plain = {NAME: packing.quoted(name), STOP: packing.quoted(stop)}
        escaped = {hole: _escaped(said, plain[hole]) for hole, said in ((NAME, name), (STOP, stop))}
        subject = "".join([part if isinstance(part, str) else self._piece(part) for part in frame.subject])
        return Packed(subject, self._joined(frame.text, plain), self._joined(frame.page, escaped))

    def _joined(self, parts: Sequence[bytes | str | Block], holes: dict[str, bytes]) -> bytes:
        return b"".join(
            [
                part if isinstance(part, bytes) else self._piece(part) if isinstance(part, Block) else holes[part]
                for part in parts
            ]
        )

    def _piece(self, block: Block) -> Any:
        """The words of a block: quoted, but in a subject."""
        key = (self._language, block.name, *[self._key(place) for place in block.places])
        return self._known.get(key, self._now, lambda: self._word(block))

    def _key(self, place: Place) -> Hashable:
        if place not in self._keys:
            self._keys[place] = _identity(_at(self._tell(), place))
        return self._keys[place]

    def _word(self, block: Block) -> str | bytes:
        with force_locale(translations.locale(self._language)):
            said = str(plainly(self._tell())(block.name, *block.places, caller=block.word)).strip()
        if block.name.startswith("subject"):
            return said
        if block.name.endswith(".html"):
            style = self._known.get("style", self._now, self._style)
            return packing.quoted(inline_css.piece(said, style))
        return packing.quoted(tidy(said).rstrip("\n"))


def of_this_process() -> Alike:
    found: Alike = current_app.extensions.setdefault("mail_alike", Alike())
    return found


def to_anybody(told: Facts, *, named: bool) -> Facts:
    """What the templates may name, for nobody in particular."""
    return told | {"name": NAME if named else "", "stop": STOP}


def plainly(told: Facts) -> Callable[..., str]:
    """`kept` for a letter of which nothing is kept."""

    def kept(_name: str, *places: Place, caller: Callable[..., str]) -> str:
        return caller(*[_at(told, place) for place in places])

    return kept


def _at(told: Facts, place: Place) -> Any:
    return told[place] if isinstance(place, str) else told[place[0]][place[1]]


def _identity(value: Any) -> Hashable:
    """Rows stand for themselves by their ids: what they say may change, but not within a minute that matters."""
    if isinstance(value, list | tuple):
        return tuple([_identity(one) for one in value])
    found: Hashable = getattr(value, "id", value)
    return found


def _escaped(said: str, quoted: bytes) -> bytes:
    """As it stands in a page; hardly anything there is to escape in a name or an address."""
    safe = str(escape(said))
    return quoted if safe == said else packing.quoted(safe)


def _quoted(part: str | Block) -> bytes | str | Block:
    return part if isinstance(part, Block) or part in (NAME, STOP) else packing.quoted(part)


def _length(made: Any) -> int:
    """Bytes, those shared with others included."""
    if not isinstance(made, Frame):
        return len(made)
    return sum([len(part) for parts in made for part in parts])
