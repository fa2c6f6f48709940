"""Notices of the State Council as the files that are made of them: one for 2027 as it could be, and pieces to spoil it."""

import json
from collections.abc import Iterable
from typing import Any

# The year's own days off and worked weekends, and two of the December before it.
RESTS = {
    "元旦": ("2027-01-01",),
    "春节": ("2027-02-05", "2027-02-08", "2027-02-09", "2027-02-10", "2027-02-11", "2027-02-12"),
    "清明节": ("2027-04-05",),
    "劳动节": ("2027-05-01", "2027-05-02", "2027-05-03", "2027-05-04", "2027-05-05"),
    "端午节": ("2027-06-09",),
    "中秋节": ("2027-09-15",),
    "国庆节": ("2027-10-01", "2027-10-02", "2027-10-03", "2027-10-04", "2027-10-05", "2027-10-06", "2027-10-07"),
}
WORKS = {"春节": ("2027-01-31", "2027-02-14"), "劳动节": ("2027-05-08",), "国庆节": ("2027-09-26", "2027-10-09")}
# What differs from the law and Monday to Friday, which is what a database knows without it.
CHANGES_2027 = 4 + 3 + 4 + 5


def day(name: str, when: str, off: Any = True) -> dict[str, Any]:
    return {"name": name, "date": when, "isOffDay": off}


def days() -> list[dict[str, Any]]:
    found = [day(name, when) for name, dates in RESTS.items() for when in dates]
    return found + [day(name, when, off=False) for name, dates in WORKS.items() for when in dates]


def form(more: Iterable[Any] = (), **changes: Any) -> dict[str, Any]:
    return {"year": 2027, "papers": ["https://www.gov.cn/"], "days": [*days(), *more], **changes}


def file(more: Iterable[Any] = (), **changes: Any) -> bytes:
    return json.dumps(form(more, **changes), ensure_ascii=False).encode()


EMPTY = b'{"year": 2027, "papers": [], "days": []}'
# Files that are refused: what each is, the file, the reason.
REFUSED = [
    ("the file before the notice", EMPTY, "calendar_too_little"),
    ("only the law's days", file(days=[day("元旦", "2027-01-01")]), "calendar_too_little"),
    ("a holiday worked", file(days=[*days()[1:], day("元旦", "2027-01-01", off=False)]), "calendar_too_little"),
    ("no notice of this form", file(days=[one for one in days() if one["date"] < "2027-04"]), "calendar_too_little"),
    ("nothing", b"", "bad_calendar"),
    ("half a file", file()[:200], "bad_calendar"),
    ("a list", b"[]", "bad_calendar"),
    ("a text", b'"2027"', "bad_calendar"),
    ("no days", b'{"year": 2027}', "bad_calendar"),
    ("days that are none", file(days={"2027-01-01": True}), "bad_calendar"),
    ("no number", b'{"year": NaN, "days": []}', "bad_calendar"),
    ("without end", b'{"year": Infinity, "days": []}', "bad_calendar"),
    ("too many digits", b'{"year": ' + b"9" * 5000 + b', "days": []}', "bad_calendar"),
    ("a deep nest", b"[" * 50_000, "bad_calendar"),
    ("half a character", b"\xff\xfe\x00", "bad_calendar"),
    ("bytes", bytes(range(128, 256)) * 3, "bad_calendar"),
    ("a sheet", b"PK\x03\x04" + bytes(100), "bad_calendar"),
    ("a book", b" " * 60_001, "calendar_too_large"),
    ("a year in words", file(year="2027"), "calendar_year"),
    ("a year that is true", file(year=True), "calendar_year"),
    ("half a year", file(year=2027.0), "calendar_year"),
    ("year 0", file(year=0), "calendar_year"),
    ("no year", b'{"days": []}', "calendar_year"),
    ("a year of a slip", file(year=20270), "calendar_year"),
    ("true as a text", file([day("元旦", "2027-12-31", "true")]), "calendar_day"),
    ("true as a number", file([day("元旦", "2027-12-31", 1)]), "calendar_day"),
    ("neither", file([day("元旦", "2027-12-31", None)]), "calendar_day"),
    ("no such date", file([day("元旦", "2027-02-30")]), "calendar_day"),
    ("a date in another form", file([day("元旦", "20271231")]), "calendar_day"),
    ("a week", file([day("元旦", "2027-W52-5")]), "calendar_day"),
    ("full-width digits", file([day("元旦", "２０２７-12-31")]), "calendar_day"),
    ("a line end", file([day("元旦", "2027-12-31\n")]), "calendar_day"),
    ("a date as a number", file([{"name": "元旦", "date": 20271231, "isOffDay": True}]), "calendar_day"),
    ("a name that is none", file([{"name": 5, "date": "2027-12-31", "isOffDay": True}]), "calendar_day"),
    ("no name", file([{"date": "2027-12-31", "isOffDay": True}]), "calendar_day"),
    ("a name that nobody sees", file([day("元\u202e旦", "2027-12-31")]), "calendar_day"),
    ("half a name", json.dumps(form([day("\ud800", "2027-12-31")])).encode(), "calendar_day"),
    ("a long name", file([day("元" * 41, "2027-12-31")]), "calendar_day"),
    ("a day that is a text", file(["2027-12-31"]), "calendar_day"),
    ("a day that is nothing", file([None]), "calendar_day"),
    ("the next January", file([day("元旦", "2028-01-01")]), "calendar_other_year"),
    ("last November", file([day("元旦", "2026-11-30")]), "calendar_other_year"),
    ("a December long ago", file([day("元旦", "2025-12-31")]), "calendar_other_year"),
    ("a day twice", file([day("元旦", "2027-01-01")]), "calendar_twice"),
    ("a day that is both", file([day("元旦", "2027-01-01", off=False)]), "calendar_twice"),
]
