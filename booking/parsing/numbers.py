"""Whole numbers: 15, 15.0, １５, 1,000, 15人, 十五人; minutes: 50, 50分钟, 1小时, 1.5小时, 0:50."""

import re
from collections.abc import Callable

from booking.parsing.numerals import arabic, folded

Reader = Callable[[str], int | None]
LARGEST_DIGITS = 9
_COUNTED = r"(个?人|个?名额|名|位|个?座位?|席|个工作日|个|天|次|场|people|persons?|seats?|days?|times?|)"
_MINUTES = r"(分钟|分|minutes?|mins?\.?|'|)"
_HOURS = r"(个?小时|hours?|hrs?|h)"
_NUMBER = r"(-?[0-9]{1,3}(?:,[0-9]{3})+|-?[0-9]+)(?:\.0*)?"


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
