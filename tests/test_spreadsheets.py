"""Sheets: formulas disarmed, Chinese kept, and what cannot be a sheet refused."""

import io
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter
from openpyxl import load_workbook

from booking import spreadsheets
from booking.errors import RuleViolation
from booking.spreadsheets import Rate, Table, packages

NASTY = ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "＝1", "＋1", "－1", "＠x", " =1", "\u3000＝1", "\r=1"]
TABLE = Table("名单", ("姓名", "次数"), [("周明", 3), *((text, 1) for text in NASTY), ("it's =fine", None)])


def cells_of(content: bytes) -> list[list[str]]:
    """The rows of the first sheet."""
    return list(spreadsheets.read(content)[0].rows.values())


def test_a_csv_is_what_excel_in_chinese_reads() -> None:
    written = spreadsheets.write_csv(TABLE)
    assert written.startswith(b"\xef\xbb\xbf")
    rows = cells_of(written)
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
    assert cells_of(spreadsheets.write_xlsx([TABLE]))[1] == ["周明", "3"]


def test_dates_in_every_chinese_format_of_excel_are_dates() -> None:
    """Formats that Excel of China has built in, and a file does not describe."""
    formats, out = [*range(27, 37), *range(50, 59)], io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for row, number in enumerate(formats):
            sheet.write_number(row, 0, 46370, book.add_format({"num_format": number}))
    assert cells_of(out.getvalue()) == [["2026-12-14"]] * len(formats)


def test_what_excel_in_chinese_saves_as_csv_is_read() -> None:
    assert cells_of("名称,老师\n瑜伽,林老师\n".encode("gb18030")) == [["名称", "老师"], ["瑜伽", "林老师"]]


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return out.getvalue()


BAD = {
    "no sheet": zipped(a=b"x"),
    "half a file": spreadsheets.write_xlsx([TABLE])[:900],
    "a bomb": zipped(a=b"0" * (packages.LARGEST + 1)),
    "entities": zipped(a=b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x/>'),
    "a picture": b"\x89PNG\r\n\x1a\n\xff\xff\xff",
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
    assert cells_of(out.getvalue()) == [["12:10", "2026-11-24", "15"]]


def test_dates_are_dates_and_rates_are_percentages() -> None:
    row = (date(2026, 12, 7), datetime.fromisoformat("2026-12-07 12:05"), Rate(0.5), 3, "一行\r\n又一行")
    table = Table("数字", ("日期", "签到", "上座率", "人次", "说明"), [row])
    written = spreadsheets.write_xlsx([table])
    _, cells = load_workbook(io.BytesIO(written)).active.iter_rows()
    assert [cell.value for cell in cells[:4]] == [datetime.fromisoformat("2026-12-07"), row[1], 0.5, 3]
    assert [cell.number_format for cell in cells[:4]] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm", "0.0%", "General"]
    with zipfile.ZipFile(io.BytesIO(written)) as packed:
        assert b"_x000D_" not in packed.read("xl/sharedStrings.xml")
    assert cells_of(written)[1][4] == "一行\n又一行"
    assert cells_of(spreadsheets.write_csv(table))[1] == [
        "2026-12-07",
        "2026-12-07 12:05",
        "50.0%",
        "3",
        "一行\n又一行",
    ]


def test_a_wide_table_prints_on_landscape_a4_with_its_heads() -> None:
    wide, small = (
        Table("宽", [f"很长的一个表头 {number}" for number in range(12)], []),
        Table("窄", ("姓名", "单位"), []),
    )
    book = load_workbook(io.BytesIO(spreadsheets.write_xlsx([wide, small])))
    for sheet, landscape in zip(book.worksheets, (True, False), strict=True):
        assert sheet.page_setup.paperSize == 9
        assert (sheet.page_setup.orientation == "landscape") == landscape
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0
