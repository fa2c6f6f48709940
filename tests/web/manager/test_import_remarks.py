"""Import: sheets of other programs, and nothing of them dropped without a word."""

import html
import io
import re
from datetime import time
from pathlib import Path
from typing import Any

import pytest
import time_machine
import xlsxwriter
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Activity, Person, Plan
from booking.spreadsheets import read, reading
from tests.support.desk_cast import Desk, said, snapshot
from tests.support.lunch_hour import LunchHour, at

pytestmark = pytest.mark.sqlite
FILES = Path(__file__).parents[2] / "support" / "sheets"
HEADS = ("活动", "场地", "星期", "开始", "时长（分钟）", "名额", "从哪天起", "到哪天为止")
GOOD = ("白领瑜伽课堂", "场地 0", "周三", "15:00", "50", "10", "2026-12-07", "长期")


@pytest.fixture
def desk(session: Session, app: Flask) -> Desk:
    return Desk(app, LunchHour(session))


def send(desk: Desk, content: bytes, kind: str = "plans") -> TestResponse:
    return desk.post(f"import/{kind}", sheet=(io.BytesIO(content), "表.xlsx"))


def confirm(desk: Desk, preview: TestResponse, kind: str = "plans") -> TestResponse:
    """Press the preview's button: what it carries is sent again."""
    carried = dict(re.findall(r'name="(rows|numbers)" value="([^"]*)"', preview.text))
    assert len(carried) == 2, said(preview)
    return desk.post(f"import/{kind}", **{name: html.unescape(value) for name, value in carried.items()})


def book(*rows: tuple[Any, ...], **options: Any) -> bytes:
    """A workbook; options: names of other sheets with their rows, `merged` and `hidden` rows."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        sheet = made.add_worksheet("排期")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
            for column, cell in enumerate(row):
                if str(cell).startswith("="):
                    sheet.write_formula(number, column, cell, None, "#N/A")
        for number in options.pop("hidden", ()):
            sheet.set_row(number - 1, None, None, {"hidden": True})
        for name, more in options.items():
            made.add_worksheet(name).write_row(0, 0, more)
    return out.getvalue()


def plans(desk: Desk) -> list[Plan]:
    desk.lunch.session.rollback()
    return list(desk.lunch.session.scalars(select(Plan).order_by(Plan.id)))


@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("*.*") if path.name != "pandas.xlsx"))
def test_the_same_plans_come_in_from_every_program(desk: Desk, name: str) -> None:
    before = snapshot(desk.lunch.session)
    preview = send(desk, (FILES / name).read_bytes())
    words = said(preview)
    for part in (
        "工作表“封面”里有 1 行没有读",
        "2026年12月排期",
        "“备注”用不上",
        "第 4-6 行）：每一行都用“白领瑜伽课堂”",
    ):
        if not (part.startswith("“备注”") and name.endswith(".xls")):  # calamine reads the error there as nothing
            assert part in words, words
    assert ("隐藏的行没有读：5" in words) != name.endswith(".xls")
    assert ("看不出哪些行是隐藏的" in words) == name.endswith(".xls")
    assert snapshot(desk.lunch.session) == before
    assert "导入了" in said(confirm(desk, preview))
    found = plans(desk)
    assert [plan.weekdays for plan in found if plan.weekdays != "6"] == ["123", "4"]
    for plan in found:
        assert (plan.starts, plan.minutes, plan.capacity) == (time(12, 10), 50, 15)
        assert (plan.valid_from.isoformat(), plan.valid_until) == ("2026-12-07", None)


def test_what_pandas_writes_comes_in_at_once(desk: Desk) -> None:
    assert "导入了 1 行" in said(send(desk, (FILES / "pandas.xlsx").read_bytes()))
    assert [(plan.weekdays, plan.starts) for plan in plans(desk)] == [("2", time(12, 10))]


CSV = f"{','.join(HEADS)}\n{','.join(GOOD)}\n"
TEXTS = {
    "UTF-8": CSV.encode(),
    "with a mark": CSV.encode("utf-8-sig"),
    "GB18030": CSV.encode("gb18030"),
    "UTF-16": CSV.encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + CSV.encode("utf-16-be"),
    "tabs in UTF-16, as Excel's Unicode text": CSV.replace(",", "\t").encode("utf-16"),
    "tabs": CSV.replace(",", "\t").encode(),
    "semicolons": CSV.replace(",", ";").encode(),
    "sep=": b"sep=;\r\n" + CSV.replace(",", ";").encode(),
    "sep= and a tab": b"sep=\t\r\n" + CSV.replace(",", "\t").encode("gb18030"),
    "old line ends": CSV.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("how", TEXTS)
def test_a_text_table_is_read_however_it_was_saved(desk: Desk, how: str) -> None:
    assert "导入了 1 行" in said(send(desk, TEXTS[how]))


FAULTS: dict[str, tuple[bytes, str]] = {
    "a second filled sheet": (book(HEADS, GOOD, 一月=("别的", "东西")), "工作表“一月”里有 1 行没有读"),
    "a title above the heads": (book(("十二月排期",), HEADS, GOOD), "1 表头上面的这一行没有读：十二月排期"),
    "a row of totals": (book(HEADS, GOOD, ("合 计：", "", "", "", "50", "10")), "3 合计的这一行没有读：合 计： 50 10"),
    "who made the sheet": (book(HEADS, GOOD, ("", "制表人：王芳")), "3 表格下面的这一行没有读：制表人：王芳"),
    "the heads on each page": (book(HEADS, GOOD, HEADS), "3 这一行又是表头，没有读。"),
    "a hidden row": (book(HEADS, GOOD, GOOD, hidden=[3]), "隐藏的行没有读：3"),
    "a column of no use": (book((*HEADS, "联系人"), (*GOOD, "王经理")), "I 列“联系人”用不上"),
    "a column without a head": (book(HEADS, (*GOOD, "王经理")), "I 列没有表头"),
    "a Saturday": (book(HEADS, (*GOOD[:2], "周六", *GOOD[3:])), "2 周末默认不开"),
    "no year": (book(HEADS, (*GOOD[:6], "12月14日", "")), "2 “12月14日”没有写年份，读作 2026-12-14"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_what_is_not_read_as_it_stands_is_said_before(desk: Desk, what: str) -> None:
    content, sentence = FAULTS[what]
    before = snapshot(desk.lunch.session)
    preview = send(desk, content)
    assert sentence in said(preview), said(preview)
    assert snapshot(desk.lunch.session) == before
    assert "导入了 1 行" in said(confirm(desk, preview))
    assert len(plans(desk)) == 1


OTHER = ("课程名称", "上课地点", "周几", "开始时间", "活动时长（分钟）", "人数上限", "开始日期", "结束日期")


def test_columns_may_have_other_common_names(desk: Desk) -> None:
    assert "导入了 1 行" in said(send(desk, book(OTHER, GOOD)))
    assert len(plans(desk)) == 1


def test_heads_may_stand_over_two_rows(desk: Desk) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        sheet = made.add_worksheet("排期")
        sheet.write_row(1, 0, HEADS)
        for column in (0, 1, 5):
            sheet.merge_range(0, column, 1, column, HEADS[column])
        sheet.merge_range(0, 2, 0, 4, "时间")
        sheet.merge_range(0, 6, 0, 7, "日期")
        sheet.write_row(2, 0, GOOD)
    assert "导入了 1 行" in said(send(desk, out.getvalue()))


def test_a_columns_own_name_goes_before_another_one(desk: Desk) -> None:
    preview = send(desk, book((*HEADS, "人数上限"), (*GOOD, "99")))
    assert "I 列“人数上限”用不上" in said(preview)
    confirm(desk, preview)
    assert [plan.capacity for plan in plans(desk)] == [10]


def test_a_plan_of_an_activity_that_is_called_total_is_a_plan(desk: Desk) -> None:
    desk.post("activities/new", title="Total", kind="fitness", picture="default")
    assert "导入了 1 行" in said(send(desk, book(HEADS, ("Total", *GOOD[1:]))))


REFUSED: dict[str, tuple[bytes, str]] = {
    "two heads for one column": (book((*HEADS, "名额"), (*GOOD, "12")), "“名额”有两列（F 和 I）"),
    "an error value": (book(HEADS, (*GOOD[:5], "=NA()", *GOOD[6:])), "这一格是公式的错误"),
    "an error value in a CSV": (CSV.replace(",10,", ",#REF!,").encode(), "这一格是公式的错误"),
    "rows past the limit": (book(HEADS, *[GOOD] * 501), "一次最多 500 行"),
    "rows past the limit, with empty ones between": (
        (CSV + "\n" * 2000 + f"{','.join(GOOD)}\n" * 500).encode(),
        "一次最多 500 行",
    ),
    "columns past the limit": (book(HEADS, (*GOOD, *[""] * 100, "x")), "最多 100 列"),
    "a head that is missing": (
        book(HEADS[1:], GOOD[1:]),
        "表头里缺少：活动。要有这些表头：活动 / 场地 / 星期 / 开始 / 时长（分钟） / 名额 / 从哪天起。补上再传一次。",
    ),
    "another weekday than the date's": (
        book(HEADS, (*GOOD[:6], "12月14日（周二）", "")),
        "2026-12-14 不是写的那个星期几",
    ),
    "seats given in no known way": (book((*HEADS, "怎么分名额"), (*GOOD, "随便")), "没有这一项，请核对写法。"),
    "a rest day neither yes nor no": (book((*HEADS, "休息日也开"), (*GOOD, "看情况")), "请写“是”，或者留空。"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused(desk: Desk, what: str) -> None:
    content, sentence = REFUSED[what]
    before = snapshot(desk.lunch.session)
    answer = send(desk, content)
    assert answer.status_code == 422
    assert sentence in said(answer), said(answer)
    assert snapshot(desk.lunch.session) == before


def test_rows_have_the_numbers_of_the_sheet(desk: Desk) -> None:
    wrong = (*GOOD[:5], "约十", *GOOD[6:])
    answer = send(desk, book((), ("标题",), (), HEADS, (), (), wrong))
    assert re.search(r"7 名额 约十", said(answer)), said(answer)


def test_rows_far_apart_are_previewed_without_the_rows_between(desk: Desk) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        sheet = made.add_worksheet()
        rows = {1: ("名称", "类别", "联系人"), 3: ("八段锦", "健身", "王经理"), 60_000: ("书法", "书画", "")}
        for number, cells in rows.items():
            sheet.write_row(number - 1, 0, cells)
    preview = send(desk, out.getvalue(), "activities")
    assert len(preview.text) < 50_000
    assert "3 八段锦 健身 60000 书法 书画" in said(preview)
    assert "导入了 2 行" in said(confirm(desk, preview, "activities"))
    again = said(confirm(desk, preview, "activities"))
    assert "3 名称 八段锦 已经有同名的了" in again
    assert "60000 名称 书法 已经有同名的了" in again


@pytest.mark.parametrize("numbers", ["", "3", "3,3", "x,4", "3,4,5", "9" * 5000])
def test_without_the_rows_numbers_the_rows_are_counted(desk: Desk, numbers: str) -> None:
    rows = "名称,类别\n八段锦,健身\n八段锦,健身\n"
    assert "3 名称 八段锦 已经有同名的了" in said(desk.post("import/activities", rows=rows, numbers=numbers))


def test_a_format_that_hides_what_is_hidden_says_so_in_english_too(desk: Desk) -> None:
    with transactions.transaction(desk.lunch.session) as session:
        session.get_one(Person, desk.lunch.manager_id).language = "en"
    words = said(send(desk, (FILES / "gnumeric.xls").read_bytes()))
    assert "This format does not show which rows are hidden or which cells are formula errors." in words, words


def test_saturdays_run_where_the_sheet_says_so(desk: Desk) -> None:
    row = (*GOOD[:2], "周六、周日", *GOOD[3:], "是")
    assert "导入了 1 行" in said(send(desk, book((*HEADS, "休息日也开"), row)))
    assert plans(desk)[0].on_rest_days


@pytest.mark.parametrize(("cell", "kept"), [("抽签", "draw"), ("先到先得", "first"), ("", "first"), ("Draw", "draw")])
def test_a_sheet_says_how_seats_are_given(desk: Desk, cell: str, kept: str) -> None:
    assert "导入了 1 行" in said(send(desk, book((*HEADS, "怎么分名额"), (*GOOD, cell))))
    assert plans(desk)[0].allocation == kept


@pytest.mark.parametrize(("cell", "kept"), [("70", 70), ("７５％", 75), ("0.7", 70), ("0.55", 55), ("", 80)])
def test_a_sheet_says_how_many_seats_are_drawn(desk: Desk, cell: str, kept: int) -> None:
    row = (*GOOD, "抽签＋现场", cell)
    assert "导入了 1 行" in said(send(desk, book((*HEADS, "怎么分名额", "抽签比例"), row)))
    (plan,) = plans(desk)
    assert (plan.allocation, plan.draw_share) == ("draw", kept)


@pytest.mark.parametrize(("cell", "shown"), [("96", "96"), ("0.7%", "0.7")])
def test_a_sheet_with_a_share_out_of_range_imports_nothing(desk: Desk, cell: str, shown: str) -> None:
    words = said(send(desk, book((*HEADS, "怎么分名额", "抽签比例"), (*GOOD, "抽签＋现场", cell))))
    assert f"抽签比例 {shown}" in words, words
    assert not plans(desk)


def test_five_hundred_long_rows_fit(desk: Desk) -> None:
    heads = ("名称", "类别", "老师", "介绍")
    rows = [(f"活动 {number}", "其他", "林老师", "很长的介绍" * 60) for number in range(500)]
    assert "导入了 500 行" in said(send(desk, book(heads, *rows), "activities"))


@pytest.mark.parametrize("kind", ["plans", "activities"])
def test_a_file_that_is_too_large_is_told_on_the_form(app: Flask, desk: Desk, kind: str) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="sheet"; filename="a.xlsx"\r\n\r\n'
    body = head + bytes(app.config["MAX_UPLOAD_LENGTH"]) + b"\r\n--b--\r\n"
    with time_machine.travel(at("Mon 11:00"), tick=False):
        answer = desk.client.post(
            f"{desk.root}import/{kind}", data=body, content_type="multipart/form-data; boundary=b"
        )
    assert answer.status_code == 413
    assert "最大 2 MB" in said(answer)
    assert 'id="sheet-error"' in answer.text


@pytest.mark.parametrize("twin", ["Tai Chi", "TAI CHI", "Ｔａｉ　Ｃｈｉ"])
def test_names_that_differ_in_width_or_case_are_one(desk: Desk, twin: str) -> None:
    heads = ("名称", "类别")
    before = snapshot(desk.lunch.session)
    assert "已经有同名的了" in said(send(desk, book(heads, ("Tai chi", "健身"), (twin, "健身")), "activities"))
    assert snapshot(desk.lunch.session) == before
    send(desk, book(heads, ("Tai chi", "健身")), "activities")
    assert "导入了 1 行" in said(send(desk, book(HEADS, (twin, *GOOD[1:]))))
    assert desk.lunch.session.scalar(select(func.count(Activity.id)).where(Activity.title == "Tai chi")) == 1


def test_a_zone_is_not_added_twice_in_another_width(desk: Desk) -> None:
    assert "已经有同名的了" in said(desk.post("zones", name="场地　０", capacity="20"))


def test_a_zone_with_its_size_is_the_zone(desk: Desk) -> None:
    assert "导入了 1 行" in said(send(desk, book(HEADS, (GOOD[0], "场地 0（最多 60 人）", *GOOD[2:]))))


def test_a_carriage_return_of_excel_is_a_line_break(desk: Desk) -> None:
    content = "名称,类别,介绍\n八段锦,健身,第一行_x000D_第二行\n".encode()
    assert "导入了 1 行" in said(send(desk, content, "activities"))
    with transactions.transaction(desk.lunch.session) as session:
        assert session.scalars(select(Activity.text).where(Activity.title == "八段锦")).one() == "第一行\n第二行"


def test_a_reader_that_dies_ends_one_upload_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dies = tmp_path / "dies.py"
    dies.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    content = book(HEADS, GOOD)
    assert read(content)
    monkeypatch.setattr(reading, "CALAMINE", dies)
    with pytest.raises(RuleViolation, match="bad_sheet"):
        read(content)
