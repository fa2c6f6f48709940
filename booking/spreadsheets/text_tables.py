"""Text tables: CSV as Excel, WPS and Numbers save it: with commas, semicolons or tabs, in UTF-8, UTF-16 or GB18030."""

import csv
import io
import re
from collections import Counter
from itertools import islice

from booking.errors import RuleViolation
from booking.spreadsheets.sheet import Sheet

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = ",;\t，；|"
_SEP = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_ERROR = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|#+)", re.IGNORECASE)
_LOOKED_AT = 20  # rows from which the separator shows


def read(content: bytes, kept: int) -> Sheet:
    """The one sheet of a text. A first line like `sep=;` counts as a row, since it is one in an editor."""
    text, first = _decoded(content), 1
    if said := _SEP.match(text):
        text, separator, first = text[said.end() :], said[1], 2
    else:
        separator = max(_SEPARATORS, key=lambda sign: _regular(text, sign))
    sheet = Sheet(kept=kept)
    try:
        for number, cells in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), first
        ):
            sheet.add(number, cells)
    except csv.Error as error:
        raise RuleViolation("bad_sheet") from error
    sheet.broken = {
        (number, column)
        for number, cells in sheet.rows.items()
        for column, cell in enumerate(cells, start=1)
        if _ERROR.fullmatch(cell)
    }
    return sheet


def _decoded(content: bytes) -> str:
    encodings = (
        ("utf-16",) if content.startswith(_UTF16) else ("utf-8-sig", "gb18030")
    )  # the last is Excel's in Chinese
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:  # UTF-16 without a byte order mark, or not text
            break
        return text
    raise RuleViolation("bad_sheet")


def _regular(text: str, sign: str) -> int:
    """How well a sign separates: how many cells it makes in the rows that are equally long."""
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=sign), _LOOKED_AT))
    except csv.Error:
        return 0
    lengths = Counter(len(row) for row in rows if len(row) > 1)
    (length, often), *_ = lengths.most_common(1) or [(0, 0)]
    return often * length
