"""Holiday file: one year's notice of the State Council in the holiday-cn JSON format.

The format is `{"year": 2027, "papers": […], "days": [{"name", "date", "isOffDay"}]}`. It lists only the exceptions, all
other dates of its year are plain weekdays; a notice may also include days of the December before. Before there is a
notice the file exists, with no days in it.
"""

import codecs
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from booking import sanitise
from booking.errors import RuleViolation
from booking.workdays import statutory

# A real file has 6 KB.
LARGEST = 60_000
YEARS = range(2008, 2100)
LONGEST_NAME = 40
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class HolidayNotice:
    """What was announced for a year: by date a name, and whether it is a workday."""

    year: int
    days: Mapping[date, tuple[str, bool]]

    def says(self, when: date) -> tuple[str, bool] | None:
        """The name and kind of a date; None where the notice does not mention it."""
        plain = ("", when.isoweekday() <= 5) if when.year == self.year else None
        return self.days.get(when, plain)

    def written(self) -> str:
        """The notice as a file."""
        days = [{"name": name, "date": f"{when}", "isOffDay": not works} for when, (name, works) in self.days.items()]
        return json.dumps({"year": self.year, "days": days}, ensure_ascii=False)


def read(content: bytes) -> HolidayNotice:
    """Parse a file. Raises `RuleViolation` for anything else; `calendar_too_little` when it announces nothing."""
    form = _parsed(_text(content))
    days = form.get("days") if isinstance(form, dict) else None
    if not isinstance(form, dict) or not isinstance(days, list):
        raise RuleViolation("bad_calendar")
    year = form.get("year")
    if type(year) is not int or year not in YEARS:
        raise RuleViolation("calendar_year", first=YEARS[0], last=YEARS[-1])
    notice = HolidayNotice(year, _days(year, days))
    _refuse_too_little(notice)
    return notice


def _text(content: bytes) -> str:
    if len(content) > LARGEST:
        raise RuleViolation("calendar_too_large", limit=LARGEST // 1000)
    if content.startswith(UTF_16):
        encodings: Iterable[str] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")  # the second is what editors in Chinese save
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RuleViolation("bad_calendar")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RuleViolation("bad_calendar") from error


def _no_number(name: str) -> None:
    raise ValueError(name)


def _days(year: int, entries: list[Any]) -> dict[date, tuple[str, bool]]:
    days: dict[date, tuple[str, bool]] = {}
    for number, entry in enumerate(entries, start=1):
        when, name, works = _day(number, entry)
        if when.year != year and (when.year, when.month) != (year - 1, 12):
            raise RuleViolation("calendar_other_year", number=number, date=when.isoformat(), year=year)
        if when in days:
            raise RuleViolation("calendar_twice", date=when.isoformat())
        days[when] = (name, works)
    return days


def _day(number: int, entry: Any) -> tuple[date, str, bool]:
    said = entry if isinstance(entry, dict) else {}
    when, name, off = _date(said.get("date")), said.get("name"), said.get("isOffDay")
    named = isinstance(name, str) and sanitise.is_visible(name) and len(name) <= LONGEST_NAME
    if when is None or not named or not isinstance(off, bool):
        raise RuleViolation("calendar_day", number=number)
    return when, sanitise.one_line(str(name)), not off


def _date(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) and DATE.fullmatch(text) else None
    except ValueError:
        return None


def _refuse_too_little(notice: HolidayNotice) -> None:
    """A notice makes every statutory holiday a rest day, and others too: bridge days, and the weekends within."""
    by_law = statutory.days_off(notice.year)
    works = [when for when in by_law if (notice.says(when) or ("", True))[1]]
    rests = [when for when, (_, day_works) in notice.days.items() if when.year == notice.year and not day_works]
    if works or len(rests) <= len(by_law):
        missing = "、".join(when.isoformat() for when in works[:3])
        raise RuleViolation(
            "calendar_too_little", year=notice.year, rests=len(rests), least=len(by_law) + 1, missing=missing
        )
