"""Reading: the sheets of an uploaded file, whatever program and format it is from."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from booking.errors import RuleViolation
from booking.spreadsheets import open_document, open_xml, packages, text_tables
from booking.spreadsheets.sheet import MOST_COLUMNS, MOST_ROWS, SPARE_ROWS, Sheet, as_typed

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an .xls, or an .xlsx with a password
SECONDS = 15
CALAMINE = Path(__file__).with_name("calamine_process.py")
MADE: dict[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "datetime": datetime.fromisoformat,
    "timedelta": lambda seconds: timedelta(seconds=seconds),
}


def read(content: bytes, most_rows: int = MOST_ROWS) -> list[Sheet]:
    """The sheets of an XLSX, ODS, XLS or CSV file, in their order, with a few more than `most_rows` rows.

    Raises `bad_sheet`, and `locked_sheet` for a password.
    """
    kept = most_rows + SPARE_ROWS
    if content.startswith(OLE):
        return _read_ole(content, kept)
    if not content.startswith(b"PK"):
        return [text_tables.read(content, kept)]
    parts = packages.parts_of(content)
    with packages.refusing():
        if "content.xml" in parts:
            return open_document.read(parts, kept)
        for part in parts.values():
            packages.walk(part, lambda *_: None)
        sheets = _by_calamine(content, kept)
        open_xml.mark(parts, sheets)
    return sheets


def _read_ole(content: bytes, kept: int) -> list[Sheet]:
    """An .xls, or an .xlsx with a password; what cannot be read has one more often than it is damaged."""
    try:
        return _by_calamine(content, kept, partly_known=True)
    except RuleViolation as no:
        raise RuleViolation("locked_sheet") from no


def _by_calamine(content: bytes, kept: int, *, partly_known: bool = False) -> list[Sheet]:
    command = [sys.executable, "-I", str(CALAMINE), str(kept), str(MOST_COLUMNS)]
    try:
        # Our own interpreter and script, and nothing of the file in the arguments.
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, check=True)  # noqa: S603
        found = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise RuleViolation("bad_sheet") from error
    if found == "locked":
        raise RuleViolation("locked_sheet")
    return [_sheet(told, kept, partly_known=partly_known) for told in found]


def _sheet(told: dict[str, Any], kept: int, *, partly_known: bool) -> Sheet:
    sheet = Sheet(told["name"], kept, hidden=told["hidden"], cut=told["cut"], partly_known=partly_known)
    for number, cells in told["rows"]:
        sheet.add(number, [as_typed(MADE[cell[0]](cell[1]) if isinstance(cell, list) else cell) for cell in cells])
    sheet.merged = [(top + 1, left + 1, bottom + 1, right + 1) for (top, left), (bottom, right) in told["merged"]]
    return sheet
