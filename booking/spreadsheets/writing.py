"""Writing: tables as files that Excel in Chinese opens correctly, and that print on A4.

What people typed is always text in a sheet and never a formula, also when written in full-width characters.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NOT_ALLOWED_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
WIDEST = 40
A4 = 9  # Excel's number of the paper
WIDEST_PORTRAIT = 90  # characters that are readable across an upright A4
FORMATS = {"day": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm", "rate": "0.0%"}


class Rate(float):
    """A fraction of one, shown as a percentage."""


Cell = str | int | float | Rate | date | datetime | None  # a datetime is a wall time without zone


@dataclass(frozen=True)
class Table:
    """A name, the headers of the columns, and the rows."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def write_csv(table: Table) -> bytes:
    """UTF-8 with a byte order mark, by which Excel recognises it."""
    return plain_csv([_as_text(cell) for cell in row] for row in (table.heads, *table.rows)).encode("utf-8-sig")


def plain_csv(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows that only our own reader will see: nothing in them is disarmed."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def write_xlsx(tables: Iterable[Table]) -> bytes:
    """One sheet for each table, with the header row frozen."""
    out = io.BytesIO()
    import xlsxwriter  # noqa: PLC0415 - 12 MB that most processes never need

    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        formats = {name: book.add_format({"num_format": shown}) for name, shown in FORMATS.items()}
        formats |= {"head": book.add_format({"bold": True}), "text": book.add_format({"quote_prefix": True})}
        for table in tables:
            sheet = book.add_worksheet(table.name.translate(NOT_ALLOWED_IN_NAMES)[:31])
            for column, head in enumerate(table.heads):
                sheet.write_string(0, column, head, formats["head"])
            for number, row in enumerate(table.rows, start=1):
                for column, cell in enumerate(row):
                    _write(sheet, number, column, cell, formats)
            _lay_out(sheet, table)
    return out.getvalue()


def is_formula(cell: Cell) -> bool:
    """Whether a spreadsheet, or a person editing the cell in one, could turn it into a formula."""
    return isinstance(cell, str) and cell.lstrip(" \u3000").startswith(FORMULAS)


def _as_text(cell: Cell) -> Cell:
    """A cell of a CSV, in a form that a spreadsheet reads as what it is."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, Rate):
        return f"{cell:.1%}"
    return f"'{cell}" if is_formula(cell) else cell


def _write(sheet: Any, row: int, column: int, cell: Cell, formats: dict[str, Any]) -> None:
    if isinstance(cell, str):
        # A carriage return would be stored as _x000D_, which most programs show.
        text = cell.replace("\r\n", "\n").replace("\r", "\n")
        sheet.write_string(row, column, text, *([formats["text"]] if is_formula(cell) else []))
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, formats["moment" if isinstance(cell, datetime) else "day"])
    elif cell is not None:
        sheet.write_number(row, column, cell, *([formats["rate"]] if isinstance(cell, Rate) else []))


def _lay_out(sheet: Any, table: Table) -> None:
    """Column widths, and pages: as wide as the table, with the headers on each."""
    widths = [_width(head, (row[column] for row in table.rows)) for column, head in enumerate(table.heads)]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    if sum(widths) > WIDEST_PORTRAIT:
        sheet.set_landscape()


def _width(head: str, cells: Iterator[Cell]) -> int:
    """The column's width in characters; Chinese ones count double."""
    longest = max(
        len(text.encode("gb18030", "replace")) for text in (head, *(str(_as_text(cell) or "") for cell in cells))
    )
    return min(longest + 2, WIDEST)
