"""Numbers in full-width, Chinese and plain digits: 15, 15.0, １５, 1,000, 15人, 十五人; minutes: 50, 50分钟, 1小时, 0:50."""

import re
from collections.abc import Callable

from booking import sanitise

Reader = Callable[[str], int | None]
LARGEST_DIGITS = 9
_COUNTED = r"(个?人|个?名额|名|位|个?名额?|席|个工作日|个|天|次|场|people|persons?|seats?|days?|times?|)"
_MINUTES = r"(分钟|分|minutes?|mins?\.?|'|)"
_HOURS = r"(个?小时|hours?|hrs?|h)"
_NUMBER = r"(-?[0-9]{1,3}(?:,[0-9]{3})+|-?[0-9]+)(?:\.0*)?"
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


def read(text: str) -> int | None:
    """A number of people, seats, days or times."""
    return _whole(re.fullmatch(rf"{_NUMBER}\s*{_COUNTED}", arabic(folded(text), "[个人名位座席天次场]|$")))


def read_minutes(text: str) -> int | None:
    """A duration in minutes."""
    words = arabic(folded(text).replace("半个小时", "30分").replace("半小时", "30分"), "[个小分]|$")
    if found := re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])(?::00)?", words):
        return int(found[1]) * 60 + int(found[2])
    if found := re.fullmatch(rf"([0-9]{{1,2}}(?:\.[0-9]+)?)\s*{_HOURS}\s*(?:([0-9]{{1,2}})\s*{_MINUTES})?", words):
        minutes = float(found[1]) * 60 + int(found[3] or 0)
        return int(minutes) if minutes.is_integer() else None
    return _whole(re.fullmatch(rf"{_NUMBER}\s*{_MINUTES}", words))


def _whole(found: re.Match[str] | None) -> int | None:
    digits = found[1].replace(",", "") if found else ""
    return int(digits) if digits and len(digits.lstrip("-")) <= LARGEST_DIGITS else None
