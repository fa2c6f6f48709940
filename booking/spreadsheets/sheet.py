"""Sheet: what an uploaded file says, before anybody asks what it means. Rows and columns count from 1, as people do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from booking import sanitise

MOST_ROWS, MOST_COLUMNS = 500, 100
SPARE_ROWS = 100  # kept beside them: those above the heads, and enough below to see that they are too many
UNKNOWN = "#?"  # of a broken cell that does not say what is shown
Range = tuple[int, int, int, int]  # first row, first column, last row, last column
_CARRIAGE_RETURN = re.compile(r"_x000d_\n?|\r\n?", re.IGNORECASE)
_FIRST_DAY = date(1899, 12, 31)  # a time has this date or the day before, depending on the program
_LONGEST_DAYS = 36525  # what is longer is a date
_NO_DATES = 60  # days from there in which a date is a duration: 24:00 is 1 January 1900


@dataclass
class Sheet:
    """The rows with a value, by number, and what is special about them. `cut` when there are more of them than `kept`."""

    name: str = ""
    kept: int = MOST_ROWS + SPARE_ROWS
    rows: dict[int, list[str]] = field(default_factory=dict)
    hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[Range] = field(default_factory=list)
    broken: set[tuple[int, int]] = field(default_factory=set)  # errors, and formulas that were never computed
    cut: bool = False
    too_wide: bool = False
    partly_known: bool = False  # the format does not say what is hidden or an error

    def add(self, number: int, cells: Iterable[str]) -> None:
        """Keep a row, if it has a value."""
        texts = [clean(cell) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if not texts:
            return
        if len(self.rows) >= self.kept:
            self.cut = True
        elif len(texts) > MOST_COLUMNS:
            self.too_wide = True
        else:
            self.rows[number] = texts

    def mark_broken(self, number: int, column: int, shown: str) -> None:
        """Note a cell without a usable value; its text is what a spreadsheet shows there."""
        self.too_wide = self.too_wide or column > MOST_COLUMNS
        self.cut = self.cut or (number not in self.rows and len(self.rows) >= self.kept)
        if column > MOST_COLUMNS or (number not in self.rows and self.cut):
            return
        self.broken.add((number, column))
        self.put(number, column, shown)

    def put(self, number: int, column: int, text: str) -> None:
        """Set one cell, of a row that may be empty so far."""
        cells = self.rows.setdefault(number, [])
        cells.extend([""] * (column - len(cells)))
        cells[column - 1] = text


def clean(text: str) -> str:
    """A cell's text: line breaks of every kind as \\n."""
    return sanitise.lines(_CARRIAGE_RETURN.sub("\n", text))


def as_typed(value: Any) -> str:
    """A cell's value as a person would have typed it."""
    match value:
        case bool():
            text = str(value).upper()
        case float() | int():
            text = f"{value:.15g}"
        case time():
            text = of_moment(datetime.combine(_FIRST_DAY, value))
        case timedelta():
            text = _of_duration(value)
        case datetime():
            text = of_moment(value)
        case date():
            text = of_moment(datetime.combine(value, time()))
        case _:
            text = str(value)
    return text


def of_moment(value: datetime) -> str:
    """A date, with a time unless it is midnight; of the days around 1900, which are no dates, the time alone.

    Stored as a fraction of a day, it may be some milliseconds off.
    """
    value = (value + timedelta(milliseconds=500)).replace(microsecond=0)
    days = (value.date() - _FIRST_DAY).days
    clock = of_seconds(value.hour * 3600 + value.minute * 60 + value.second + 86400 * max(0, days))
    if days < _NO_DATES:
        return clock
    return value.date().isoformat() if value.time() == time() else f"{value.date().isoformat()} {value:%H:%M:%S}"


def _of_duration(value: timedelta) -> str:
    """A duration; in a cell with the format of one also a date."""
    if value.days > _LONGEST_DAYS:
        return of_moment(datetime.combine(_FIRST_DAY, time()) - timedelta(days=1) + value)
    return of_seconds(value.total_seconds())


def of_seconds(seconds: float) -> str:
    """A time or duration as 12:10, with seconds only where there are some."""
    minutes, rest = divmod(round(seconds), 60)
    text = f"{minutes // 60}:{minutes % 60:02}"
    return f"{text}:{rest:02}" if rest else text
