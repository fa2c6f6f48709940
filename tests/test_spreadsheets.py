"""Sheets: formulas disarmed, Chinese kept, and what cannot be a sheet refused."""

import io
import zipfile

import pytest
import xlsxwriter
from openpyxl import load_workbook

from booking import spreadsheets
from booking.errors import RuleViolation
from booking.spreadsheets import Table

NASTY = ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "＝1", "＋1", "－1", "＠x", " =1", "\u3000＝1", "\r=1"]
TABLE = Table("名单", ("姓名", "次数"), [("周明", 3), *((text, 1) for text in NASTY), ("it's =fine", None)])


def test_a_csv_is_what_excel_in_chinese_reads() -> None:
    written = spreadsheets.write_csv(TABLE)
    assert written.startswith(b"\xef\xbb\xbf")
    rows = spreadsheets.read(written)
    assert rows[:2] == [["姓名", "次数"], ["周明", "3"]]
    assert all(row[0].startswith("'") for row in rows[2 : 2 + len(NASTY)])
    assert rows[-1][0] == "it's =fine"


def test_an_xlsx_keeps_text_as_text_and_numbers_as_numbers() -> None:
    book = load_workbook(io.BytesIO(spreadsheets.write_xlsx([TABLE, Table("a/b:[c]*?", ("x",), [])])))
    assert [name.split() for name in book.sheetnames] == [["名单"], ["a", "b", "c"]]
    cells = list(book["名单"].iter_rows(min_row=2))
    assert [cell.data_type for cell in cells[0]] == ["s", "n"]
    for row in cells[1 : 1 + len(NASTY)]:
        assert row[0].data_type == "s"
        assert row[0].quotePrefix
    assert spreadsheets.read(spreadsheets.write_xlsx([TABLE]))[1] == ["周明", "3"]


def test_what_excel_in_chinese_saves_as_csv_is_read() -> None:
    assert spreadsheets.read("名称,老师\n瑜伽,林老师\n".encode("gb18030")) == [["名称", "老师"], ["瑜伽", "林老师"]]


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return out.getvalue()


BAD = {
    "no sheet": zipped(a=b"x"),
    "half a file": spreadsheets.write_xlsx([TABLE])[:900],
    "a bomb": zipped(a=b"0" * (spreadsheets.LARGEST + 1)),
    "entities": zipped(a=b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x/>'),
    "a picture": b"\x89PNG\r\n\x1a\n\xff\xff\xff",
    "too long": ("a\n" * (spreadsheets.MOST_ROWS + 5)).encode(),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_sheet_is_refused(what: str) -> None:
    with pytest.raises(RuleViolation):
        spreadsheets.read(BAD[what])


def test_an_xlsx_with_dates_and_times_reads_as_typed() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_number(0, 0, 0.5069444444, book.add_format({"num_format": "hh:mm"}))
        sheet.write_number(0, 1, 46350, book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_number(0, 2, 15.0)
    assert spreadsheets.read(out.getvalue()) == [["12:10", "2026-11-24", "15"]]
