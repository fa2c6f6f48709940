"""Open XML: what a workbook's parts say and calamine does not: hidden rows and columns, errors, formulas without value."""

import posixpath
from dataclasses import dataclass

from booking.spreadsheets.packages import Attributes, Parts, walk
from booking.spreadsheets.sheet import MOST_COLUMNS, UNKNOWN, Sheet

NOTHING = b"<x/>"


@dataclass
class _Marks:
    """The marks of one worksheet, collected while its elements pass."""

    sheet: Sheet
    row: int = 0
    column: int = 0
    kind: str = ""
    value: str | None = None
    has_formula: bool = False
    inside_value: bool = False

    def start(self, name: str, found: Attributes) -> None:
        if name == "col" and _is_true(found.get("hidden")):
            first, last = int(found["min"]), min(int(found["max"]), MOST_COLUMNS)
            self.sheet.hidden_columns.update(range(first, last + 1))
        elif name == "row":
            self.row, self.column = int(found.get("r") or self.row + 1), 0
            if _is_true(found.get("hidden")):
                self.sheet.hidden_rows.add(self.row)
        elif name == "c":
            self.column = _column(found.get("r", "")) or self.column + 1
            self.kind, self.value, self.has_formula = found.get("t", "n"), None, False
        elif name == "f":
            self.has_formula = True
        elif name == "v":
            self.inside_value, self.value = True, ""

    def text(self, text: str) -> None:
        if self.inside_value:
            self.value = (self.value or "") + text

    def end(self, name: str) -> None:
        if name == "v":
            self.inside_value = False
        elif name == "c" and self.kind == "e":
            self.sheet.mark_broken(self.row, self.column, self.value or UNKNOWN)
        elif name == "c" and self.has_formula and not self.value and self.kind != "str":
            self.sheet.mark_broken(self.row, self.column, UNKNOWN)


def mark(parts: Parts, sheets: list[Sheet]) -> None:
    """Add to the sheets what their parts say."""
    paths = _paths(parts)
    for sheet in sheets:
        content = parts.get(paths.get(sheet.name, ""))
        if content is None:
            sheet.partly_known = True
            continue
        marks = _Marks(sheet)
        walk(content, marks.start, marks.end, marks.text)


def _paths(parts: Parts) -> dict[str, str]:
    """The part of each sheet, by the sheet's name."""
    book = next((path for kind, path in _related(parts, "_rels/.rels").values() if kind == "officeDocument"), "")
    folder, name = posixpath.split(book)
    related = _related(parts, posixpath.join(folder, "_rels", f"{name}.rels"))
    sheets: list[Attributes] = []
    walk(parts.get(book) or NOTHING, lambda name, found: sheets.append(found) if name == "sheet" else None)
    return {found.get("name", ""): related.get(found.get("id", ""), ("", ""))[1] for found in sheets}


def _related(parts: Parts, path: str) -> dict[str, tuple[str, str]]:
    """The last word of the kind, and the part, of each relationship by id."""
    found: list[Attributes] = []
    walk(parts.get(path) or NOTHING, lambda name, told: found.append(told) if name == "Relationship" else None)
    root = posixpath.dirname(posixpath.dirname(path))
    return {
        told.get("Id", ""): (
            told.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", root, told.get("Target", ""))).lstrip("/"),
        )
        for told in found
    }


def _column(place: str) -> int:
    """The number of the column in A1 notation, 0 when there is none."""
    number = 0
    for letter in place.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    return number


def _is_true(value: str | None) -> bool:
    return value in ("1", "true")
