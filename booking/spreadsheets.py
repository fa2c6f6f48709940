"""Spreadsheets: tables as files that Excel in Chinese opens correctly, and the cells of an uploaded file.

What people typed is always text in a sheet and never a formula, also when written in full-width characters.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from booking.errors import RuleViolation

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# The unpacked size of an honest sheet; a small file that claims more is a zip bomb.
LARGEST = 8 * 1024 * 1024
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an .xls, or an .xlsx with a password
ENCRYPTED = 0x1  # the flag bit of a file in a zip
MOST_ROWS, MOST_COLUMNS = 500, 40
NOT_ALLOWED_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
WIDEST = 40

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A name, the headers of the columns, and the rows."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def write_csv(table: Table) -> bytes:
    """UTF-8 with a byte order mark, by which Excel recognises it."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_disarmed(cell) for cell in row] for row in (table.heads, *table.rows))
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(tables: Iterable[Table]) -> bytes:
    """One sheet for each table, with the header row frozen."""
    out = io.BytesIO()
    import xlsxwriter  # noqa: PLC0415 - 12 MB that most processes never need

    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        strong, text = book.add_format({"bold": True}), book.add_format({"quote_prefix": True})
        for table in tables:
            sheet = book.add_worksheet(table.name.translate(NOT_ALLOWED_IN_NAMES)[:31])
            sheet.freeze_panes(1, 0)
            for column, head in enumerate(table.heads):
                sheet.write_string(0, column, head, strong)
                sheet.set_column(column, column, _width(head, (row[column] for row in table.rows)))
            for number, row in enumerate(table.rows, start=1):
                for column, cell in enumerate(row):
                    _write(sheet, number, column, cell, text)
    return out.getvalue()


def read(content: bytes) -> list[list[str]]:
    """The cells of an XLSX or CSV file as text, the headers first, without empty rows.

    Raises `bad_sheet`, `locked_sheet` for a file with a password or in the old format, and `sheet_too_long`.
    """
    if content.startswith(OLE):
        raise RuleViolation("locked_sheet")
    rows = _read_xlsx(content) if content[:2] == b"PK" else _read_csv(content)
    found = []
    for row in rows:
        cells = [_text(cell) for cell in row[:MOST_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            found.append(cells)
        if len(found) > MOST_ROWS + 1:
            raise RuleViolation("sheet_too_long", limit=MOST_ROWS)
    return found


def is_formula(cell: Cell) -> bool:
    """Whether a spreadsheet, or a person editing the cell in one, could turn it into a formula."""
    return isinstance(cell, str) and cell.lstrip(" \u3000").startswith(FORMULAS)


def _disarmed(cell: Cell) -> Cell:
    return f"'{cell}" if is_formula(cell) else cell


def _write(sheet: Any, row: int, column: int, cell: Cell, text: Any) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, column, cell, *([text] if is_formula(cell) else []))
    elif cell is not None:
        sheet.write_number(row, column, cell)


def _width(head: str, cells: Iterator[Cell]) -> int:
    """The column's width in characters; Chinese ones count double."""
    longest = max(len(text.encode("gb18030", "replace")) for text in (head, *(str(cell or "") for cell in cells)))
    return min(longest + 2, WIDEST)


def _read_csv(content: bytes) -> Iterator[Sequence[Any]]:
    for encoding in ("utf-8-sig", "gb18030"):  # the second is what Excel in Chinese saves
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:  # UTF-16 without a byte order mark, or not text
            raise RuleViolation("bad_sheet")
        try:
            yield from csv.reader(io.StringIO(text, newline=""), strict=True)
        except csv.Error as error:
            raise RuleViolation("bad_sheet") from error
        return
    raise RuleViolation("bad_sheet")


def _read_xlsx(content: bytes) -> Iterator[Sequence[Any]]:
    from openpyxl import load_workbook  # noqa: PLC0415 - 15 MB that most processes never need

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            _refuse_bombs(packed)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        yield from sheet.iter_rows(max_row=MOST_ROWS * 2, max_col=MOST_COLUMNS, values_only=True)
    except RuleViolation:
        raise
    except Exception as error:  # a damaged file makes zipfile, zlib, expat and openpyxl raise all sorts
        raise RuleViolation("bad_sheet") from error


def _refuse_bombs(packed: zipfile.ZipFile) -> None:
    if sum(part.file_size for part in packed.infolist()) > LARGEST:
        raise RuleViolation("bad_sheet")
    if any(part.flag_bits & ENCRYPTED for part in packed.infolist()):
        raise RuleViolation("locked_sheet")
    for part in packed.infolist():
        with packed.open(part) as file:
            # Entities can expand a few bytes of XML to gigabytes; no sheet of Excel declares any. In UTF-16 neither.
            if b"<!DOCTYPE" in file.read(LARGEST + 1).replace(b"\0", b""):
                raise RuleViolation("bad_sheet")


def _text(cell: Any) -> str:
    """A cell as a person would have typed it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.strftime("%H:%M")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
