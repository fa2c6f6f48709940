"""Import of activities and plans from a sheet: all of it or nothing, every error by row and column."""

import datetime as dt
import io
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.model import Activity, Event, Plan, Slot
from booking.spreadsheets import Table, write_csv
from tests.support.desk_cast import Cast, Desk, said, snapshot
from tests.support.lunch_hour import LunchHour

ACTIVITIES = ("名称", "类别", "老师")
PLANS = ("活动", "场地", "星期", "开始", "时长（分钟）", "名额", "从哪天起")


@pytest.fixture
def desk(session: Session, app: Flask) -> Desk:
    return Desk(app, LunchHour(session))


def send(desk: Desk, kind: str, heads: tuple[str, ...], *rows: tuple[Any, ...]) -> TestResponse:
    return send_file(desk, kind, write_csv(Table("x", heads, rows)))


def send_file(desk: Desk, kind: str, content: bytes) -> TestResponse:
    return desk.post(f"import/{kind}", sheet=(io.BytesIO(content), "表.csv"))


@pytest.mark.both
def test_activities_come_in_together(desk: Desk) -> None:
    answer = send(
        desk, "activities", ACTIVITIES, ("八段锦", "健身", "赵老师"), ("Talk", "talk", ""), ("书法", "书画", "")
    )
    assert "导入了 3 行" in said(answer)
    session = desk.lunch.session
    session.rollback()
    kinds = dict(session.execute(select(Activity.title, Activity.kind)).all())
    assert kinds["八段锦"] == "fitness"
    assert (kinds["Talk"], kinds["书法"]) == ("talk", "art")
    assert session.scalar(select(func.count(Event.id)).where(Event.kind == "activity_saved")) == 3


@pytest.mark.sqlite
@pytest.mark.parametrize("days", ["二四", "周二、周四", "24", "星期二,星期四", "Tue Thu", "２４"])
def test_plans_come_in_and_make_slots(desk: Desk, days: str) -> None:
    row = ("白领瑜伽课堂", "场地 0", days, "15:00", 50, 10, "2026/11/24")
    answer = send(desk, "plans", PLANS, row)
    assert "导入了 1 行" in said(answer), said(answer)
    session = desk.lunch.session
    session.rollback()
    plan = session.scalars(select(Plan)).one()
    assert (plan.weekdays, plan.capacity, plan.starts.hour) == ("24", 10, 15)
    assert session.scalar(select(func.count(Slot.id)).where(Slot.plan_id == plan.id)) > 2


@pytest.mark.both
def test_a_workbook_with_real_dates_and_times_comes_in(desk: Desk) -> None:
    template = load_workbook(io.BytesIO(desk.get("import/plans/template").data))
    sheet = template.active
    assert [cell.value for cell in sheet[1]][: len(PLANS)] == list(PLANS)
    sheet.append(
        ["白领瑜伽课堂", "场地 0", "周三", dt.time(15, 0), 50, 10, dt.date(2026, 11, 24), dt.date(2026, 12, 31)]
    )
    out = io.BytesIO()
    template.save(out)
    assert "导入了 1 行" in said(send_file(desk, "plans", out.getvalue()))


@pytest.mark.sqlite
@pytest.mark.parametrize("minutes", [None, "", "50", "50分钟"])
def test_a_time_may_say_until_when(desk: Desk, minutes: str | None) -> None:
    heads, row = list(PLANS), ["白领瑜伽课堂", "场地 0", "三", "15:00-15:50", minutes, "10", "2026-11-24"]
    if minutes is None:  # the sheet has no such column
        del heads[4], row[4]
    answer = send(desk, "plans", tuple(heads), tuple(row))
    assert "导入了 1 行" in said(answer), said(answer)
    desk.lunch.session.rollback()
    plan = desk.lunch.session.scalars(select(Plan)).one()
    assert (plan.starts, plan.minutes) == (dt.time(15), 50)


@pytest.mark.sqlite
def test_a_time_and_a_length_that_differ_are_said(desk: Desk) -> None:
    row = ("白领瑜伽课堂", "场地 0", "三", "15:00-15:50", "60", "10", "2026-11-24")
    assert "开始那一格写的是 50 分钟，请核对。" in said(send(desk, "plans", PLANS, row))
    alone = tuple("15:00" if cell == "15:00-15:50" else cell for n, cell in enumerate(row) if n != 4)
    heads = tuple(head for n, head in enumerate(PLANS) if n != 4)
    assert "时长" in said(send(desk, "plans", heads, alone)), "control: nothing says how long it is"
    desk.lunch.session.rollback()
    assert desk.lunch.session.scalar(select(func.count(Plan.id))) == 0


GOOD = ("白领瑜伽课堂", "场地 0", "三", "15:00", "50", "10", "2026-11-24")


@pytest.mark.both
def test_a_wrong_row_behind_good_ones_leaves_nothing(desk: Desk) -> None:
    """The rules find it, not the form: the good rows have been written by then."""
    before = snapshot(desk.lunch.session)
    taken = ("白领瑜伽课堂", "其他", "")
    answer = send(desk, "activities", ACTIVITIES, ("八段锦", "健身", ""), taken, ("书法", "书画", ""))
    assert answer.status_code == 422
    assert "3 名称 白领瑜伽课堂 已经有同名的了" in said(answer)
    assert snapshot(desk.lunch.session) == before


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("place", "typed", "column", "sentence"),
    [
        (0, "没有的活动", "活动", "没有这一项，请核对写法。"),
        (1, "别人的场地", "场地", "没有这一项，请核对写法。"),
        (2, "周八", "星期", "没有这一项，请核对写法。"),
        (1, "", "场地", "这一项要填。"),
        (2, "", "星期", "这一项要填。"),
        (3, "25:00", "开始", "请填一个时间"),
        (4, "9", "时长（分钟）", "请填 10 到 480 之间的数。"),
        (5, "约十", "名额", "请填一个整数"),
        (5, "1000", "名额", "这个场地最多"),
        (6, "明天", "从哪天起", "请填一个三年以内的日期"),
        (0, "<script>alert(1)</script>", "活动", "没有这一项，请核对写法。"),
        (1, "=cmd()", "场地", "没有这一项，请核对写法。"),
    ],
)
def test_one_wrong_cell_leaves_nothing_and_is_named(
    desk: Desk, place: int, typed: str, column: str, sentence: str
) -> None:
    session = desk.lunch.session
    if typed == "1000":
        desk.post("zones/1", name="场地 0", capacity="20")
    before = snapshot(session)
    wrong = [*GOOD[:place], typed, *GOOD[place + 1 :]]
    wrong[3] = wrong[3] if place == 3 else "16:00"
    answer = send(desk, "plans", PLANS, GOOD, tuple(wrong))
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    words = said(answer)
    assert "有 1 处不对，什么都没有导入" in words, words
    assert f"3 {column}" in " ".join(words.split()) or f"3{column}" in words.replace(" ", "")
    assert sentence in words
    assert snapshot(session) == before


@pytest.mark.both
def test_two_rows_that_want_one_zone_leave_nothing(desk: Desk) -> None:
    before = snapshot(desk.lunch.session)
    answer = send(desk, "plans", PLANS, GOOD, (*GOOD[:3], "15:30", *GOOD[4:]))
    assert answer.status_code == 422
    assert "这个时间，场地已经有别的安排" in said(answer)
    assert snapshot(desk.lunch.session) == before


@pytest.mark.both
def test_the_same_title_twice_leaves_nothing(desk: Desk) -> None:
    before = snapshot(desk.lunch.session)
    answer = send(desk, "activities", ACTIVITIES, ("新的", "其他", ""), ("新的", "其他", ""))
    assert answer.status_code == 422
    assert snapshot(desk.lunch.session) == before


@pytest.mark.sqlite
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x89PNG\xff", "名称,类别\n".encode(), b"a,b\n1,2\n"])
def test_what_is_no_sheet_is_said(desk: Desk, content: bytes) -> None:
    before = snapshot(desk.lunch.session)
    assert send_file(desk, "activities", content).status_code == 422
    assert snapshot(desk.lunch.session) == before


def test_another_stations_names_are_unknown_here(app: Flask, session: Session) -> None:
    lunch = LunchHour(session)
    cast = Cast(lunch)
    theirs = session.get_one(Activity, cast.west.activity_id)
    theirs.title = "西边的瑜伽"
    session.commit()
    answer = send(Desk(app, lunch), "plans", PLANS, ("西边的瑜伽", *GOOD[1:]))
    assert answer.status_code == 422


@pytest.mark.sqlite
def test_there_is_nothing_else_to_import(desk: Desk) -> None:
    assert desk.get("import/people").status_code == 404
    assert desk.get("import/people/template").status_code == 404


@pytest.mark.sqlite
def test_an_empty_workbook_is_said(desk: Desk) -> None:
    out = io.BytesIO()
    Workbook().save(out)
    assert "表格里一行也没有" in said(send_file(desk, "plans", out.getvalue()))
