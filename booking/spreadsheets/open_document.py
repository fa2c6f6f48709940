"""OpenDocument: the sheets of an .ods. Calamine refuses the ones that gnumeric writes, and reads long times as text."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from booking.errors import RuleViolation
from booking.spreadsheets.packages import Attributes, Parts, walk
from booking.spreadsheets.sheet import MOST_COLUMNS, UNKNOWN, Sheet, as_typed

_DURATION = re.compile(r"(-?)PT(\d{1,9})H(\d{1,2})M(\d{1,2}(?:[.,]\d+)?)S")
_ERROR = re.compile(r"(#[A-Z/0]+[?!]?|Err:\d+)\Z")
_MOST_MERGES = 2000
_TEXT = ("p", "h")


def read(parts: Parts, kept: int) -> list[Sheet]:
    """The sheets of `content.xml`; rows and cells are written once and repeated by number."""
    if b"encryption-data" in parts.get("META-INF/manifest.xml", b""):
        raise RuleViolation("locked_sheet")
    reader = _Reader(kept)
    walk(parts["content.xml"], reader.start, reader.end, reader.text)
    for sheet in reader.sheets:
        sheet.hidden = sheet.hidden or reader.sheet_style.get(sheet.name, "") in reader.hidden_styles
    return reader.sheets


@dataclass
class _Reader:
    kept: int
    sheets: list[Sheet] = field(default_factory=list)
    hidden_styles: set[str] = field(default_factory=set)
    sheet_style: dict[str, str] = field(default_factory=dict)
    style: str = ""
    row: int = 0
    column: int = 0
    repeats: int = 1
    hidden_row: bool = False
    row_cells: dict[int, tuple[str, bool]] = field(default_factory=dict)  # text, and whether it is broken
    row_merges: list[tuple[int, int, int]] = field(default_factory=list)
    cell: Attributes | None = None
    lines: list[str] | None = None
    inside: list[str] = field(default_factory=list)

    def start(self, name: str, found: Attributes) -> None:
        self.inside.append(name)
        match name:
            case "style":
                self.style = found.get("name", "")
            case "table-properties" if found.get("display") == "false":
                self.hidden_styles.add(self.style)
            case "table":
                self.sheets.append(Sheet(found.get("name", ""), self.kept))
                self.sheet_style[found.get("name", "")] = found.get("style-name", "")
                self.row = self.column = 0
            case "table-column":
                self._column(found)
            case "table-row":
                self.row, self.column = self.row + 1, 0
                self.repeats = _count(found, "number-rows-repeated")
                self.hidden_row = found.get("visibility", "visible") != "visible"
                self.row_cells, self.row_merges = {}, []
            case "table-cell" | "covered-table-cell":
                self.cell, self.lines = found, []
            case _:
                self._inline(name)

    def end(self, name: str) -> None:
        self.inside.pop()
        if name in ("table-cell", "covered-table-cell") and self.cell is not None:
            self._end_cell(self.cell, "\n".join(self.lines or ()))
            self.cell = self.lines = None
        elif name == "table-row" and self.sheets:
            self._end_row(self.sheets[-1])

    def text(self, text: str) -> None:
        if self.lines and not {"annotation", "shapes"} & set(self.inside) and set(_TEXT) & set(self.inside):
            self.lines[-1] += re.sub(r"\s+", " ", text)

    def _inline(self, name: str) -> None:
        """Paragraphs, and the spaces and breaks in them, which are elements."""
        if self.lines is None or "annotation" in self.inside:
            return
        if name in _TEXT:
            self.lines.append("")
        elif self.lines and name in ("line-break", "s", "tab"):
            self.lines[-1] += "\n" if name == "line-break" else " "

    def _column(self, found: Attributes) -> None:
        first, repeats = self.column + 1, _count(found, "number-columns-repeated")
        self.column += repeats
        if self.sheets and found.get("visibility", "visible") != "visible":
            self.sheets[-1].hidden_columns.update(range(first, min(first + repeats, MOST_COLUMNS + 1)))

    def _end_cell(self, found: Attributes, shown: str) -> None:
        first, repeats = self.column + 1, _count(found, "number-columns-repeated")
        self.column += repeats
        value = _value(found, shown)
        broken = found.get("value-type") in ("string", "error") and "formula" in found and bool(_ERROR.match(shown))
        if "formula" in found and "value-type" not in found:
            value, broken = shown or UNKNOWN, True
        if not value:
            return
        for column in range(first, min(first + repeats, MOST_COLUMNS + 2)):
            self.row_cells[column] = (value, broken)
        rows, columns = _count(found, "number-rows-spanned"), _count(found, "number-columns-spanned")
        if rows > 1 or columns > 1:
            self.row_merges.append((first, rows, columns))

    def _end_row(self, sheet: Sheet) -> None:
        last = max(self.row_cells, default=0)
        for number in range(self.row, self.row + self.repeats if self.row_cells else self.row):
            if sheet.cut:
                break
            if self.hidden_row:
                sheet.hidden_rows.add(number)
            sheet.add(number, [self.row_cells.get(column, ("", False))[0] for column in range(1, last + 1)])
            for column, (text, broken) in self.row_cells.items():
                if broken:
                    sheet.mark_broken(number, column, text)
        if len(sheet.merged) < _MOST_MERGES:
            sheet.merged += [
                (self.row, column, self.row + rows - 1, column + columns - 1)
                for column, rows, columns in self.row_merges
            ]
        self.row += self.repeats - 1


def _value(found: Attributes, shown: str) -> str:
    """A cell's value as a person would have typed it; `shown` depends on the format."""
    match found.get("value-type", ""):
        case "float" | "percentage" | "currency":
            return as_typed(float(found["value"]))
        case "date":
            return as_typed(datetime.fromisoformat(found["date-value"][:26]))
        case "time" if duration := _DURATION.fullmatch(found.get("time-value", "")):
            hours, minutes, seconds = int(duration[2]), int(duration[3]), float(duration[4].replace(",", "."))
            return duration[1] + as_typed(timedelta(hours=hours, minutes=minutes, seconds=seconds))
        case "boolean":
            return found.get("boolean-value", "").upper()
        case _:
            return shown


def _count(found: Attributes, name: str) -> int:
    return max(1, int(found.get(name, "1")))
