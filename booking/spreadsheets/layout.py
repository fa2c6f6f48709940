"""Layout: which sheet of a file is meant, where its heads are, and the rows under them.

Whatever is in the file and not in the rows gets a remark, so that nothing is dropped without a word.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from booking.errors import RuleViolation
from booking.parsing.numbers import folded
from booking.spreadsheets.sheet import MOST_COLUMNS, MOST_ROWS, Range, Sheet

_LOOKED_AT = 30  # rows in which the heads may be
_BRACKETS = str.maketrans("（", "(")
# How a row begins that is about the table and not of it: the totals, and what offices write below.
_TOTAL = re.compile(r"(合计|总计|小计|共计|总数|汇总|(grand|sub)?-?totals?|sum)([:(0-9].*)?")
_NOTE = re.compile(r"(备?注|说明|(填表|制表|填报|审[核批]|经办)(人|单位|说明|日期|时间)?|负责人|联系人|日期)[0-9]?:.*")


@dataclass(frozen=True)
class Remark:
    """Something in the file that was read in a way worth saying, or not read: a code, the row, the details."""

    code: str
    row: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Layout:
    """The rows by number, each with its texts by field; the cells among them without a usable value; the remarks."""

    rows: dict[int, dict[str, str]]
    broken: set[tuple[int, str]]
    remarks: list[Remark]

    def numbered(self, numbers: Sequence[int]) -> "Layout":
        """The same rows under these numbers, if there is one for each."""
        if not len(self.rows) == len(numbers) == len(set(numbers)):
            return self
        now = dict(zip(self.rows, numbers, strict=True))
        rows = {now[row]: texts for row, texts in self.rows.items()}
        return Layout(rows, {(now[row], name) for row, name in self.broken}, self.remarks)


def lay_out(
    sheets: Sequence[Sheet],
    known: Mapping[str, str],
    required: Mapping[str, str],
    most_rows: int = MOST_ROWS,
    *,
    also: Mapping[str, str] | None = None,
) -> Layout:
    """Find the table. `known` gives the field of each head, `required` the head of each field that must be there, `also`
    the field of other heads, which count where no column has the field's own.

    Raises `empty_sheet`, `bad_heads`, `two_heads` for two columns of one field, `sheet_too_long` and `sheet_too_wide`.
    """
    heads = _Heads(_with_short(known), _with_short(also or {}))
    filled = [sheet for sheet in sheets if sheet.rows]
    if not filled:
        raise RuleViolation("empty_sheet")
    sheet, number = _chosen(filled, heads, required)
    fields = _fields(_head_row(sheet, number), heads)
    below = list(_below(sheet, number, heads, fields, required))
    remarks = [
        *_of_sheets(filled, sheet),
        *_above(sheet, number),
        *_columns(sheet, number, fields),
        *_merged(sheet, number, fields, {remark.row for remark in below}),
        *below,
    ]
    left_out = {*sheet.hidden_rows, *(remark.row for remark in below)}
    visible = {row: cells for row, cells in sorted(sheet.rows.items()) if row > number and row not in left_out}
    if hidden := sorted(row for row in sheet.rows if row > number and row in sheet.hidden_rows):
        remarks.append(Remark("hidden_rows", details={"rows": in_words(hidden)}))
    if sheet.too_wide:
        raise RuleViolation("sheet_too_wide", limit=MOST_COLUMNS)
    if sheet.cut or len(visible) > most_rows:
        raise RuleViolation("sheet_too_long", limit=most_rows)
    rows = {
        row: {name: cells[column - 1] for column, name in fields.items() if column <= len(cells)}
        for row, cells in visible.items()
    }
    rows = {row: texts for row, texts in rows.items() if any(texts.values())}
    if not rows:
        raise RuleViolation("empty_sheet")
    broken = {(row, fields[column]) for row, column in sheet.broken if column in fields and row in rows}
    return Layout(rows, broken, remarks)


def column_letter(number: int) -> str:
    """A, B … Z, AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def in_words(numbers: Sequence[int]) -> str:
    """3-5, 8: the numbers, those in a row as one span."""
    spans = []
    for _, group in groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        span = [number for _, number in group]
        spans.append(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]))
    return ", ".join(spans)


def _with_short(known: Mapping[str, str]) -> dict[str, str]:
    """The fields by the keys of their heads, and by what stands before a bracket, where that is no other head."""
    keys = {_key(head): name for head, name in known.items()}
    return {_key(head.translate(_BRACKETS).partition("(")[0]): name for head, name in known.items()} | keys


class _Heads(NamedTuple):
    """The fields by the keys of their own heads, and of other ones."""

    own: Mapping[str, str]
    other: Mapping[str, str]

    def any_of(self, head: str) -> str | None:
        return _field_of(head, self.own) or _field_of(head, self.other)


def _field_of(head: str, known: Mapping[str, str]) -> str | None:
    """The field of a head; 名额(人) is 名额, 老师(英文) a head of its own."""
    return known.get(_key(head)) or known.get(_key(folded(head).partition("(")[0]))


def _key(head: str) -> str:
    return "".join(folded(head).split()).strip("*:")


def _chosen(filled: Sequence[Sheet], heads: _Heads, required: Mapping[str, str]) -> tuple[Sheet, int]:
    """The first sheet that has every required head, a hidden one last, and the row of the heads."""
    best: tuple[int, Sheet, int] | None = None
    for sheet in sorted(filled, key=lambda sheet: sheet.hidden):
        for number in sorted(sheet.rows)[:_LOOKED_AT]:
            if number in sheet.hidden_rows:
                continue
            found = {heads.any_of(cell) for cell in _head_row(sheet, number)} & set(required)
            if best is None or len(found) > best[0]:
                best = len(found), sheet, number
    if best is None or best[0] < len(required):
        found = {heads.any_of(cell) for cell in _head_row(best[1], best[2])} if best else set()
        missing = [head for name, head in required.items() if name not in found]
        raise RuleViolation("bad_heads", missing=" / ".join(missing), expected=" / ".join(required.values()))
    return best[1], best[2]


def _head_row(sheet: Sheet, number: int) -> list[str]:
    """The cells of a row; where one is merged with cells above it, the text of those: heads may stand over two rows."""
    cells = [*sheet.rows[number]]
    for top, left, bottom, _right in sheet.merged:
        if top < number <= bottom and top in sheet.rows and not _cell(cells, left):
            cells.extend([""] * (left - len(cells)))
            cells[left - 1] = _cell(sheet.rows[top], left)
    return cells


def _fields(row: Sequence[str], heads: _Heads) -> dict[int, str]:
    """The field of each column that has one."""
    fields = _fields_by(row, heads.own)
    more = {head: name for head, name in heads.other.items() if name not in fields.values()}
    return dict(sorted((fields | {at: name for at, name in _fields_by(row, more).items() if at not in fields}).items()))


def _fields_by(heads: Sequence[str], known: Mapping[str, str]) -> dict[int, str]:
    fields: dict[int, str] = {}
    for column, head in enumerate(heads, start=1):
        if not (name := _field_of(head, known)):
            continue
        if name in fields.values():
            first = next(other for other, there in fields.items() if there == name)
            raise RuleViolation("two_heads", head=head, first=column_letter(first), second=column_letter(column))
        fields[column] = name
    return fields


def _of_sheets(filled: Sequence[Sheet], chosen: Sheet) -> Iterator[Remark]:
    for sheet in filled:
        if sheet is not chosen:
            details = {"sheet": sheet.name, "chosen": chosen.name, "n": f"{len(sheet.rows)}{'+' if sheet.cut else ''}"}
            yield Remark("other_sheet", details=details)
    if chosen.hidden:
        yield Remark("hidden_sheet", details={"sheet": chosen.name})
    if chosen.partly_known:
        yield Remark("partly_known")


def _above(sheet: Sheet, heads: int) -> Iterator[Remark]:
    """Title rows, but for the upper half of heads that stand over two rows."""
    upper = {top for top, _left, bottom, _right in sheet.merged if top < heads <= bottom}
    for number in sorted(sheet.rows):
        if number < heads and number not in upper:
            yield Remark("above_heads", number, {"text": " ".join(cell for cell in sheet.rows[number] if cell)})


def _below(
    sheet: Sheet, head_row: int, heads: _Heads, fields: Mapping[int, str], required: Mapping[str, str]
) -> Iterator[Remark]:
    """Rows of totals and of notes, unless they have all that a row must have; and the heads, where a page began anew."""
    needed = [column for column, name in fields.items() if name in required]
    for number, cells in sorted(sheet.rows.items()):
        if number <= head_row or number in sheet.hidden_rows:
            continue
        if set(required) <= {heads.any_of(cell) for cell in cells}:
            yield Remark("heads_again", number)
        if all(_cell(cells, column) for column in needed):
            continue
        first = "".join(folded(next(filter(None, cells), "")).split())
        code = "total_row" if _TOTAL.fullmatch(first) else "note_row" if _NOTE.fullmatch(first) else ""
        if code:
            yield Remark(code, number, {"text": " ".join(filter(None, cells))})


def _cell(cells: Sequence[str], column: int) -> str:
    return cells[column - 1] if column <= len(cells) else ""


def _columns(sheet: Sheet, heads: int, fields: Mapping[int, str]) -> Iterator[Remark]:
    """Columns that are for no field, and hidden ones that are for one."""
    names = _head_row(sheet, heads)
    under = [cells for row, cells in sheet.rows.items() if row > heads]
    for column in range(1, max([len(names), *map(len, under)]) + 1):
        head = names[column - 1] if column <= len(names) else ""
        details = {"head": head, "column": column_letter(column)}
        has_values = any(len(cells) >= column and cells[column - 1] for cells in under)
        if column not in fields and has_values:
            yield Remark("unknown_column" if head else "column_without_head", details=details)
        elif column in fields and has_values and column in sheet.hidden_columns:
            yield Remark("hidden_column", details=details)


def _merged(sheet: Sheet, heads: int, fields: Mapping[int, str], left_out: Container[int | None]) -> Iterator[Remark]:
    """Merged cells: their value stands in the first of them only, and is meant for every row that they span."""
    for top, left, bottom, right in sheet.merged:
        columns = [column for column in range(left, right + 1) if column in fields]
        if bottom <= heads or not columns or top not in sheet.rows or len(sheet.rows[top]) < left or top in left_out:
            continue
        details = {"rows": in_words(range(top, bottom + 1)), "text": sheet.rows[top][left - 1]}
        if right > left or top <= heads:
            yield Remark("merged_columns", top, details)
        else:
            _fill_down(sheet, (top, left, bottom, right))
            yield Remark("merged_rows", top, details)


def _fill_down(sheet: Sheet, merged: Range) -> None:
    top, column, bottom, _ = merged
    for row in range(top + 1, min(bottom, top + sheet.kept) + 1):
        if row in sheet.rows:
            sheet.put(row, column, sheet.rows[top][column - 1])
