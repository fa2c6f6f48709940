"""Node numbers: what a district adds up, who stands first, and what is wrong somewhere below."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from booking import statistics
from booking.db import transactions
from booking.model import Node, ServiceRequest, Station, StationDayTotals
from booking.statistics import NodeChoice, NodeNumbers, NodeTally, Span
from booking.statistics.request_tally import NO_REQUESTS
from tests.support.lunch_hour import at, make_manager, make_people
from tests.support.statements import heard
from tests.support.tree_cast import CityTree, city_tree

NOW = at("Tue 12:20")
MONDAY = date(2026, 11, 23)
WEEK = Span(MONDAY, MONDAY + timedelta(6))
BEFORE = Span(MONDAY - timedelta(7), MONDAY - timedelta(1))
# By station, on Monday: slots, seats, visits, expected, no_shows, walk_ins, late_cancels, turned_away, entries
DAYS = {
    "guomao": NodeTally(4, 60, 54, 56, 6, 4, 1, 12, 0),
    "guanghua": NodeTally(2, 30, 15, 18, 3, 0, 0, 0, 0),
    "wangjing": NodeTally(1, 20, 19, 20, 1, 0, 2, 5, 8),
    "fuxingmen": NodeTally(1, 0, 0, 0, 0, 0, 0, 0, 0),  # nobody took attendance
}


@pytest.fixture
def tree(session: Session) -> CityTree:
    """Four stations held slots on Monday, and 国贸 also the week before; 酒仙桥 and 月坛 never did. CBD 中心 is 一级."""
    tree = city_tree(session)
    with transactions.transaction(session):
        for code, tally in DAYS.items():
            _add(session, tree.stations[code], MONDAY, tally)
        _add(session, tree.stations["guomao"], BEFORE.last, NodeTally(2, 30, 10, 12, 2))
        for code in ("jiuxianqiao", "yuetan"):
            _add(session, tree.stations[code], MONDAY, NodeTally())
        for code in ("guomao", "guanghua"):
            make_manager(session, tree.stations[code], f"{code} 经理")
        centre = session.get_one(Node, tree.nodes["cbd-centre"])
        centre.grade, centre.category = "一级", "楼宇"
    return tree


def _add(session: Session, station_id: int, day: date, tally: NodeTally) -> None:
    session.add(StationDayTotals(date=day, station_id=station_id, **vars(tally)))


def look(tree: CityTree, code: str, **asked: str) -> NodeNumbers:
    node = tree.node(code)
    return statistics.node_numbers(tree.session, node, NodeChoice(WEEK, BEFORE, **asked), NOW)


def test_each_level_adds_up_what_is_below_it(tree: CityTree) -> None:
    city, chaoyang, centre = (look(tree, code) for code in ("bj", "chaoyang", "cbd-centre"))
    assert {row.code: row.tally for row in centre.rows} == {code: DAYS[code] for code in ("guomao", "guanghua")}
    assert centre.whole.tally == DAYS["guomao"] + DAYS["guanghua"]
    assert {row.code: row.tally.slots for row in chaoyang.rows} == {"cbd-centre": 6, "wangjing-centre": 1}
    assert {row.code: row.tally for row in city.rows}["chaoyang"] == chaoyang.whole.tally
    assert city.whole.tally == sum(DAYS.values(), NodeTally())
    assert (city.whole.before.slots, city.whole.before.visits) == (2, 10)
    assert [len(row.stations) for row in (city.whole, chaoyang.whole, centre.whole)] == [6, 4, 2]


def test_stations_and_requests_add_up_also_where_a_station_was_closed(tree: CityTree) -> None:
    """月坛 was closed last week with a request that nobody answered, 复兴门 without any."""
    with transactions.transaction(tree.session) as session:
        person_id = make_people(session, ["周明"])["周明"]
        for code in ("yuetan", "fuxingmen"):
            session.get_one(Station, tree.stations[code]).closed_at = at("Tue 10:00") - timedelta(days=7)
            days = StationDayTotals.station_id == tree.stations[code]
            session.execute(delete(StationDayTotals).where(days))
        about = {"station_id": tree.stations["yuetan"], "person_id": person_id, "kind": "room", "text": "太冷"}
        session.add(
            ServiceRequest(**about, created_at=at("Mon 09:00"), answer_due_on=MONDAY, due_on=MONDAY, state="received")
        )
    city, xicheng, centre = (look(tree, code) for code in ("bj", "xicheng", "financial-centre"))
    assert [row.code for row in centre.rows] == ["yuetan"]
    assert (centre.whole.requests.collected, centre.whole.requests.overdue) == (1, 1)
    for told in (city, xicheng, centre):
        assert sum((row.requests for row in told.rows), NO_REQUESTS) == told.whole.requests
        assert sum(row.open_stations for row in told.rows) == told.whole.open_stations
    assert {row.code: row.open_stations for row in city.rows}["xicheng"] == xicheng.whole.open_stations == 0


def test_the_shares_are_of_those_whose_attendance_is_known(tree: CityTree) -> None:
    whole = look(tree, "cbd-centre").whole.tally
    assert (whole.fill, whole.no_show_rate) == (69 / 90, 9 / 74)
    assert whole.unmet == 12 / (74 + 4 + 12)
    unknown = look(tree, "financial-centre").whole.tally
    assert (unknown.slots, unknown.fill, unknown.no_show_rate, unknown.unmet) == (1, None, None, None)


SORTS = {
    "": ["jiuxianqiao", "wangjing"],
    "fill": ["wangjing", "jiuxianqiao"],
    "-name": ["wangjing", "jiuxianqiao"],
    "slots": ["jiuxianqiao", "wangjing"],
    "unmet": ["wangjing", "jiuxianqiao"],
    "troubles": ["jiuxianqiao", "wangjing"],
}


@pytest.mark.one_database
@pytest.mark.parametrize("sort", SORTS)
def test_the_worst_come_first(tree: CityTree, sort: str) -> None:
    assert [row.code for row in look(tree, "wangjing-centre", sort=sort).rows] == SORTS[sort]


def test_grade_and_category_leave_centres_out(tree: CityTree) -> None:
    found = look(tree, "bj", grade="一级")
    assert [(row.code, row.tally.slots, len(row.stations)) for row in found.rows] == [("chaoyang", 6, 2)]
    assert (found.grades, found.categories) == (["一级"], ["楼宇"])
    assert found.whole.tally.slots == 6
    assert look(tree, "bj", grade="一级", category="园区").rows == []
    assert [row.code for row in look(tree, "chaoyang", category="楼宇").rows] == ["cbd-centre"]


def test_what_is_wrong_below_is_counted_by_stations(tree: CityTree) -> None:
    whole = look(tree, "bj").whole
    assert (whole.troubles["dormant"], whole.troubles["no_manager"], whole.troubled) == (2, 4, 4)
    assert {row.code: row.troubled for row in look(tree, "chaoyang").rows} == {"cbd-centre": 0, "wangjing-centre": 2}


@pytest.mark.one_database
def test_a_district_takes_as_many_statements_as_a_city(tree: CityTree) -> None:
    sent = []
    for code in ("bj", "chaoyang", "financial-centre"):
        node = tree.node(code)
        with heard(tree.session.get_bind()) as statements:  # type: ignore[arg-type]
            statistics.node_numbers(tree.session, node, NodeChoice(WEEK, BEFORE), NOW)
        sent.append(len([one for one in statements if one.text != "BEGIN"]))
    assert max(sent) == min(sent) <= 13


def test_a_stations_days_are_those_with_slots(tree: CityTree) -> None:
    found = statistics.days_of_station(tree.session, tree.stations["guomao"], Span(BEFORE.first, WEEK.last))
    assert [day for day, _ in found] == [MONDAY, BEFORE.last]
    assert statistics.total_of(found).visits == 64
    assert statistics.days_of_station(tree.session, tree.stations["yuetan"], WEEK) == []
