"""Numerals: full-width and Chinese digits as plain ones."""

import re

from booking import sanitise

_DIGITS = {sign: value for value, signs in enumerate(("〇○零", *"一二三四五六七八九")) for sign in signs} | {"两": 2}
_TENS = {"廿": "二十", "卅": "三十"}
_SIGNS = "".join((*_DIGITS, *_TENS, "十"))


def folded(text: str) -> str:
    """A typed value in plain characters and lower case, to be compared or read."""
    return sanitise.plain(text).casefold()


def arabic(text: str, before: str) -> str:
    """`text` with the Chinese numbers that stand `before` this pattern in Arabic digits."""
    return re.sub(rf"[{_SIGNS}]+(?={before})", lambda found: _value(found[0]), text)


def _value(signs: str) -> str:
    """二〇二六 is a row of digits, 二十一 a number; what is neither stays as it is."""
    for sign, meant in _TENS.items():
        signs = signs.replace(sign, meant)
    if "十" not in signs:
        return "".join(str(_DIGITS[sign]) for sign in signs)
    tens, _, ones = signs.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return signs
    return str(_DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0))
