"""Dates: 2026-12-07, 2026.12.7, 2026年12月7日, 十二月七日, 12月14日（周一）, 7 Dec 2026, Excel's day numbers."""

import re
from datetime import date, timedelta

from booking.parsing.numbers import arabic, folded

EPOCH = date(1899, 12, 30)  # Excel's day 0 for every date after February 1900
FIRST_SERIAL, LAST_SERIAL = 43831, 49674  # 2020 to 2035: other numbers are no dates
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_GAP = 8  # years from one 29 February to the next

_MONTH = rf"(?P<name>{'|'.join(MONTHS)})[a-z]*\.?"
_FULL = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<y>[0-9]{4})\s*[-/.、]\s*(?P<m>[0-9]{1,2})\s*[-/.、]\s*(?P<d>[0-9]{1,2})\s*[日号.]?",
        r"(?P<y>[0-9]{4}|[0-9][0-9]|今|明)\s*年\s*(?P<m>[0-9]{1,2})\s*[月.]\s*(?P<d>[0-9]{1,2})\s*[日号]?",
        r"(?P<y>[0-9]{4})(?P<m>[0-9][0-9])(?P<d>[0-9][0-9])",
        rf"(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?[-\s]+{_MONTH}[-,\s]+(?P<y>[0-9]{{4}}|[0-9][0-9])",
        rf"{_MONTH}\s*(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?[,\s]+(?P<y>[0-9]{{4}})",
        r"(?P<m>[0-9]{1,2})/(?P<d>1[3-9]|2[0-9]|3[01])/(?P<y>[0-9]{4})",  # the order is clear only when the day is past 12
        r"(?P<d>1[3-9]|2[0-9]|3[01])/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})",
    )
)
# With a dot it could be a decimal number, in which a spreadsheet has dropped the last zero of 12.10.
_WITHOUT_YEAR = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<m>[0-9]{1,2})\s*月\s*(?P<d>[0-9]{1,2})\s*[日号]?",
        r"(?P<m>[0-9]{1,2})\s*[-/]\s*(?P<d>[0-9]{1,2})",
        rf"(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?[-\s]+{_MONTH}",
        rf"{_MONTH}\s*(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?",
    )
)
_AROUND = re.compile(r"^(?:自|从|由|至|到)\s*|\s*(?:起|开始|为止|止)$")  # 自12月7日起
_CLOCK = re.compile(r"[t\s]+[0-9]{1,2}:[0-9][0-9](:[0-9][0-9](\.[0-9]+)?)?$")
_WEEKDAY = re.compile(rf"[(\[,\s]*(?:(?:周|星期|礼拜)([一二三四五六日天])|\b({'|'.join(DAYS)})[a-z]*\b)[)\],\s]*")


def read(text: str, today: date) -> date | None:
    """The date, of one without a year the next from `today` on; None too where it is not on the weekday beside it."""
    when, weekday = _read(text, today)
    return when if when is None or weekday in (None, when.isoweekday()) else None


def contradicts(text: str, today: date) -> date | None:
    """The date in a text that names another weekday than the date's."""
    when, weekday = _read(text, today)
    return when if when and weekday not in (None, when.isoweekday()) else None


def lacks_year(text: str) -> bool:
    return any(pattern.fullmatch(_split(text)[0]) for pattern in _WITHOUT_YEAR)


def from_serial(text: str) -> date | None:
    """The date of a day number, as a spreadsheet stores it."""
    if not re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", text) or not FIRST_SERIAL <= float(text) < LAST_SERIAL:
        return None
    return EPOCH + timedelta(days=int(float(text)))


def _read(text: str, today: date) -> tuple[date | None, int | None]:
    words, weekday = _split(text)
    if when := from_serial(words):
        return when, weekday
    for pattern in _FULL:
        if found := pattern.fullmatch(words):
            return _made(_year(found["y"], today), found), weekday
    for pattern in _WITHOUT_YEAR:
        if found := pattern.fullmatch(words):
            years = range(today.year, today.year + LONGEST_GAP + 1)
            dates = (_made(year, found) for year in years)
            return next((when for when in dates if when and when >= today), None), weekday
    return None, weekday


def _split(text: str) -> tuple[str, int | None]:
    """The text without time and weekday, and the number of that weekday."""
    words = _CLOCK.sub("", arabic(_AROUND.sub("", folded(text)), "[年月日号]"))
    found = _WEEKDAY.search(words)
    if not found:
        return words, None
    chinese, english = found.groups()
    number = "一二三四五六日".index(chinese.replace("天", "日")) if chinese else DAYS.index(english)
    return f"{words[: found.start()]} {words[found.end() :]}".strip(), number + 1


def _year(written: str, today: date) -> int:
    if written in ("今", "明"):
        return today.year + (written == "明")
    return int(written) + (2000 if len(written) == 2 else 0)


def _made(year: int, found: re.Match[str]) -> date | None:
    parts = found.groupdict()
    month = MONTHS.index(parts["name"]) + 1 if parts.get("name") else int(parts["m"])
    try:
        return date(year, month, int(parts["d"]))
    except ValueError:
        return None
