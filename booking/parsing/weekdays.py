"""Weekdays: 周一、周三, 一三五, 周一至周五, 工作日, 礼拜二, 135, Mon-Fri."""

import re
from datetime import date

from booking.parsing.dates import DAYS, from_serial
from booking.parsing.numbers import folded

_WORDS = {
    "工作日": "12345", "上班日": "12345", "workdays": "12345", "weekdays": "12345",
    "周末": "67", "双休日": "67", "weekends": "67", "weekend": "67",
    "每天": "1-7", "天天": "1-7", "每日": "1-7", "daily": "1-7", "everyday": "1-7", "every day": "1-7",
}  # fmt: skip
_DAY = re.compile(r"(?:周|週|星期|礼拜)([一二三四五六日天1-7])")
_ENGLISH = re.compile(
    r"\b(?:(mon)(?:days?)?|(tue)(?:s|sdays?)?|(wed)(?:s|nesdays?)?|(thu)(?:r|rs|rsdays?)?|(fri)(?:days?)?"
    r"|(sat)(?:urdays?)?|(sun)(?:days?)?)\b\.?"
)
_SIGNS = {sign: str(number) for number, sign in enumerate("一二三四五六日", start=1)} | {"天": "7"}
_RANGE = re.compile(r"([1-7])\s*(?:-+|~|〜|至|到|\bto\b|\bthrough\b)\s*([1-7])")
_BETWEEN = re.compile(r"[\s,、;/+&(){}。.]|和|及|与|跟|每个?|逢|\band\b|\bevery\b|周|星期|礼拜")


def read(text: str) -> str | None:
    """The numbers of the weekdays, each once and in order; of a date its own."""
    words = folded(text)
    if when := from_serial(words) or _of_date(words):
        return str(when.isoweekday())
    for word, days in _WORDS.items():
        words = words.replace(word, f" {days} ")
    words = _ENGLISH.sub(lambda found: str(DAYS.index(found[0][:3]) + 1), words)
    words = _DAY.sub(lambda found: _SIGNS.get(found[1], found[1]), words)
    words = "".join(_SIGNS.get(letter, letter) for letter in words)
    days = _BETWEEN.sub("", _RANGE.sub(lambda found: _span(int(found[1]), int(found[2])), words))
    return "".join(sorted(set(days))) if re.fullmatch("[1-7]+", days) else None


def _span(first: int, last: int) -> str:
    """周一至周五; 周六至周一 goes over the end of the week."""
    return "".join(str((first - 1 + step) % 7 + 1) for step in range((last - first) % 7 + 1))


def _of_date(words: str) -> date | None:
    try:
        return date.fromisoformat(words) if re.fullmatch(r"[0-9]{4}-[0-9][0-9]-[0-9][0-9]", words) else None
    except ValueError:
        return None
