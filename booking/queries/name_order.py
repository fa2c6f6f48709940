"""Name order: sorts people by the pinyin of Chinese names and the letters of all others.

The order is the same for readers of Chinese and of English.
"""

import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

from booking.queries import name_search

T = TypeVar("T")

# Surnames with another reading than the same character elsewhere.
SURNAMES = {
    "尉迟": "yu4 chi2",
    "万俟": "mo4 qi2",
    "单于": "chan2 yu2",
    "长孙": "zhang3 sun1",
    "澹台": "tan2 tai2",
    "曾": "zeng1",
    "单": "shan4",
    "仇": "qiu2",
    "解": "xie4",
    "查": "zha1",
    "任": "ren2",
    "华": "hua4",
    "盖": "ge3",
    "区": "ou1",
    "朴": "piao2",
    "乐": "yue4",
    "覃": "qin2",
    "缪": "miao4",
    "翟": "zhai2",
    "折": "she2",
    "黑": "he4",
    "纪": "ji3",
    "葛": "ge3",
    "燕": "yan1",
    "员": "yun4",
    "种": "chong2",
    "秘": "bi4",
    "过": "guo1",
    "哈": "ha3",
    "那": "na1",
    "撒": "sa4",
    "祭": "zhai4",
    "繁": "po2",
    "隗": "wei3",
    "阚": "kan4",
    "乜": "nie4",
    "句": "gou1",
    "都": "du1",
    "卜": "bu3",
    "佴": "nai4",
    "召": "shao4",
    "薄": "bo2",
    "洗": "xian3",
    "令狐": "ling2 hu2",
}


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
    return list(zip(SURNAMES.get(known, "").split(), known, strict=True))


def _parts(word: str) -> list[tuple[str, str]]:
    """One part for each Chinese character, one for each run of others."""
    parts, run = [], ""
    for character in word:
        if reading := name_search.reading(character):
            parts += [(_plain(run), run)] if run else []
            parts, run = [*parts, (reading, character)], ""
        else:
            run += character
    return [*parts, (_plain(run), run)] if run else parts


def _plain(letters: str) -> str:
    """Without accents and capitals, so that Émile is next to Emil."""
    return "".join(c for c in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(c)).casefold()
