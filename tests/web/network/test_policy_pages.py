"""Policy pages: what a node sets and locks, its preview, and the station's own form below it."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import network, policy, slots
from booking.model import Activity, Event, Station, Zone
from tests.support.organiser_desk import NOW, OrganiserDesk, said
from tests.support.tree_cast import CityTree, city_tree

pytestmark = pytest.mark.one_database


@pytest.fixture
def city(session: Session) -> CityTree:
    return city_tree(session)


@pytest.fixture
def desk(app: Flask, city: CityTree) -> OrganiserDesk:
    return OrganiserDesk(app, city, "总统筹", over="bj")


@pytest.fixture
def manager(app: Flask, city: CityTree) -> OrganiserDesk:
    return OrganiserDesk(app, city, "林经理", runs="guomao")


def shown(answer: Any) -> str:
    return str(answer.text).partition('name="shown" value="')[2].partition('"')[0]


def save(desk: OrganiserDesk, code: str, **typed: Any) -> str:
    preview = desk.post(f"/net/{code}/policy", **typed)
    assert preview.status_code == 200
    return said(desk.post(f"/net/{code}/policy/save", shown=shown(preview), **typed))


def apply(session: Session) -> None:
    session.rollback()
    network.apply_policy(session, network.stations_due(session), NOW)


def test_a_change_is_previewed_confirmed_and_applied(desk: OrganiserDesk, city: CityTree, session: Session) -> None:
    assert "沿用默认 60" in desk.words("/net/bj/policy")
    preview = desk.post("/net/bj/policy", free_minutes="90", locks="free_minutes")
    assert "6 个驿站、0 场会变，下面一共 6 个驿站。" in said(preview)
    assert "锁定（下级不能改）" in said(preview)
    assert city.node("bj").own_policy == {}
    answer = desk.post("/net/bj/policy/save", free_minutes="90", locks="free_minutes", shown=shown(preview))
    assert "已保存，6 个驿站几分钟内按新的规则走。" in said(answer)
    assert "本级改为 90" in said(answer)
    assert "单位的规则改了：北京市；开始前多久可自由取消（分钟）；锁定或解锁了" in desk.words("/net/bj/history")
    apply(session)
    assert policy.read(city.station("yuetan").policy).free_minutes == 90


def test_the_preview_sends_again_what_was_typed(desk: OrganiserDesk) -> None:
    preview = desk.post("/net/bj/policy", opens_at="9点半", city_week_seats="３", locks=["opens_at", "grace_minutes"])
    for sent in (
        'name="opens_at" value="09:30"',
        'name="city_week_seats" value="3"',
        'name="locks" value="opens_at"',
        'name="locks" value="grace_minutes"',
    ):
        assert sent in preview.text
    assert 'name="free_minutes"' not in preview.text


def test_a_preview_of_nothing_has_nothing_to_confirm(desk: OrganiserDesk) -> None:
    assert "什么都没有变" in said(desk.post("/net/bj/policy"))


def test_a_number_of_its_own_that_is_the_same_as_above_is_set_and_given_back(
    desk: OrganiserDesk, city: CityTree
) -> None:
    preview = desk.post("/net/bj/policy", free_minutes="60")
    assert "0 个驿站、0 场会变" in said(preview)
    desk.post("/net/bj/policy/save", free_minutes="60", shown=shown(preview))
    assert city.node("bj").own_policy == {"free_minutes": 60}
    preview = desk.post("/net/bj/policy", free_minutes="60", inherit="free_minutes")
    assert "60 沿用默认 60" in said(preview)
    desk.post("/net/bj/policy/save", shown=shown(preview))
    assert city.node("bj").own_policy == {}


def test_what_is_confirmed_twice_is_saved_once(desk: OrganiserDesk, session: Session) -> None:
    fingerprint = shown(desk.post("/net/bj/policy", free_minutes="90"))
    for _tap in range(2):
        answer = desk.post("/net/bj/policy/save", free_minutes="90", shown=fingerprint)
        assert (answer.status_code, "已保存" in said(answer)) == (200, True)
    assert len(session.scalars(select(Event).where(Event.kind == "node_policy")).all()) == 1


def test_what_has_changed_since_the_preview_is_shown_again(desk: OrganiserDesk, city: CityTree) -> None:
    answer = desk.post("/net/bj/policy/save", free_minutes="90", shown="something else")
    assert answer.status_code == 409
    assert "这期间有变化" in said(answer)
    assert city.node("bj").own_policy == {}
    assert desk.post("/net/bj/policy/save", free_minutes="90", shown=shown(answer), follow=False).status_code == 303


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"grace_minutes": "0"}, "请填 1 到 60 之间的数。"),
        ({"grace_minutes": "0", "locks": "grace_minutes"}, "请填 1 到 60 之间的数。"),
        ({"city_week_seats": "51"}, "请填 0 到 50 之间的数。"),
        ({"seats_a_day": "很多"}, "请填一个整数，比如 15。"),
        ({"opens_at": "25:00"}, "请填一个时间，比如 12:10。"),
        ({"locks": "colour"}, "请从列表里选一项。"),
    ],
)
def test_wrong_numbers_are_refused_at_their_field(desk: OrganiserDesk, typed: dict[str, str], sentence: str) -> None:
    for path in ("policy", "policy/save"):
        answer = desk.post(f"/net/bj/{path}", free_minutes="77", **typed)
        assert answer.status_code == 422
        assert sentence in said(answer)
        assert 'value="77"' in answer.text


def test_only_a_city_shows_and_takes_the_limits_of_a_city(desk: OrganiserDesk, city: CityTree) -> None:
    assert "全市的上限" in desk.words("/net/bj/policy")
    assert "全市的上限" not in desk.words("/net/chaoyang/policy")
    answer = desk.post("/net/chaoyang/policy", city_week_seats="3")
    assert answer.status_code == 422
    assert "全市的上限只能在市一级定。" in said(answer)


def test_what_is_locked_above_is_no_field_of_a_district(desk: OrganiserDesk, city: CityTree) -> None:
    save(desk, "bj", free_minutes="90", locks="free_minutes")
    page = desk.get("/net/chaoyang/policy")
    assert "由北京市锁定" in said(page)
    assert (
        "disabled"
        in page.text.partition('name="free_minutes"')[0].rpartition("<input")[2]
        + page.text.partition('name="free_minutes"')[2].partition(">")[0]
    )
    answer = desk.post("/net/chaoyang/policy", free_minutes="30")
    assert answer.status_code == 422
    assert "由北京市锁定，这里不能改。" in said(answer)
    assert desk.post("/net/chaoyang/policy", grace_minutes="10").status_code == 200


def test_a_station_sees_what_it_inherits_changes_it_and_goes_back(
    desk: OrganiserDesk, manager: OrganiserDesk, city: CityTree, session: Session
) -> None:
    save(desk, "chaoyang", free_minutes="90")
    apply(session)
    assert "沿用朝阳区 90" in manager.words("/manage/guomao/policy")
    assert "本站改为 30" in said(manager.post("/manage/guomao/policy", free_minutes="30"))
    assert city.station("guomao").own_policy == {"free_minutes": 30}
    answer = manager.post("/manage/guomao/policy", free_minutes="30", grace_minutes="10", inherit="free_minutes")
    assert "沿用朝阳区 90" in said(answer)
    assert city.station("guomao").own_policy == {"grace_minutes": 10}
    assert policy.read(city.station("guomao").policy) == policy.Policy(free_minutes=90, grace_minutes=10)
    manager.post("/manage/guomao/policy")
    assert city.station("guomao").own_policy == {}


def test_a_number_that_equals_the_inherited_one_is_kept_as_its_own(
    desk: OrganiserDesk, manager: OrganiserDesk, city: CityTree, session: Session
) -> None:
    manager.post("/manage/guomao/policy", free_minutes="60")
    save(desk, "bj", free_minutes="90")
    apply(session)
    assert policy.read(city.station("guomao").policy).free_minutes == 60


def test_locks_hold_against_a_stations_form_and_direct_posts(
    desk: OrganiserDesk, manager: OrganiserDesk, city: CityTree, session: Session
) -> None:
    save(desk, "chaoyang", seats_a_day="2", locks="seats_a_day")
    apply(session)
    page = manager.get("/manage/guomao/policy")
    assert "由朝阳区锁定" in said(page)
    answer = manager.post("/manage/guomao/policy", seats_a_day="3", grace_minutes="10")
    assert answer.status_code == 422
    assert "由朝阳区锁定，这里不能改。" in said(answer)
    assert 'value="10"' in answer.text
    assert city.station("guomao").own_policy == {}
    manager.post("/manage/guomao/policy", grace_minutes="10", city_week_seats="9")
    assert city.station("guomao").own_policy == {"grace_minutes": 10}


def test_a_plan_is_told_at_its_field_that_its_opening_is_locked(
    desk: OrganiserDesk, manager: OrganiserDesk, city: CityTree, session: Session
) -> None:
    save(desk, "bj", locks="opens_at")
    guomao = city.stations["guomao"]
    zone = Zone(station_id=guomao, name="健身区", capacity=20)
    slots.save_zone(session, zone, NOW)
    activity = Activity(station_id=guomao, kind="fitness", title="八段锦")
    slots.save_activity(session, activity, NOW)
    places = {"zone_id": zone.id, "activity_id": activity.id}
    session.rollback()
    weekly = {"weekdays": "1", "starts": "12:10", "minutes": "50", "capacity": "15", "valid_from": "2026-11-24"}
    answer = manager.post(
        "/manage/guomao/plans/new", **places, **weekly, opens_clock="09:00", opens_workdays_before="2"
    )
    assert answer.status_code == 422
    field = answer.text.partition('name="opens_clock"')[2].partition("</div>")[0]
    assert "由北京市锁定，这里不能改" in field
    assert 'value="09:00"' in answer.text


def test_a_station_outside_a_network_sees_the_form_as_it_was(app: Flask, city: CityTree, session: Session) -> None:
    session.add(Station(code="alone", name="独立驿站"))
    session.commit()
    admin = OrganiserDesk(app, city, "何主任")
    page = admin.get("/manage/alone/policy")
    assert 'name="free_minutes"' in page.text
    for word in ("沿用", "锁定", "全市", "placeholder"):
        assert word not in page.text.partition("<main")[2]
    answer = admin.post("/manage/alone/policy", free_minutes="30")
    assert answer.status_code == 422
    alone = session.scalars(select(Station).where(Station.code == "alone")).one()
    assert (alone.policy, alone.own_policy) == ({}, None)
