"""The page of a city, district or centre: numbers of a week or month, its parts, and no names of people."""

import html
import io
import re
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Node, Oversees, Station, StationDayTotals
from booking.queries import activity_ratings
from booking.queries.activity_ratings import Share
from booking.web.network import node_table
from tests.support.network_cast import MONDAY, Network
from tests.support.tree_cast import CityTree, city_tree
from tests.support.worker_cast import words_of

pytestmark = pytest.mark.one_database
SUNDAY = date(2026, 11, 22)
PART = re.compile(r'data-part="([\w-]+)"')


class Overseen:
    """何主任 is the admin, 林经理 organises 朝阳区, 吴经理 reads 望京中心; 国贸 and 望京 held slots on Friday."""

    def __init__(self, session: Session, app: Flask) -> None:
        self.tree: CityTree = city_tree(session)
        self.network, self.app = Network(session), app
        with transactions.transaction(session):
            for name, code, role in (("林经理", "chaoyang", "organiser"), ("吴经理", "wangjing-centre", "reader")):
                node_id, person_id = self.tree.nodes[code], self.network.ids[name]
                session.add(Oversees(person_id=person_id, node_id=node_id, role=role, since=MONDAY))
            for code, visits in (("guomao", 54), ("wangjing", 19)):
                counts = {"slots": 4, "seats": 60, "visits": visits, "expected": 56, "no_shows": 6, "turned_away": 7}
                row = StationDayTotals(date=SUNDAY - timedelta(2), station_id=self.tree.stations[code], **counts)
                session.add(row)

    def browser(self, name: str) -> FlaskClient:
        return self.network.browser(self.app, name)

    def look(self, path: str, name: str = "林经理", status: int = 200) -> str:
        with time_machine.travel(MONDAY, tick=False):
            answer = self.browser(name).get(path)
        assert answer.status_code == status
        return html.unescape(answer.text)


@pytest.fixture
def seen(session: Session, app: Flask) -> Overseen:
    return Overseen(session, app)


def test_on_monday_the_page_shows_the_week_that_is_over(seen: Overseen) -> None:
    page = seen.look("/net/chaoyang")
    assert PART.findall(page) == ["wangjing-centre", "cbd-centre", "total"]  # the lowest fill first
    assert "11月16日周一–11月22日周日" in page
    assert ("61%" in page, "32%" in page, "90%" in page) == (True, True, True)
    assert "4 个驿站没有管理员" in page
    assert re.findall(r'method="post" action="([^"]+)"', page) == ["/account/language"]  # nothing here changes anything


def test_open_stations_are_counted_alike_on_each_level_and_in_the_sheet(seen: Overseen, session: Session) -> None:
    with transactions.transaction(session):
        session.get_one(Station, seen.tree.stations["guanghua"]).closed_at = MONDAY
    district, centre = (words_of(seen.look(f"/net/{code}")) for code in ("chaoyang", "cbd-centre"))
    assert "CBD 中心 1 个驿站" in district
    assert "合计 3 个驿站" in district
    assert "光华路驿站" not in centre  # closed, and nothing to count
    with time_machine.travel(MONDAY, tick=False):
        sheet = seen.browser("林经理").get("/net/chaoyang/numbers.xlsx").data
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    place = rows[0].index("驿站（个）")
    assert [row[place] for row in rows[1:]] == [2, 1, 3]


def test_months_and_weeks_lead_to_the_ones_beside_them(seen: Overseen) -> None:
    page = seen.look("/net/chaoyang?by=month&sort=-fill")
    assert "11月1日周日–11月30日周一" in page
    assert 'rel="next"' not in page
    assert 'href="?grade=&category=&sort=-fill&by=month&on=2026-10-01" rel="prev"' in page
    assert PART.findall(page) == ["cbd-centre", "wangjing-centre", "total"]
    page = seen.look("/net/chaoyang?by=month&on=2026-10-01")
    assert "这段时间还没有结束的场次。" in page
    assert 'rel="next"' in page


def test_a_closed_centre_does_not_say_that_its_stations_are_fine(seen: Overseen) -> None:
    with transactions.transaction(seen.tree.session) as session:
        for code in ("guomao", "guanghua"):
            session.get_one(Station, seen.tree.stations[code]).closed_at = MONDAY
        session.get_one(Node, seen.tree.nodes["cbd-centre"]).closed_at = MONDAY
    page = words_of(seen.look("/net/cbd-centre"))
    assert ("正常" in page, "没有开着的驿站" in page, "CBD 中心 已关闭" in page) == (False, True, True)
    assert "已关闭" in words_of(seen.look("/net/chaoyang"))
    assert "没有开着的驿站" in words_of(seen.look("/net/cbd-centre?on=2026-10-01"))


@pytest.mark.parametrize("query", ["on=gestern", "on=9999-99-99", "by=decade&sort=name%27&grade=x", "on=2031-01-01"])
def test_what_is_not_understood_is_left_aside(seen: Overseen, query: str) -> None:
    assert seen.look(f"/net/chaoyang?{query}")


def test_links_lead_down_to_a_station_and_up_as_far_as_the_reader_may_go(seen: Overseen) -> None:
    assert 'href="/net/cbd-centre?by=week&on=2026-11-16"' in seen.look("/net/chaoyang")
    page = seen.look("/net/cbd-centre")
    assert 'href="/net/cbd-centre/stations/guomao?by=week&on=2026-11-16"' in page
    assert 'href="/net/chaoyang"' in page
    assert 'href="/net/bj"' not in page
    assert 'href="/net/bj"' in seen.look("/net/cbd-centre", "何主任")
    assert 'href="/net/chaoyang"' not in seen.look("/net/wangjing-centre", "吴经理")


def test_a_station_is_shown_by_day_and_without_names(seen: Overseen) -> None:
    page = seen.look("/net/wangjing-centre/stations/wangjing", "吴经理")
    assert re.findall(r'data-day="([\d-]+)"', page) == ["2026-11-20"]
    assert "32%" in page
    assert "周明" not in page
    assert "/manage/" not in page


def test_a_stations_page_has_the_share_of_those_who_said_good(seen: Overseen, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/net/wangjing-centre/stations/wangjing"
    assert 'data-number="rated"' not in seen.look(path, "吴经理")
    monkeypatch.setattr(activity_ratings, "share_of_station", lambda *_: Share(46, 3, 1))
    assert "评价，近 180 天 <b>92% 说好（50 份评价）</b>" in seen.look(path, "吴经理")


def test_a_station_elsewhere_is_not_found(seen: Overseen) -> None:
    for path in ("chaoyang/stations/yuetan", "chaoyang/stations/cbd", "chaoyang/stations/nowhere", "xicheng"):
        seen.look(f"/net/{path}", status=404)
    for path in ("chaoyang", "cbd-centre", "chaoyang/stations/wangjing", "chaoyang/numbers.xlsx"):
        seen.look(f"/net/{path}", "吴经理", status=404)
        seen.look(f"/net/{path}", "周明", status=404)


def test_the_sheet_has_the_same_rows_and_says_what_they_count(seen: Overseen) -> None:
    with time_machine.travel(MONDAY, tick=False):
        answer = seen.browser("林经理").get("/net/chaoyang/numbers.xlsx?on=2026-11-18&sort=-fill")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="chaoyang-2026-11-16-2026-11-22.xlsx"'
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    rows, terms = (book.get_sheet_by_name(name).to_python() for name in ("朝阳区", "口径"))
    assert [row[0] for row in rows] == ["名称", "CBD 中心", "望京中心", "合计"]
    named = dict(zip(rows[0], rows[-1], strict=True))
    assert (named["场次"], named["到场人次"], named["没约上（人）"]) == (8, 73, 14)
    assert named["上座率"] == pytest.approx(73 / 120)
    assert len(terms) == 1 + len(node_table.TERMS)


def test_in_english(seen: Overseen) -> None:
    with time_machine.travel(MONDAY, tick=False):
        client = seen.browser("何主任")
        client.post("/account/language", data={"language": "en"})
        page = html.unescape(client.get("/net/chaoyang", headers={"Accept-Language": "en"}).text)
    assert "Chaoyang" in page
