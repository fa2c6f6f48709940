"""Calamine in a process of its own: reads an XLSX or XLS from standard input, writes its cells as JSON.

Some files make the process end or hang instead of raising. So it gets little memory and time, and only the upload can
fail.
"""

import io
import json
import resource
import sys
from datetime import timedelta
from typing import Any

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

MEMORY, SECONDS = 512 * 1024 * 1024, 10


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most_rows, most_columns = int(sys.argv[1]), int(sys.argv[2])
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    except PasswordError:
        json.dump("locked", sys.stdout)
        return
    found = []
    for number, about in enumerate(book.sheets_metadata):
        try:
            sheet = book.get_sheet_by_index(number)
        except Exception:  # noqa: BLE001, S112 - a sheet of charts has no cells
            continue
        told = {"name": about.name, "hidden": about.visible != SheetVisibleEnum.Visible}
        found.append(told | _cells(sheet, most_rows, most_columns))
    json.dump(found, sys.stdout)


def _cells(sheet: CalamineSheet, most_rows: int, most_columns: int) -> dict[str, Any]:
    rows: list[tuple[int, list[Any]]] = []
    cut = False
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if not any(cell != "" for cell in row):
            continue
        cut = cut or len(rows) >= most_rows
        if not cut:
            wide = any(cell != "" for cell in row[most_columns:])
            rows.append((number, [_plain(cell) for cell in row[:most_columns]] + ["…"] * wide))
    return {"rows": rows, "cut": cut, "merged": sheet.merged_cell_ranges or []}


def _plain(cell: Any) -> Any:
    """What JSON knows as it is; dates and times with their type."""
    if isinstance(cell, str | int | float):
        return cell
    return type(cell).__name__, cell.total_seconds() if isinstance(cell, timedelta) else cell.isoformat()


if __name__ == "__main__":
    main()
