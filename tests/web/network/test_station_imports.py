"""The sheet of stations in the browser: what is wrong by row and column, the preview, the import as it is watched."""

import html
import io
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import network
from booking.db import transactions
from booking.model import Event, Manages, Oversees, Person, Station, StationImport
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import LONG_BEFORE, at, make_people
from tests.support.tree_cast import city_tree
from tests.support.worker_cast import words_of

NOW = at("Mon 09:00")
HEADS = (
    "代码",
    "名称",
    "英文名称",
    "中心代码",
    "地址",
    "英文地址",
    "坐标",
    "坐标系",
    "管理员邮箱",
    "场地（名称:人数）",
    "样板驿站代码",
)
# On Amap: 国贸 as people copy it from there.
GOOD = (
    "dawang",
    "大望路驿站",
    "Dawang Road",
    "cbd-centre",
    "建国路 93 号",
    "",
    "39.920031, 116.476648",
    "高德",
    "",
    "健身区:20；会议室:16",
    "",
)

pytestmark = pytest.mark.one_database


class Desk:
    """韩统筹 organises 朝阳区; 李统筹 西城区; 孙查看 reads 朝阳区; 国贸经理 manages one station, 何主任 is the admin."""

    def __init__(self, session: Session, app: Flask) -> None:
        self.session, self.tree, self.clients = session, city_tree(session), dict[str, FlaskClient]()
        with transactions.transaction(session):
            ids = make_people(session, ("韩统筹", "李统筹", "孙查看", "国贸经理", "何主任", "周明"))
            for name, code, role in (
                ("韩统筹", "chaoyang", "organiser"),
                ("李统筹", "xicheng", "organiser"),
                ("孙查看", "chaoyang", "reader"),
            ):
                node_id = self.tree.nodes[code]
                session.add(Oversees(person_id=ids[name], node_id=node_id, role=role, since=LONG_BEFORE))
            station_id = self.tree.stations["guomao"]
            session.add(Manages(person_id=ids["国贸经理"], station_id=station_id, since=LONG_BEFORE))
            session.get_one(Person, ids["国贸经理"]).email = "guomao@example.com"
            session.get_one(Person, ids["何主任"]).is_admin = True
            for name, person_id in ids.items():
                self.clients[name] = app.test_client()
                carry(self.clients[name], lasting(session, session.get_one(Person, person_id), "browser", NOW), NOW)
        self.clients[""] = app.test_client()

    def ask(self, path: str, who: str = "韩统筹", method: str = "GET", **form: Any) -> TestResponse:
        with time_machine.travel(NOW, tick=False):
            return self.clients[who].open(path, method=method, data=form, follow_redirects=False)

    def send(self, *rows: tuple[Any, ...], heads: tuple[str, ...] = HEADS, node: str = "chaoyang") -> TestResponse:
        return self.upload(sheet_of(heads, *rows), node=node)

    def upload(self, content: bytes, node: str = "chaoyang", who: str = "韩统筹") -> TestResponse:
        return self.ask(f"/net/{node}/import", who, "POST", sheet=(io.BytesIO(content), "表.xlsx"))

    def draft(self) -> int:
        self.session.rollback()
        return self.session.scalars(select(StationImport.id).where(StationImport.confirmed_at.is_(None))).one()

    def work(self) -> None:
        while network.import_chunk(self.session, NOW):
            pass
        self.session.rollback()

    def stations(self) -> int:
        self.session.rollback()
        return self.session.scalar(select(func.count(Station.id))) or 0


@pytest.fixture
def desk(session: Session, app: Flask) -> Desk:
    return Desk(session, app)


def sheet_of(heads: tuple[str, ...], *rows: tuple[Any, ...]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    book.active.title = "驿站"
    for row in (heads, *rows):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def said(answer: TestResponse) -> str:
    return words_of(html.unescape(answer.text))


@pytest.mark.both
def test_a_sheet_is_shown_confirmed_and_imported(desk: Desk) -> None:
    shown = desk.send(GOOD)
    assert shown.status_code == 200
    assert "新建 1 个，改 0 个，不变 0 个" in said(shown)
    assert desk.stations() == 6
    number = desk.draft()
    assert "大望路驿站" in said(desk.ask(f"/net/chaoyang/import/{number}"))  # it can be looked at again
    went = desk.ask(f"/net/chaoyang/import/{number}/confirm", method="POST")
    assert (went.status_code, went.headers["Location"]) == (303, f"/net/chaoyang/import/{number}")
    page = desk.ask(f"/net/chaoyang/import/{number}")
    assert "导入了 0 / 1 行" in said(page)
    assert 'hx-trigger="every 2s"' in page.text
    desk.work()
    page = desk.ask(f"/net/chaoyang/import/{number}")
    assert "新建 1 个" in said(page)
    assert "hx-trigger" not in page.text
    station = desk.session.scalars(select(Station).where(Station.code == "dawang")).one()
    assert (station.latitude, station.longitude) == pytest.approx((39.9187, 116.4705), abs=2e-4)  # 700 m from there
    assert station.position == f"{station.latitude}, {station.longitude}"
    assert "导入完了" in said(desk.ask("/net/chaoyang/import"))


@pytest.mark.both
def test_the_export_comes_back_unchanged_and_edited(desk: Desk) -> None:
    answer = desk.ask("/net/chaoyang/stations.xlsx")
    book = load_workbook(io.BytesIO(answer.data))
    sheet = book.active
    assert [cell.value for cell in sheet[1]] == list(HEADS)
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == ["guanghua", "guomao", "jiuxianqiao", "wangjing"]
    assert sheet["I3"].value == "guomao@example.com"
    again = desk.upload(answer.data)
    assert "完全一样" in said(again)
    assert "就这样导入" not in said(again)
    sheet["B3"], sheet["J3"] = "国贸大驿站", "健身区:20"
    out = io.BytesIO()
    book.save(out)
    shown = said(desk.upload(out.getvalue()))
    assert "改 1 个，不变 3 个" in shown
    assert "名称 国贸驿站 → 国贸大驿站" in shown
    desk.ask(f"/net/chaoyang/import/{desk.draft()}/confirm", method="POST")
    desk.work()
    assert desk.session.scalars(select(Station.name).where(Station.code == "guomao")).one() == "国贸大驿站"
    kinds = select(Event.kind).where(Event.station_id == desk.tree.stations["guomao"]).order_by(Event.id.desc())
    assert desk.session.scalars(kinds.limit(2)).all() == ["zone_saved", "station_changed"]


WRONG = [
    ("代码", 0, "大望路", "代码由小写字母"),
    ("名称", 1, "", "请填写名称"),
    ("中心代码", 3, "financial-centre", "这里没有这个代码的中心"),
    ("坐标", 6, "北纬 39 度", "这不像一个坐标"),
    ("坐标", 6, "99.1, 116.4", "这不像一个坐标"),
    ("坐标系", 7, "", "就要写坐标系"),
    ("坐标系", 7, "北京54", "坐标系请写"),
    ("管理员邮箱", 8, "林经理", "不是一个完整的邮箱地址"),
    ("场地（名称:人数）", 9, "健身区", "请写成 健身区:20 这样"),
    ("样板驿站代码", 10, "yuetan", "这里没有这个代码的驿站"),
    ("代码", 0, "yuetan", "这个代码已经有驿站在用"),
]


@pytest.mark.parametrize(("column", "place", "text", "sentence"), WRONG)
def test_a_wrong_cell_is_named_by_row_and_column_and_nothing_is_kept(
    desk: Desk, column: str, place: int, text: str, sentence: str
) -> None:
    wrong = (*GOOD[:place], text, *GOOD[place + 1 :])
    answer = desk.send(("other", *GOOD[1:6], "", "", "", "", ""), wrong)
    assert answer.status_code == 422
    table = answer.text.split("<tbody>")[1].split("</tbody>")[0]
    assert table.count("<tr>") == 1
    row = words_of(html.unescape(table))
    assert row.startswith(f"3 {column}")
    assert sentence in row
    assert desk.session.scalar(select(func.count(StationImport.id))) == 0


@pytest.mark.parametrize("rows", [5_001, 50_000])
def test_a_sheet_that_is_too_long_is_refused_in_a_sentence(desk: Desk, rows: int) -> None:
    answer = desk.upload(("代码,名称,中心代码\n" + "a,b,c\n" * rows).encode())
    assert answer.status_code == 422
    assert "一次最多 5000 行" in said(answer)


def test_a_file_that_is_too_large_is_told_at_its_field(desk: Desk, app: Flask) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="sheet"; filename="a.xlsx"\r\n\r\n'
    body = head + bytes(app.config["MAX_UPLOAD_LENGTH"]) + b"\r\n--b--\r\n"
    with time_machine.travel(NOW, tick=False):
        answer = desk.clients["韩统筹"].post(
            "/net/chaoyang/import", data=body, content_type="multipart/form-data; boundary=b"
        )
    assert answer.status_code == 413
    assert "文件太大了，最大 2 MB" in said(answer)
    assert 'id="sheet-error"' in answer.text


def test_what_is_no_such_sheet_is_refused_in_a_sentence(desk: Desk) -> None:
    assert "这不是一份能读懂的表格" in said(desk.upload(b"PK\x03\x04 nothing"))
    without = said(desk.send(("x",), heads=("代码",)))
    assert "表头里缺少：名称 / 中心代码。要有这些表头：代码 / 名称 / 中心代码。补上再传一次。" in without
    assert "表格里一行也没有" in said(desk.send())


def test_near_stations_need_a_tick(desk: Desk) -> None:
    twin = ("twin", *GOOD[1:])
    shown = desk.send(GOOD, twin)
    assert "第 3 行“大望路驿站”和第 2 行“大望路驿站”：0 米" in said(shown)
    number = desk.draft()
    refused = desk.ask(f"/net/chaoyang/import/{number}/confirm", method="POST")
    assert refused.status_code == 422
    assert "再勾上“都是不同的驿站”" in said(refused)
    assert desk.ask(f"/net/chaoyang/import/{number}/confirm", method="POST", near="y").status_code == 303


def test_a_sheet_is_discarded(desk: Desk) -> None:
    desk.send(GOOD)
    number = desk.draft()
    assert desk.ask(f"/net/chaoyang/import/{number}/discard", method="POST").status_code == 303
    assert desk.ask(f"/net/chaoyang/import/{number}").status_code == 404


def test_what_was_read_otherwise_is_said(desk: Desk) -> None:
    shown = said(desk.send((*GOOD, "备注"), heads=(*HEADS, "说明")))
    assert "“说明”用不上，没有读" in shown


PATHS = (
    "GET import",
    "POST import",
    "GET stations.xlsx",
    "GET import/{}",
    "POST import/{}/confirm",
    "POST import/{}/discard",
)


@pytest.mark.parametrize("who", ["", "周明", "国贸经理", "孙查看", "李统筹"])
def test_only_organisers_and_admins_import_and_export(desk: Desk, who: str) -> None:
    desk.send(GOOD)
    number = desk.draft()
    for path in PATHS:
        method, rest = path.split()
        answer = desk.ask(f"/net/chaoyang/{rest.format(number)}", who, method)
        assert answer.status_code == (404 if who else 303), path
    assert desk.draft() == number


def test_an_import_of_another_node_is_not_found(desk: Desk) -> None:
    desk.send(GOOD)
    number = desk.draft()
    for path in PATHS[3:]:
        method, rest = path.split()
        answer = desk.ask(f"/net/xicheng/{rest.format(number)}", "李统筹", method)
        assert answer.status_code == 404
        assert desk.ask(f"/net/bj/{rest.format(number)}", "何主任", method).status_code == 404
    assert desk.draft() == number


def test_an_admin_takes_a_station_of_its_own_into_the_network(desk: Desk) -> None:
    with transactions.transaction(desk.session):
        desk.session.add(Station(code="alone", name="独自驿站"))
    row = ("alone", "独自驿站", "", "cbd-centre", *[""] * 7)
    assert "这个代码已经有驿站在用" in said(desk.send(row))
    shown = desk.upload(sheet_of(HEADS, row), node="bj", who="何主任")
    assert "中心 — → CBD 中心" in said(shown)


def test_the_heads_may_be_english_and_the_tab_is_for_organisers_alone(desk: Desk) -> None:
    heads = ("Code", "Name", "Centre code")
    assert "新建 1 个" in said(desk.send(("s1", "一号驿站", "cbd-centre"), heads=heads))
    assert "/net/chaoyang/import" in desk.ask("/net/chaoyang").text
    assert "/net/chaoyang/import" not in desk.ask("/net/chaoyang", "孙查看").text
