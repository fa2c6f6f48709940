"""Stations of a city by what people type: characters, pinyin with every reading, first letters, district, address."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking import stations
from booking.db import transactions
from booking.model import Node, Station
from booking.queries import station_lookup
from booking.queries.station_readings import MOST_INITIALS, MOST_PINYIN, readings_of
from booking.stations import Details
from tests.support.network_cast import MONDAY
from tests.support.tree_cast import CityTree, city_tree

MORE = {
    "changchun": ("长椿街驿站", "宣武门西大街 9 号"),
    "chaoyangmen": ("朝阳门驿站", "朝阳门外大街 18 号"),
    "chongqing": ("重庆路驿站", "重庆路 1 号"),
    "lvdi": ("绿地中心驿站", "大望路"),
    "cbdsoho": ("CBD白领驿站", "ＳＯＨＯ 现代城"),
}


@pytest.fixture
def tree(session: Session) -> Iterator[CityTree]:
    tree = city_tree(session)
    for code, (name, address) in MORE.items():
        stations.create_station(session, code, Details(name, address=address), MONDAY, None)
    while stations.store_missing_readings(session, MONDAY):
        pass
    return tree


TYPED = {
    "国贸": ["guomao"],
    "gm": ["guomao"],
    "guomao": ["guomao"],
    "GuoMao": ["guomao"],
    "guo mao": ["guomao"],
    "maoyizhan": ["guomao"],
    "gmao": ["guomao"],
    "国贸 建国门": ["guomao"],
    "Guomao station": ["guomao"],
    "长椿街": ["changchun"],
    "changchunjie": ["changchun"],
    "zhangchunjie": ["changchun"],
    "ccj": ["changchun"],
    "chaoyangmen": ["chaoyangmen"],
    "zhaoyangmen": ["chaoyangmen"],
    "cym": ["chaoyangmen"],
    "chongqing": ["chongqing"],
    "zhongqing": ["chongqing"],
    "cql": ["chongqing"],
    "lvdi": ["lvdi"],
    "ludi": ["lvdi"],
    "lüdi": ["lvdi"],
    "lyudi": ["lvdi"],
    "soho": ["cbdsoho"],
    "CBD白领": ["cbdsoho"],
    "西城": ["fuxingmen", "yuetan"],
    "xicheng": ["fuxingmen", "yuetan"],
    "xcq": ["fuxingmen", "yuetan"],
    "金融街 月坛": ["yuetan"],
    "阜通东大街10号": ["wangjing"],
    "hunjie": [],
    "北京市": [],
    "火星": [],
    "zzzz": [],
    "%": [],
}


@pytest.mark.usefixtures("tree")
def test_a_station_is_found_by_what_people_type(session: Session) -> None:
    for typed, codes in TYPED.items():
        found = station_lookup.page(session, typed)
        assert ([one.code for one in found.items], found.total) == (codes, len(codes)), typed


@pytest.mark.usefixtures("tree")
def test_until_a_job_has_stored_the_readings_a_station_is_found_all_the_same(session: Session) -> None:
    session.execute(text("UPDATE station SET folded = '', pinyin = '', initials = ''"))
    session.commit()
    for typed in ("国贸", "guomao", "gm", "zhangchunjie", "阜通东大街10号", "Guomao station"):
        before = [one.code for one in station_lookup.page(session, typed).items]
        assert before == TYPED[typed], typed
    assert stations.store_missing_readings(session, MONDAY) == 11
    assert stations.store_missing_readings(session, MONDAY) == 0


@pytest.mark.usefixtures("tree")
def test_a_new_name_is_read_at_once_and_the_old_one_forgotten(session: Session) -> None:
    station = session.scalars(select(Station).where(Station.code == "changchun")).one()
    stations.change_station(session, station.id, Details("牛街驿站"), MONDAY, None)  # type: ignore[arg-type]
    assert [one.code for one in station_lookup.page(session, "niujie").items] == ["changchun"]
    assert [one.code for one in station_lookup.page(session, "ccj").items] == []


@pytest.mark.usefixtures("tree")
def test_the_code_comes_first_then_what_begins_so_then_what_is_only_near(session: Session) -> None:
    stations.create_station(session, "second", Details("第二国贸驿站"), MONDAY, None)
    stations.create_station(session, "gm", Details("工美驿站"), MONDAY, None)
    assert [one.code for one in station_lookup.page(session, "gm").items] == ["gm", "guomao", "second"]
    assert [one.code for one in station_lookup.page(session, "guom").items] == ["guomao", "second"]


def test_a_district_narrows_the_list_and_its_pages(session: Session, tree: CityTree) -> None:
    with transactions.transaction(session):
        centre = tree.nodes["financial-centre"]
        session.add_all([Station(code=f"more-{n}", name=f"第 {n} 驿站", centre_id=centre) for n in range(45)])
    district = tree.node("xicheng")
    pages = [station_lookup.page(session, "", district, number) for number in (1, 2, 3, 99)]
    assert [(page.number, len(page.items), page.pages, page.total) for page in pages] == [
        (1, 20, 3, 47),
        (2, 20, 3, 47),
        (3, 7, 3, 47),
        (3, 7, 3, 47),
    ]
    assert len({one.id for page in pages[:3] for one in page.items}) == 47
    found = station_lookup.page(session, "国贸", district)
    assert (found.items, found.total) == ([], 0)
    named = station_lookup.page(session, "驿站", district, 2)
    assert (len(named.items), named.total) == (20, 47)
    assert {node.code for node in named.districts.values()} == {"xicheng"}


@pytest.mark.parametrize("name", ["驿" * 80, "长重朝乐单" * 16, "Ａ" * 80, "𠀀龘" * 40, "", "…", "A B C " * 13])
def test_no_name_is_too_long_for_its_columns(name: str) -> None:
    told = readings_of(Station(code="x", name=name, name_en="", address="", address_en=""))
    assert len(told.pinyin) <= MOST_PINYIN
    assert len(told.initials) <= MOST_INITIALS


@pytest.mark.one_database
def test_the_page_keeps_what_was_typed_and_says_what_to_do(client: FlaskClient, tree: CityTree) -> None:
    page = client.get("/stations", query_string={"q": "  gm ", "district": "chaoyang"}).text
    assert 'value="gm"' in page
    assert "国贸驿站" in page
    assert 'href="/stations?q=gm&amp;district=xicheng"' in page
    nothing = client.get("/stations", query_string={"q": "gm", "district": "xicheng"}).text
    assert "西城区没有找到这样的驿站" in nothing
    assert 'href="/stations?q=gm"' in nothing
    assert "换个短一点的词试试" in client.get("/stations?q=火星").text
    assert "月坛驿站" in client.get("/stations?district=nowhere&page=x").text
    tree.session.execute(text("UPDATE station SET centre_id = NULL"))
    tree.session.execute(text("DELETE FROM node WHERE level = 'centre'"))
    tree.session.execute(text("DELETE FROM node WHERE level = 'district'"))
    tree.session.execute(text("DELETE FROM node"))
    tree.session.commit()
    assert "按区看" not in client.get("/stations").text
    assert tree.session.scalar(select(Node.id)) is None
