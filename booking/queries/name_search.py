"""Name search: whether a name is what somebody typed: a part of it, its pinyin (zhouming), or its initials (zm)."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from booking.queries.folding import fold, words
from booking.queries.name_readings import TWO_CHARACTERS, readings

# From here on every character stands for itself: ideographs, kana, Hangul.
_FIRST = "\u2e80"
_RUNS = re.compile(f"[{_FIRST}-\U0010ffff]+|[^{_FIRST}-\U0010ffff]+")
_INITIALS = ("zh", "ch", "sh")
_UMLAUTS = ("v", "u", "yu", "ue")


class Keys(NamedTuple):
    """What may be typed for one character of a name, or for one of its words in letters: `whole`, or first letters too."""

    whole: tuple[str, ...]
    short: tuple[str, ...]


Part = tuple[Keys, ...]


def matches(name: str, sought: str) -> bool:
    """Whether `sought` names this person.

    It may begin at any character or word of the name, and has each of them in full, by one of its readings or by its first
    letter; the last one may be unfinished. The given name may come first, in full, and several words in any order.
    """
    letters, typed = _typed(sought)
    if not letters or not any(letters[0] in _first_letters(character) for character in name):
        return False  # most names, at little cost
    parts = _parts(name)
    return _in_order(parts, letters) or _in_any_order(parts, typed)


def spelling(name: str) -> list[Keys]:
    """What may be typed for each character of a name, and for each of its words in letters, in their order."""
    return [key for part in _parts(name) for key in part]


@lru_cache(maxsize=1_000)
def _typed(sought: str) -> tuple[str, tuple[str, ...]]:
    return fold(sought), tuple(sorted(map(fold, words(sought)), key=len, reverse=True))


def _in_order(parts: Sequence[Part], letters: str) -> bool:
    keys = [key for part in parts for key in part]
    if _spell([key.short for key in keys], letters, range(len(keys)), len(keys)):
        return True
    given = [*accumulate(map(len, parts[:-1]))]
    return _spell([key.whole for key in keys] * 2, letters, given, len(keys))


def _in_any_order(parts: Sequence[Part], typed: Sequence[str]) -> bool:
    """Whether each word is the beginning of another part. The longest first: a shorter one has more parts to choose from."""
    if not 1 < len(typed) <= len(parts):
        return False
    left = list(parts)
    for word in typed:
        found = next((part for part in left if _spell([key.short for key in part], word, [0], len(part))), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _spell(keys: Sequence[tuple[str, ...]], letters: str, begins: Collection[int], longest: int) -> bool:
    """Whether keys in a row spell `letters`, from one of `begins` on, and at most the `longest` of them.

    For each number of letters it keeps where their spelling can have begun, not how it went on from there: so a name takes
    time by its length, however many readings its characters have.
    """
    reached: dict[int, int] = {}
    for index, choice in enumerate(keys):
        spelt, reached = reached, {}
        if index in begins:
            spelt[0] = index
        for count, begin in spelt.items():
            if index - begin == longest:
                continue
            rest = letters[count:]
            for key in choice:
                if key.startswith(rest):
                    return True
                if rest.startswith(key):
                    reached[count + len(key)] = max(begin, reached.get(count + len(key), begin))
    return False


@lru_cache(maxsize=20_000)
def _first_letters(character: str) -> frozenset[str]:
    """What somebody with this character in their name can be called, by its first letters."""
    folded = "".join(words(character)) or character
    return frozenset(key[0] for one in folded for key in _character(one).short)


@lru_cache(maxsize=20_000)
def _parts(name: str) -> tuple[Part, ...]:
    """The words of a name, and of a Chinese one its surname and its given name."""
    runs = [run for word in words(name) or name.split() for run in _RUNS.findall(word)]
    if sum(run >= _FIRST for run in runs) == 1 and runs[0] >= _FIRST:
        family = 2 if runs[0][:2] in TWO_CHARACTERS else 1
        runs[:1] = filter(None, (runs[0][:family], runs[0][family:]))
    return tuple(tuple(map(_character, run)) if run >= _FIRST else (_word(run),) for run in runs)


@lru_cache(maxsize=20_000)
def _character(character: str) -> Keys:
    said = readings(character)
    first = [initial for reading in said for initial in (reading[0], *_INITIALS) if reading.startswith(initial)]
    return _keys([character, *said], first)


def _word(word: str) -> Keys:
    return _keys([word], [fold(word)[0]])


def _keys(whole: list[str], first: list[str]) -> Keys:
    """ü is typed in several ways."""
    typed = [word.replace("ü", umlaut) for word in whole for umlaut in (_UMLAUTS if "ü" in word else [""])]
    return Keys(tuple(dict.fromkeys(typed)), tuple(dict.fromkeys(typed + first)))
