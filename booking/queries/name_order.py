"""Name order: sorts people by the pinyin of Chinese names and the letters of all others.

The order is the same for readers of Chinese and of English.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

from booking.queries.folding import fold
from booking.queries.name_readings import SURNAMES, reading

T = TypeVar("T")


def by_name(rows: Iterable[T], name: Callable[[T], str]) -> list[T]:
    """The rows sorted by name; equal names keep their order, nameless rows are last."""
    return sorted(rows, key=lambda row: sort_key(name(row)))


@lru_cache(maxsize=20_000)
def sort_key(name: str) -> tuple[bool, tuple[tuple[str, str], ...]]:
    """For each character its reading with the tone, then the character itself, so that one surname stays together."""
    parts = _surname(name)
    parts += [part for word in name[len(parts) :].split() for part in _parts(word)]
    return not name.strip(), tuple(parts)


def _surname(name: str) -> list[tuple[str, str]]:
    known = next((name[:n] for n in (2, 1) if name[:n] in SURNAMES), "")
    return [(readings[0], character) for readings, character in zip(SURNAMES.get(known, []), known, strict=True)]


def _parts(word: str) -> list[tuple[str, str]]:
    """One part for each Chinese character, one for each run of others."""
    parts, run = [], ""
    for character in word:
        if said := reading(character):
            parts += [(fold(run), run)] if run else []
            parts, run = [*parts, (said, character)], ""
        else:
            run += character
    return [*parts, (fold(run), run)] if run else parts
