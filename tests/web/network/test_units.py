"""Units: the pages by which organisers and admins build, move and close the nodes of a city."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model import Node
from tests.support.organiser_desk import NOW, OrganiserDesk, said
from tests.support.tree_cast import CityTree, city_tree

pytestmark = pytest.mark.one_database
NEW = {"code": "sanlitun", "name": "三里屯中心", "name_en": "Sanlitun centre", "grade": "一级", "category": ""}


@pytest.fixture
def city(session: Session) -> CityTree:
    return city_tree(session)


@pytest.fixture
def desk(app: Flask, city: CityTree) -> OrganiserDesk:
    return OrganiserDesk(app, city, "高统筹", over="chaoyang")


def test_an_admin_makes_the_first_city_and_finds_the_list_of_cities(app: Flask, session: Session) -> None:
    admin = OrganiserDesk(app, CityTree(session, {}, {}), "何主任")
    assert "/net/" not in admin.get("/admin/").text
    assert "还没有城市" in admin.words("/net/")
    answer = admin.post("/net/", code="bj", name="北京市", name_en="Beijing")
    assert "加好了。" in said(answer)
    assert session.scalars(select(Node.path)).all() == ["1."]
    assert "北京市" in admin.words("/net/")
    assert 'href="/net/"' in admin.get("/admin/").text


def test_an_organiser_lands_at_the_own_nodes_and_makes_no_city(
    app: Flask, city: CityTree, desk: OrganiserDesk, session: Session
) -> None:
    assert "朝阳区" in desk.words("/net/")
    assert "北京市" not in desk.words("/net/")
    assert desk.post("/net/", code="tj", name="天津市").status_code == 404
    assert OrganiserDesk(app, city, "林经理", runs="guomao").get("/net/").status_code == 404
    assert session.scalar(select(Node.id).where(Node.code == "tj")) is None


def test_a_centre_is_added_and_changed(desk: OrganiserDesk, city: CityTree, session: Session) -> None:
    assert "加好了。" in said(desk.post("/net/chaoyang/units/new", **NEW))
    assert "三里屯中心" in desk.words("/net/chaoyang/units")
    assert "已保存。" in said(desk.post("/net/sanlitun/edit", name="三里屯太古里中心", grade="二级"))
    made = session.scalars(select(Node).where(Node.code == "sanlitun")).one()
    assert (made.level, made.name, made.name_en, made.grade) == ("centre", "三里屯太古里中心", "", "二级")
    history = desk.words("/net/chaoyang/history")
    assert "单位加了：三里屯中心" in history
    assert "名称 三里屯中心 → 三里屯太古里中心" in history


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"code": "cbd-centre"}, "这个代码已经有单位在用，请换一个。"),
        ({"code": "三里屯"}, "代码由小写字母"),
        ({"name": ""}, "请填写名称。"),
        ({"grade": "特" * 21}, "太长了，最多 20 个字。"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_the_rest_stays(
    desk: OrganiserDesk, typed: dict[str, str], sentence: str
) -> None:
    answer = desk.post("/net/chaoyang/units/new", **NEW | typed)
    assert answer.status_code == 422
    assert sentence in said(answer)
    assert 'value="Sanlitun centre"' in answer.text


def test_nothing_is_added_below_a_centre(desk: OrganiserDesk) -> None:
    assert desk.post("/net/cbd-centre/units/new", **NEW).status_code == 404


def test_a_centre_moves_where_the_organiser_may_change_both_sides(
    app: Flask, city: CityTree, desk: OrganiserDesk
) -> None:
    assert "没有可以移去的地方" in desk.words("/net/cbd-centre/move")
    assert desk.post("/net/cbd-centre/move", to="xicheng").status_code == 404
    whole = OrganiserDesk(app, city, "总统筹", over="bj")
    assert "移过去了" in said(whole.post("/net/cbd-centre/move", to="xicheng"))
    assert city.node("cbd-centre").parent_id == city.nodes["xicheng"]
    assert "CBD 中心；朝阳区 → 西城区" in whole.words("/net/bj/history")
    assert "CBD 中心；朝阳区 → 西城区" in desk.words("/net/chaoyang/history")


def test_an_organiser_neither_closes_nor_moves_the_own_node(desk: OrganiserDesk) -> None:
    for path in ("close", "move"):
        assert desk.get(f"/net/chaoyang/{path}").status_code == 404
        assert desk.post(f"/net/chaoyang/{path}", reason="合并", to="bj").status_code == 404
    assert desk.post("/net/chaoyang/reopen").status_code == 404


def test_closing_a_centre_asks_about_each_station(desk: OrganiserDesk, city: CityTree) -> None:
    guomao, guanghua = (f"station_{city.stations[code]}" for code in ("guomao", "guanghua"))
    asked = desk.words("/net/cbd-centre/close")
    assert "国贸驿站" in asked
    assert "移到 朝阳区 · 望京中心" in asked
    assert "金融街中心" not in asked
    answer = desk.post("/net/cbd-centre/close", reason="并到望京", **{guomao: "close"})
    assert (answer.status_code, city.node("cbd-centre").closed_at) == (422, None)
    foreign = {guomao: "close", guanghua: "financial-centre"}
    assert desk.post("/net/cbd-centre/close", reason="并到望京", **foreign).status_code == 404
    assert city.node("cbd-centre").closed_at is None
    desk.post("/net/cbd-centre/close", reason="并到望京", **{guomao: "close", guanghua: "wangjing-centre"})
    assert city.node("cbd-centre").closed_at == NOW
    assert city.station("guomao").closed_at == NOW
    assert city.station("guanghua").centre_id == city.nodes["wangjing-centre"]
    assert "单位关闭了" in desk.words("/net/chaoyang/history")
    assert "重新开放了。" in said(desk.post("/net/cbd-centre/reopen"))


def test_a_district_with_open_centres_is_not_closed(app: Flask, city: CityTree) -> None:
    whole = OrganiserDesk(app, city, "总统筹", over="bj")
    answer = whole.post("/net/chaoyang/close", reason="合并")
    assert answer.status_code == 422
    assert "下面还有 2 个没有关闭的单位，请先关闭或移走它们。" in said(answer)


def test_a_station_moves_and_both_sides_and_its_manager_read_of_it(
    app: Flask, city: CityTree, desk: OrganiserDesk
) -> None:
    manager = OrganiserDesk(app, city, "林经理", runs="guomao")
    assert desk.get("/net/cbd-centre/stations/wangjing/move").status_code == 404
    assert desk.post("/net/cbd-centre/stations/guomao/move", to="financial-centre").status_code == 404
    assert desk.post("/net/cbd-centre/stations/guomao/move", to="chaoyang").status_code == 422
    assert "移过去了" in said(desk.post("/net/cbd-centre/stations/guomao/move", to="wangjing-centre"))
    assert city.station("guomao").centre_id == city.nodes["wangjing-centre"]
    told = "驿站归到了中心：CBD 中心 → 望京中心"
    for code in ("cbd-centre", "wangjing-centre", "chaoyang"):
        assert told in desk.words(f"/net/{code}/history")
    assert told in manager.words("/manage/guomao/history")


def test_a_reader_sees_numbers_and_changes_nothing(app: Flask, city: CityTree) -> None:
    reader = OrganiserDesk(app, city, "阅览员", over="chaoyang", role="reader")
    assert reader.get("/net/chaoyang").status_code == 200
    assert "/net/chaoyang/policy" not in reader.get("/net/chaoyang").text
    for path in ("units", "units/new", "edit", "policy", "history"):
        assert reader.get(f"/net/chaoyang/{path}").status_code == 404
    for path in ("units/new", "edit", "policy", "policy/save"):
        assert reader.post(f"/net/chaoyang/{path}", **NEW).status_code == 404
