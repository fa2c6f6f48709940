"""Name order: lists of people by pinyin, on screen, on paper and in the sheet."""

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Person, Slot
from booking.queries.name_order import by_name
from tests.support.desk_cast import Desk
from tests.support.lunch_hour import LunchHour

IN_ORDER = [
    *(
        "42号",
        "阿卜杜拉·买买提",
        "Anna Li",
        "卜世仁",
        "陈晨",
        "Emil Young",
        "Émile Zola",
        "葛优",
        "李静",
        "李雷",
        "刘洋",
    ),
    *(
        "缪可",
        "万俟卨",
        "区小明",
        "朴志勋",
        "仇英",
        "任盈盈",
        "单雄信",
        "孙悦",
        "汪洋",
        "王磊",
        "王伟",
        "吴桐",
        "解晓东",
    ),
    *("尉迟恭", "乐嘉", "曾志伟", "查良镛", "翟天临", "赵敏", "周明", ""),
]


def test_names_are_in_the_order_of_their_pinyin() -> None:
    assert by_name(reversed(IN_ORDER), str) == IN_ORDER


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("安宁", "白杨"),
        ("曾志伟", "赵敏"),
        ("岑参", "曾志伟"),
        ("孙悦", "王磊"),
        ("单雄信", "沈从文"),
        ("潘安", "仇英"),
        ("夏雨", "解晓东"),
        ("岳飞", "查良镛"),
        ("彭湃", "朴志勋"),
        ("尤勇", "尉迟恭"),
        ("汪洋", "王安"),
        ("王安", "王磊"),
        ("王磊", "王\U00031350"),
        ("潘安", "單雄信"),
        ("岑参", "萬俟卨"),
        ("江山", "阚泽"),
        ("Ｅｍｉｌｙ", "Emma"),
        ("Émile", "Emily"),
        ("anna", "Bob"),
        ("Wang Lei", "王磊"),
        ("Zoe", ""),
    ],
)
def test_one_name_stands_before_the_other(earlier: str, later: str) -> None:
    assert by_name([later, earlier], str) == [earlier, later]


NAMES = {"周明": "曾黎", "李静": "王磊", "王磊": "Anna Li", "陈晨": "单雄信"}
SORTED = ["Anna Li", "单雄信", "王磊", "曾黎"]


@pytest.fixture
def desk(app: Flask, session: Session) -> Desk:
    """Four seats, whose people are called otherwise now."""
    lunch = LunchHour(session, capacity=4)
    for name in NAMES:
        lunch.book(name, "Mon 10:00")
    with transactions.transaction(session):
        for name, called in NAMES.items():
            session.get_one(Person, lunch.people[name]).name = called
    return Desk(app, lunch)


def order(text: str) -> list[str]:
    return [name for name in re.findall("|".join(SORTED), text) if name]


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
def test_every_list_of_people_has_this_order(desk: Desk, language: str) -> None:
    with transactions.transaction(desk.lunch.session) as session:
        session.get_one(Person, desk.lunch.manager_id).language = language
    slot = f"slots/{desk.lunch.slot_id}"
    lists = [slot, f"{slot}/print", f"{slot}/cancel", f"{slot}/move", "people", f"{slot}/export?form=csv"]
    lists += ["bookings/export?form=csv&from=2026-11-23&until=2026-11-27"]
    day = desk.post("calendar", "Mon 11:00", date="2026-11-24", says="rests")
    assert order(day.text) == SORTED
    for path in lists:
        assert order(desk.get(path, "12:00").data.decode("utf-8-sig")) == SORTED, path
    for name in NAMES:
        desk.lunch.give_up(name, "12:05")
    assert order(desk.get(slot, "12:06").text) == SORTED


def test_the_door_finds_the_first_of_many_in_this_order(desk: Desk) -> None:
    lunch = desk.lunch
    with transactions.transaction(lunch.session) as session:
        session.get_one(Slot, lunch.slot_id).capacity = 8
        for n, name in enumerate(reversed(lunch.people)):
            session.get_one(Person, lunch.people[name]).name = f"王{'安博昌东峰刚海杰'[7 - n]}"
    found = desk.get(f"slots/{lunch.slot_id}?q=王", "12:00").text.partition('role="search"')[2]
    assert re.findall("王[安博昌东峰刚海杰]", found) == ["王安", "王博", "王昌", "王东"]
