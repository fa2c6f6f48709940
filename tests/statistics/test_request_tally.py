"""Requests of a node: what a city adds up, by the stations' days, without a word of them."""

import re
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from booking import services, statistics
from booking.db import transactions
from booking.model import ServiceRequest, Station
from booking.queries import service_requests
from booking.statistics import NodeChoice, NodePart, RequestTally, Span
from tests.support.lunch_hour import at, make_manager, make_people
from tests.support.snapshots import seed_workdays
from tests.support.statements import heard
from tests.support.tree_cast import CityTree, city_tree

MONDAY = date(2026, 11, 23)
WEEK = Span(MONDAY, MONDAY + timedelta(6))
NOW = at("Fri 12:00")


@pytest.fixture
def city(session: Session) -> CityTree:
    with transactions.transaction(session):
        seed_workdays(session)
    return city_tree(session)


@pytest.fixture
def staff(city: CityTree) -> int:
    with transactions.transaction(city.session) as session:
        return make_manager(session, city.stations["guomao"], "国贸经理")


def ask(city: CityTree, code: str, when: datetime, answered: datetime | None = None, staff: int = 0) -> ServiceRequest:
    with transactions.transaction(city.session) as session:
        who = make_people(session, [f"{code} {when}"])[f"{code} {when}"]
    sent = services.send_request(city.session, city.stations[code], who, "room", "开个窗", when)
    if answered:
        services.solve(city.session, sent.id, "开了", answered, staff)
    return sent


def look(city: CityTree, code: str) -> NodePart:
    choice = NodeChoice(WEEK, WEEK.before)
    return statistics.node_numbers(city.session, city.node(code), choice, NOW).whole


def test_a_city_adds_up_what_its_stations_were_asked(city: CityTree, staff: int) -> None:
    ask(city, "guomao", at("Mon 09:00"), at("Tue 23:59"), staff)  # on the last day
    ask(city, "guomao", at("Mon 10:00"), at("Wed 00:00"), staff)  # a moment late
    ask(city, "guanghua", at("Mon 11:00"))  # due on Tuesday: overdue
    ask(city, "yuetan", at("Thu 11:00"))  # due today
    services.withdraw(city.session, ask(city, "yuetan", at("Thu 12:00")).id, at("Thu 13:00"))
    ask(city, "wangjing", at("Mon 00:00") - timedelta(minutes=1))  # the week before, and overdue now
    assert look(city, "cbd-centre").requests == RequestTally(3, 2, 3, 1, 1)
    assert look(city, "xicheng").requests == RequestTally(1, 0, 0, 0, 0)
    whole = look(city, "bj")
    assert whole.requests == RequestTally(4, 2, 3, 1, 2)
    assert whole.requests_before == RequestTally(1, 0, 1, 0, 0)
    assert whole.requests.response_rate == 1 / 3


def test_a_station_counts_the_same_on_its_own_page(city: CityTree, staff: int) -> None:
    for when, answered in (("Mon 09:00", "Tue 10:00"), ("Mon 10:00", "Wed 10:00"), ("Tue 09:00", None)):
        ask(city, "guomao", at(when), at(answered) if answered else None, staff)
    station = city.station("guomao")
    there = service_requests.totals(
        service_requests.between(city.session, station, WEEK.first, WEEK.last), station, NOW
    )
    here = look(city, "cbd-centre").requests
    assert (here.collected, here.ended, here.answer_due, here.answered_in_time) == (
        there.collected,
        there.ended,
        there.answer_due,
        there.answered_in_time,
    )


def test_the_days_are_those_of_each_station(city: CityTree) -> None:
    with transactions.transaction(city.session) as session:
        session.get_one(Station, city.stations["guanghua"]).zone_name = "Asia/Tokyo"
    late_on_sunday = at("Mon 00:00") - timedelta(minutes=30)  # Monday in Tokyo
    for code in ("guomao", "guanghua"):
        ask(city, code, late_on_sunday)
    found = look(city, "cbd-centre")
    assert (found.requests.collected, found.requests_before.collected) == (1, 1)


def test_it_is_one_statement_and_reads_no_text(city: CityTree) -> None:
    with heard(city.session.get_bind()) as sent:  # type: ignore[arg-type]
        look(city, "bj")
    (one,) = [statement.text for statement in sent if "service_request" in statement.text]
    assert ".text" not in one
    assert ".answer," not in one


YEARS = """INSERT INTO service_request (station_id, person_id, kind, text, state, created_at, answer_due_on, due_on, answer,
    passed_to, their_no, ended_at) SELECT s.id, :who, 'room', 'x', 'solved', :now - n * interval '3 hours', CURRENT_DATE,
    CURRENT_DATE, '', '', '', now() FROM station s, generate_series(1, 4000) n"""


@pytest.mark.postgresql
def test_of_years_of_requests_only_those_days_are_read(city: CityTree, staff: int) -> None:
    with transactions.transaction(city.session) as session:
        session.execute(text(YEARS), {"who": staff, "now": NOW})
    city.session.connection().execute(text("ANALYZE"))
    with heard(city.session.get_bind()) as sent:  # type: ignore[arg-type]
        look(city, "bj")
    (one,) = [statement for statement in sent if "service_request" in statement.text]
    driver = city.session.connection().connection.driver_connection
    assert driver
    values = ", ".join(["NULL"] * len(set(re.findall(r"\$[0-9]+", one.text))))
    driver.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    driver.execute(f"PREPARE counted AS {one.text}".encode())
    plan = str(driver.execute(f"EXPLAIN EXECUTE counted ({values})".encode()).fetchall())
    driver.execute(b"DEALLOCATE counted")
    assert "Seq Scan on service_request" not in plan
    assert "ix_service_request_station_id_created_at" in plan
