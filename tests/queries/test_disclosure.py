"""Disclosure: what a station's staff may read of somebody, in every place that names people."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Event, Person, Slot
from booking.queries import disclosure
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour
from tests.support.worker_cast import Phone
from tests.web.kiosk.test_kiosk import code

PHONE, COMPANY, ADDRESS = "13912345678", "某某律所", "stranger@example.com"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Three seats at 12:10, one of them 周明's. 吴桐 has an account and was never at the station."""
    lunch = LunchHour(session, capacity=3)
    lunch.book("周明", "Mon 10:00")
    with transactions.transaction(session):
        stranger = session.get_one(Person, lunch.people["吴桐"])
        stranger.email, stranger.phone, stranger.company = ADDRESS, PHONE, COMPANY
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def pages(lunch: LunchHour) -> list[str]:
    """Every page and file of the station that names people."""
    slot, person = f"slots/{lunch.slot_id}", lunch.people["吴桐"]
    found = [
        slot,
        f"{slot}?q=吴",
        f"{slot}?q=wutong",
        f"{slot}/print",
        f"{slot}/cancel",
        f"{slot}/move",
        f"{slot}/forgive",
    ]
    found += [f"{slot}/export?form=csv", "bookings/export?form=csv&from=2026-11-23&until=2026-11-27"]
    found += ["people", "people?q=吴", "people?q=wt", f"people/{person}", "calendar?date=2026-11-24", "running"]
    return [*found, "history", f"history?slot={lunch.slot_id}", f"history?person={person}", "history?day=2026-11-24"]


def leaks(desk: Desk, lunch: LunchHour, clock: str, *words: str) -> list[tuple[str, str]]:
    shown = {path: desk.get(path, clock).text for path in pages(lunch)}
    return [(path, word) for path, text in shown.items() for word in words if word in text]


def let_in(desk: Desk, lunch: LunchHour, clock: str, act: str = "walk-in") -> int:
    form = {"person_id": lunch.people["吴桐"], "q": ADDRESS}
    return desk.tap(f"slots/{lunch.slot_id}/{act}", clock, **form).status_code


def test_a_stranger_let_in_and_out_again_leaves_nothing_to_read(desk: Desk, lunch: LunchHour) -> None:
    person = lunch.people["吴桐"]
    found = desk.get(f"slots/{lunch.slot_id}?q={ADDRESS}", "12:10").text
    assert ("吴*" in found, "吴桐" in found, COMPANY in found, "139" in found) == (True, False, False, False)
    assert let_in(desk, lunch, "12:11") == 200
    assert leaks(desk, lunch, "12:12", COMPANY, "139****", "5678") == []
    assert desk.post(f"people/{person}/phone", "12:12").status_code == 404
    desk.tap(f"bookings/{lunch.latest('吴桐').id}/undo", "12:13")
    assert lunch.state("吴桐") == "cancelled"
    for clock in ("12:14", "14:00"):
        assert leaks(desk, lunch, clock, "吴桐", COMPANY, "139****", "5678", ADDRESS) == []
    assert desk.get(f"people/{person}", "12:14").status_code == 404
    assert desk.post(f"people/{person}/phone", "12:14").status_code == 404
    assert desk.get(f"history?person={person}", "12:14").status_code == 404
    assert lunch.session.scalars(select(Event).where(Event.kind == "phone_shown")).all() == []


def test_who_was_taken_out_by_mistake_can_be_let_in_again_from_the_roster(desk: Desk, lunch: LunchHour) -> None:
    let_in(desk, lunch, "12:11")
    desk.tap(f"bookings/{lunch.latest('吴桐').id}/undo", "12:12")
    path = f"slots/{lunch.slot_id}/walk-in"
    assert desk.tap(path, "12:13", person_id=lunch.people["吴桐"]).status_code == 200
    assert lunch.state("吴桐") == "attended"


def test_a_standby_of_the_managers_making_is_no_visit(desk: Desk, lunch: LunchHour) -> None:
    for name in ("李静", "王磊"):
        lunch.book(name, "Mon 10:01")
    assert let_in(desk, lunch, "12:00", "stand-by") == 200
    waiting = lunch.lines("waiting")[-1]
    assert (waiting.person_id, waiting.actor_id) == (lunch.people["吴桐"], lunch.manager_id)
    assert "吴桐" in desk.words(f"slots/{lunch.slot_id}", "12:01")  # at the door just now
    assert leaks(desk, lunch, "12:01", COMPANY, "5678") == []
    for name in ("周明", "李静", "王磊"):
        lunch.check_in(name, "12:02")
    lunch.tick("13:00")
    assert lunch.state("吴桐") == "expired"
    assert leaks(desk, lunch, "13:10", "吴桐", COMPANY, "5678") == []
    assert desk.post(f"people/{lunch.people['吴桐']}/phone", "13:10").status_code == 404


def test_a_walk_in_is_known_by_name_and_the_phone_is_theirs_to_give(desk: Desk, lunch: LunchHour) -> None:
    let_in(desk, lunch, "12:11")
    person = lunch.people["吴桐"]
    assert "吴桐" in desk.words("people?q=wutong", "14:00")
    page = desk.get(f"people/{person}", "14:00").text
    assert "本人没有给" in page
    assert f"people/{person}/phone" not in page
    assert desk.post(f"people/{person}/phone", "14:00").status_code == 404
    lunch.book("吴桐", "Wed 10:00", lunch.slot("Thu 12:10"))
    assert PHONE in desk.post(f"people/{person}/phone", "Wed 11:00").text


def by_press(app: Flask, lunch: LunchHour) -> None:
    lunch.book("吴桐", "Mon 10:00")


def by_waiting(app: Flask, lunch: LunchHour) -> None:
    for name in ("李静", "王磊", "吴桐"):
        lunch.book(name, "Mon 10:01")


def by_giving_up(app: Flask, lunch: LunchHour) -> None:
    lunch.book("吴桐", "Mon 10:00")
    lunch.give_up("吴桐", "Mon 11:00")


def by_a_scan(app: Flask, lunch: LunchHour) -> None:
    for name in ("李静", "王磊"):
        lunch.book(name, "Mon 10:01")
    form = {"code": code(lunch, "12:00"), "slot": str(lunch.slot_id)}
    Phone(app, lunch, "吴桐").post("/door/cbd/in", "12:00", data=form)


@pytest.mark.parametrize("act", [by_press, by_waiting, by_giving_up, by_a_scan])
def test_an_act_of_ones_own_lets_the_station_call(
    app: Flask, desk: Desk, lunch: LunchHour, act: Callable[[Flask, LunchHour], None]
) -> None:
    act(app, lunch)
    assert PHONE in desk.post(f"people/{lunch.people['吴桐']}/phone", "12:05").text


def test_outside_the_door_hours_nobody_is_found(desk: Desk, lunch: LunchHour) -> None:
    """So that an address tells nobody whether there is an account."""
    path, form = f"slots/{lunch.slot_id}", {"person_id": lunch.people["吴桐"], "q": ADDRESS}
    for clock in ("11:54", "13:00"):
        page = desk.get(f"{path}?q={ADDRESS}", clock).text
        assert "吴*" not in page
        assert [desk.tap(f"{path}/{act}", clock, **form).status_code for act in ("walk-in", "stand-by")] == [404, 404]
    for part in ("stranger", "stranger@", "@example.com", "tranger@example.com", "%@example.com"):
        assert "吴*" not in desk.get(f"{path}?q={part}", "12:10").text


# Two of one name


@pytest.fixture
def namesakes(session: Session, lunch: LunchHour) -> LunchHour:
    """李静, 王磊 and 陈晨 are all called 王伟 now: two have phones, one has an address only."""
    with transactions.transaction(session):
        for name, phone in (("李静", "13800001111"), ("王磊", "13800002222"), ("陈晨", "")):
            person = session.get_one(Person, lunch.people[name])
            person.name, person.phone, person.email = "王伟", phone, f"weiwang{lunch.people[name]}@example.com"
        session.get_one(Slot, lunch.slot_id).capacity = 4
    for name in ("李静", "王磊", "陈晨"):
        lunch.book(name, "Mon 10:01")
    return lunch


def test_two_of_one_name_are_told_apart_wherever_they_are_named(desk: Desk, namesakes: LunchHour) -> None:
    slot = f"slots/{namesakes.slot_id}"
    address = f"w***{namesakes.people['陈晨']}@example.com"
    for path in (slot, f"{slot}/print", f"{slot}/cancel", f"{slot}/move", f"{slot}?q=ww", "people"):
        words = desk.words(path, "12:00")
        for hint in ("1111", "2222", address):
            assert f"王伟 {hint}" in words, path
        assert not re.search("周明 [0-9]{4}", words), path
    for path in (f"{slot}/export?form=csv", "bookings/export?form=csv&from=2026-11-23&until=2026-11-27"):
        sheet = desk.get(path, "12:00").data.decode("utf-8-sig")
        assert all(f"王伟 {hint}," in sheet for hint in ("1111", "2222", address)), path
    told = said(desk.post(f"{slot}/capacity", "12:05", capacity="3", move_newest="y"))
    assert f"王伟 {address} 移到候补最前面" in told


def test_two_guests_of_one_name_by_when_they_came(desk: Desk, lunch: LunchHour) -> None:
    for clock in ("12:11", "12:12"):
        desk.tap(f"slots/{lunch.slot_id}/walk-in", clock, name="访客")
    words = desk.words(f"slots/{lunch.slot_id}", "12:15")
    assert ("访客 11-24 12:11" in words, "访客 11-24 12:12" in words) == (True, True)


def test_hints_that_are_alike_get_a_number(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        people = [session.get_one(Person, lunch.people[name]) for name in ("李静", "王磊", "周明")]
        for person, name in zip(people, ("王伟", "王 伟", "周明"), strict=True):
            person.name, person.phone = name, "13800001111"
        lunch.session.flush()
    for name in ("李静", "王磊"):
        lunch.book(name, "Mon 10:01")
    station = lunch.now().station
    about = disclosure.to_staff(lunch.session, station, people)
    assert [about.hint(person) for person in people] == [f"1111 #{people[0].id}", f"1111 #{people[1].id}", ""]


@pytest.mark.parametrize(
    ("address", "shown"),
    [("wangwei@example.com", "w***i@example.com"), ("wei@qq.com", "w***@qq.com"), ("w@qq.com", "w***@qq.com")],
)
def test_an_address_is_shown_without_its_middle(address: str, shown: str) -> None:
    assert disclosure.mask_email(address) == shown


def test_a_stranger_never_tells_a_namesake_by_phone(desk: Desk, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.people["周明"]).name = "吴桐"
    let_in(desk, lunch, "12:11")
    words = desk.words(f"slots/{lunch.slot_id}", "12:12")
    assert "吴桐 s***r@example.com" in words
    assert "5678" not in words
