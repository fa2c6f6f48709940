"""Folding: text as it is compared in a search: without case, width, accents, dots, spaces and hyphens."""

import re
import unicodedata
from functools import lru_cache

# Dots between the parts of a name that are no punctuation to Unicode, and letters that stand for an apostrophe.
_ALSO_APART = frozenset("●◦ᐧꞏ\u02b9\u02ba\u02bb\u02bc\u02bd\u02be\u02bf")
_PLAIN = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"}
MOST_KEPT = 20_000
_NEW_WORD = re.compile("(?<=[a-z])(?=[A-Z])")


class _Folds(dict[int, str]):
    """For `str.translate`: each character as it is compared. Keeps those of late, as many as names have."""

    def __missing__(self, code: int) -> str:
        if len(self) >= MOST_KEPT:
            self.clear()
        self[code] = folded = _fold_character(chr(code))
        return folded


_FOLDS = _Folds()


@lru_cache(maxsize=40_000)
def fold(text: str) -> str:
    """The letters and digits of `text` only; a text without any stays as it is."""
    return "".join(words(text)).replace("ü", "u") or text.strip()


def words(text: str) -> list[str]:
    """The folded words of `text`. They keep ü, which people type in several ways."""
    return _NEW_WORD.sub(" ", unicodedata.normalize("NFKC", text)).translate(_FOLDS).split()


def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "PZ" or category == "Sm" or character in _ALSO_APART:
        return " "
    if "\uac00" <= character <= "\ud7a3":  # Hangul, which would come apart
        return character
    parts = unicodedata.normalize("NFD", character.casefold())
    letters = "".join(part for part in parts if unicodedata.category(part) not in ("Mn", "Me", "Cf"))
    return "ü" if letters == "u" and "\u0308" in parts else _PLAIN.get(letters, letters)
