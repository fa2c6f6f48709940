"""Scanner: what a scanned ticket does, what is said of each, and which page may use the camera."""

from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Booking
from tests.support.desk_cast import Desk, said
from tests.support.lunch_hour import LunchHour

pytestmark = pytest.mark.sqlite
NONCES = count(10_000_000)


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 and 李静 have seats of the slot at 12:10, 王磊 waits; 陈晨 has a seat of another at 12:20."""
    lunch = LunchHour(session)
    for who in ("周明", "李静", "王磊"):
        lunch.book(who, "Mon 10:00")
    lunch.other = lunch.slot("12:20", 5)  # type: ignore[attr-defined]
    lunch.book("陈晨", "Mon 10:00", lunch.other)  # type: ignore[attr-defined]
    return lunch


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def scan(desk: Desk, who: str, clock: str, act: str = "in", slot_id: int | None = None, **more: Any) -> dict[str, Any]:
    """One scan of that person's ticket. `age` is in seconds."""
    ticket = more.pop("ticket", None) or desk.lunch.latest(who, slot_id).ticket
    age = int(more.pop("age", 0) * 1000)
    nonce = more.pop("nonce", str(next(NONCES)))
    answer = desk.post("taps", clock, ticket=ticket, act=act, age=age, nonce=nonce, **more)
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json or {}
    return told | told["reply"]


def test_a_ticket_checks_in_and_its_scan_can_be_undone(desk: Desk, lunch: LunchHour) -> None:
    told = scan(desk, "周明", "12:00")
    assert [told[name] for name in ("tone", "code", "name", "words")] == ["good", "in", "周明", ""]
    assert told["slot"].startswith("12:10–13:00")
    assert lunch.state("周明") == "attended"
    assert lunch.lines("checked_in")[0].actor_id == lunch.manager_id
    undone = desk.post("taps", "12:01", booking=told["booking"], act="out", age=0, nonce=str(next(NONCES)))
    assert undone.json == {"outcome": "out", "words": ""}
    assert lunch.state("周明") == "booked"


def test_a_second_scan_says_already_but_the_same_one_sent_again_does_not(desk: Desk, lunch: LunchHour) -> None:
    assert scan(desk, "周明", "12:00", nonce="0123456789")["code"] == "in"
    assert scan(desk, "周明", "12:00:05", nonce="0123456789", age=5)["code"] == "in"
    told = scan(desk, "周明", "12:01")
    assert (told["code"], told["tone"], told["text"]) == ("already_in", "good", "12:00 签到的。")
    assert lunch.state("周明") == "attended"
    assert len(lunch.lines("checked_in")) == 1


@pytest.mark.parametrize(
    ("who", "clock", "code", "tone", "sentence"),
    [
        ("周明", "11:54", "too_early", "wait", "来早了"),
        ("周明", "Mon 12:00", "wrong_day", "no", "不是今天的票"),
        ("周明", "13:00", "over", "no", "这一场已经结束"),
        ("王磊", "12:00", "waiting", "wait", "在候补，还没有名额"),
    ],
)
def test_a_ticket_that_checks_nobody_in(
    desk: Desk, lunch: LunchHour, who: str, clock: str, code: str, tone: str, sentence: str
) -> None:
    before = lunch.state(who)
    told = scan(desk, who, clock)
    assert (told["code"], told["tone"], told["title"]) == (code, tone, sentence)
    assert told["words"].startswith(f"{who}：{sentence}")
    assert lunch.state(who) == before


def test_a_ticket_that_nobody_has(desk: Desk, lunch: LunchHour) -> None:
    for ticket in ("made-up-ticket", "0" * 22):
        told = scan(desk, "", "12:00", ticket=ticket)
        assert (told["code"], told["title"]) == ("unknown", "没有这张票")
    assert desk.post("taps", "12:00", ticket="<b>", act="in", age=0, nonce="0123456789").status_code == 422


def test_the_ticket_of_a_cancelled_slot_says_so(desk: Desk, lunch: LunchHour) -> None:
    lunch.cancel("11:58")
    assert (scan(desk, "周明", "12:00")["code"], lunch.state("周明")) == ("cancelled", "cancelled")


def test_at_the_door_of_one_slot_a_ticket_for_another_is_asked_about(desk: Desk, lunch: LunchHour) -> None:
    other: int = lunch.other  # type: ignore[attr-defined]
    told = scan(desk, "陈晨", "12:06", slot_id=other, slot=lunch.slot_id)
    assert (told["code"], told["act"], lunch.state("陈晨", other)) == ("other_slot", "check_in", "booked")
    assert scan(desk, "陈晨", "12:06", slot_id=other)["code"] == "in"
    assert lunch.state("陈晨", other) == "attended"


def test_what_a_reply_offers_is_done_only_while_the_person_stands_there(desk: Desk, lunch: LunchHour) -> None:
    assert scan(desk, "王磊", "12:00")["act"] == "stand_by"
    assert scan(desk, "王磊", "12:02", act="admit", age=61)["code"] == "too_late"
    assert scan(desk, "王磊", "12:02", act="admit")["code"] == "standby"
    lunch.check_in("周明", "12:05")
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert lunch.states("李静", "王磊") == ["released", "attended"]
    told = scan(desk, "李静", "12:16")
    assert (told["code"], told["act"], told["tone"]) == ("no_seat", "stand_by", "no")


def test_a_ticket_scanned_without_network_counts_from_when_it_was_scanned(desk: Desk, lunch: LunchHour) -> None:
    lunch.check_in("周明", "12:05")
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert lunch.state("李静") == "released"
    told = scan(desk, "李静", "12:20", age=15 * 60)
    assert (told["code"], told["title"]) == ("seated", "签到了")
    assert lunch.state("李静") == "attended"
    assert lunch.strikes("李静") == []
    assert "重新入座" in told["words"]


def test_names_are_told_as_the_roster_tells_them(desk: Desk, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        namesake = session.get_one(Booking, lunch.latest("李静").id).person
        namesake.name = "周明"
    told = scan(desk, "周明", "12:00")
    assert told["name"].startswith("周明 ")
    assert told["name"] in said(desk.get(f"slots/{lunch.slot_id}", "12:01"))


def test_only_the_scanner_may_ask_for_the_camera(desk: Desk, lunch: LunchHour) -> None:
    camera = {
        path: desk.get(path, "12:00").headers["Permissions-Policy"].split(",")[0]
        for path in ("scan", f"scan?slot={lunch.slot_id}", "", "door", f"slots/{lunch.slot_id}", "people")
    }
    assert [path for path, policy in camera.items() if policy == "camera=(self)"] == list(camera)[:2]
    assert set(camera.values()) == {"camera=(self)", "camera=()"}
    policies = {desk.get(path, "12:00").headers["Content-Security-Policy"] for path in ("scan", "door")}
    assert len(policies) == 1
    assert "blob:" not in policies.pop()


def test_the_scanner_alone_loads_the_decoder_and_the_roster_too_keeps_the_screen_on(
    desk: Desk, lunch: LunchHour
) -> None:
    page = desk.get("scan", "12:00").text
    assert 'data-src="/static/vendor/jsQR.js?v=' in page
    assert '<script defer src="/static/vendor/jsQR' not in page
    roster = desk.get(f"slots/{lunch.slot_id}", "12:00").text
    assert "jsQR" not in roster
    assert all("/static/js/wake-lock.js" in text for text in (page, roster))


def test_a_slot_open_for_check_in_has_a_way_to_the_scanner(desk: Desk, lunch: LunchHour) -> None:
    roster, scanner = f"slots/{lunch.slot_id}", 'href="/manage/cbd/scan'
    assert scanner not in desk.get("", "11:50").text + desk.get(roster, "11:50").text
    assert f'{scanner}"' in desk.get("", "12:00").text
    assert f'{scanner}?slot={lunch.slot_id}"' in desk.get(roster, "12:00").text
    words = said(desk.get("scan", "12:00"))
    assert "12:10–13:00" in words
    assert "扫票要打开 JavaScript" in words
    assert f'href="/manage/cbd/{roster}"' in desk.get("scan", "12:00").text
