"""The touched kiosk: a scanner, six digits, or a name for the staff; and nothing of the last person for the next."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.db import transactions
from booking.model import DoorArrival, Event, Station
from booking.queries import ticket_codes
from tests.support.desk_cast import Desk, refusal, said
from tests.support.lunch_hour import LunchHour, at, make_manager
from tests.support.worker_cast import Phone, when

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats for 周明 and 李静; 王磊 waits, 陈晨 has nothing."""
    lunch = LunchHour(session, capacity=2)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    return lunch


class Kiosk:
    """A paired browser at the door of `cbd`."""

    def __init__(self, app: Flask, lunch: LunchHour) -> None:
        desk = Desk(app, lunch)
        desk.post("door/pair", "11:30", follow=False)
        self.client: FlaskClient = desk.client

    def get(self, path: str, clock: str, **options: Any) -> TestResponse:
        with time_machine.travel(when(clock), tick=False):
            return self.client.get(f"/door/cbd{path}", **options)

    def post(self, path: str, clock: str, follow: bool = True, **form: str) -> TestResponse:
        with time_machine.travel(when(clock), tick=False):
            return self.client.post(f"/door/cbd{path}", data=form, follow_redirects=follow)

    def scan(self, typed: str, clock: str, **form: str) -> TestResponse:
        return self.post("/touch", clock, typed=typed, **form)


@pytest.fixture
def kiosk(app: Flask, lunch: LunchHour) -> Kiosk:
    return Kiosk(app, lunch)


def address(lunch: LunchHour, name: str, code: str = "cbd") -> str:
    """What a scanner types of a ticket."""
    return f"http://localhost/manage/{code}/tickets/{lunch.latest(name).ticket}"


def digits(lunch: LunchHour, name: str, clock: str) -> str:
    return ticket_codes.code_of(lunch.latest(name), when(clock))


def outcome(answer: TestResponse) -> str:
    found = re.search(r'<section class="said \w+" role="status" data-said="(\w+)"', answer.text)
    return found[1] if found else refusal(answer)


# The way in


def test_the_screen_leads_to_the_touch_mode_and_only_a_paired_browser_gets_there(
    app: Flask, lunch: LunchHour, kiosk: Kiosk
) -> None:
    assert 'href="/door/cbd/touch"' in kiosk.get("", "12:00").text
    assert kiosk.get("/touch", "12:00").status_code == 200
    stranger = app.test_client()
    for path in ("touch", "touch/name", "touch/said"):
        assert stranger.get(f"/door/cbd/{path}").status_code == 403
    for path in ("touch", "touch/name"):
        assert stranger.post(f"/door/cbd/{path}", data={"typed": address(lunch, "周明")}).status_code == 403
    assert lunch.state("周明") == "booked"


# A ticket


def test_a_scanned_ticket_checks_in_and_the_person_did_it(lunch: LunchHour, kiosk: Kiosk) -> None:
    answer = kiosk.scan(address(lunch, "周明"), "12:00")
    assert (outcome(answer), lunch.state("周明")) == ("in", "attended")
    words = said(answer)
    assert "签到成功" in words
    assert "12:10–13:00" in words
    assert "周明" not in words  # the first character only
    assert "周" in words
    assert [line.actor_id for line in lunch.lines("checked_in")] == [lunch.people["周明"]]


TYPED: dict[str, Callable[[str], str]] = {
    "caps lock": str.swapcase,
    "all capitals": str.upper,
    "all small": str.lower,
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "chinese punctuation": lambda text: (
        text.replace("/", "、").replace(":", "：").replace(".", "。").replace("_", "——")
    ),
    "the ticket alone": lambda text: text.rpartition("/")[2],
    "twice without Enter": lambda text: text + text,
    "after digits": lambda text: f"123{text}",
    "spaces around": lambda text: f"  {text}\t",
}


@pytest.mark.parametrize("how", TYPED)
def test_a_ticket_may_come_as_the_keyboard_types_it(lunch: LunchHour, kiosk: Kiosk, how: str) -> None:
    assert outcome(kiosk.scan(TYPED[how](address(lunch, "周明")), "12:00")) == "in"
    assert lunch.states("周明", "李静") == ["attended", "booked"]


def test_both_kiosks_of_a_door_say_the_same(app: Flask, lunch: LunchHour, kiosk: Kiosk) -> None:
    other = Kiosk(app, lunch)
    assert outcome(kiosk.scan(address(lunch, "周明"), "12:00")) == "in"
    answer = other.scan(address(lunch, "周明"), "12:01")
    assert outcome(answer) == "already"
    assert "12:00 签到的" in said(answer)
    assert lunch.state("周明") == "attended"
    assert len(lunch.lines("checked_in")) == 1


def test_who_waits_is_on_standby_and_who_lost_the_seat_has_it_again(lunch: LunchHour, kiosk: Kiosk) -> None:
    assert outcome(kiosk.scan(address(lunch, "王磊"), "12:00")) == "standby"
    lunch.check_in("李静", "12:01")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    assert lunch.states("周明", "王磊") == ["released", "attended"]
    assert outcome(kiosk.scan(address(lunch, "周明"), "12:17")) == "standby"
    lunch.resize(3, "12:18")
    assert outcome(kiosk.scan(address(lunch, "周明"), "12:18:30")) == "already"  # seated from standby, as the seat came
    assert lunch.strikes("周明") == []


@pytest.mark.parametrize(("clock", "reason", "words"), [("11:40", "too_early", "11:55"), ("13:01", "over", "")])
def test_at_the_wrong_time_the_kiosk_says_so(
    lunch: LunchHour, kiosk: Kiosk, clock: str, reason: str, words: str
) -> None:
    answer = kiosk.scan(address(lunch, "周明"), clock)
    assert outcome(answer) == reason
    assert words in said(answer)
    assert lunch.state("周明") == "booked"


def test_a_cancelled_slot_is_told_with_the_reason(lunch: LunchHour, kiosk: Kiosk) -> None:
    lunch.cancel("11:50", "停电")
    answer = kiosk.scan(address(lunch, "周明"), "12:00")
    assert outcome(answer) == "cancelled"
    assert "停电" in said(answer)


def test_a_ticket_of_another_day_or_station_is_told_so(lunch: LunchHour, kiosk: Kiosk) -> None:
    assert outcome(kiosk.scan(address(lunch, "周明"), "Wed 12:00")) == "ticket_of_other_day"
    elsewhere = lunch.slot(station_id=lunch.other_station("west"))
    lunch.book("陈晨", "Mon 10:00", elsewhere)
    ticket = lunch.latest("陈晨", elsewhere).ticket
    for typed, reason in (
        (f"http://localhost/manage/west/tickets/{ticket}", "ticket_of_other_station"),
        (f"http://localhost/manage/cbd/tickets/{ticket}", "unknown_ticket"),
    ):
        answer = kiosk.scan(typed, "12:00")
        assert (answer.status_code, outcome(answer)) == (422, reason)
    assert lunch.latest("陈晨", elsewhere).state == "booked"


@pytest.mark.parametrize(
    "typed", ["", "   ", "a" * 10_000, "<script>alert(1)</script>", "12345", "'; DROP TABLE booking", "周明", "٠١٢٣٤٥"]
)
def test_what_is_no_ticket_is_answered_in_a_sentence(lunch: LunchHour, kiosk: Kiosk, typed: str) -> None:
    answer = kiosk.scan(typed, "12:00")
    assert (answer.status_code, refusal(answer)) == (422, "not_a_ticket" if typed.strip() else "nothing_scanned")
    assert "alert(1)" not in answer.text
    assert typed.strip() not in html.unescape(answer.text) or not typed.strip()


# Six digits


def test_the_phone_shows_six_digits_while_the_kiosk_takes_them(app: Flask, lunch: LunchHour, kiosk: Kiosk) -> None:
    phone = Phone(app, lunch, "周明")
    assert "按这六位数字" not in said(phone.get("/me", "11:40"))
    shown = digits(lunch, "周明", "12:00")
    assert f"{shown[:3]} {shown[3:]}" in said(phone.get("/me", "12:00"))
    assert outcome(kiosk.scan(shown, "12:00:50")) == "in"
    assert "按这六位数字" not in said(phone.get("/me", "12:02"))


def test_the_ticket_on_the_phone_is_fresh_again_when_the_digits_change(app: Flask, lunch: LunchHour) -> None:
    phone, asked = Phone(app, lunch, "周明"), {"HX-Request": "true"}
    first = phone.get("/me", "12:00:01", headers=asked)
    known = asked | {"If-None-Match": first.headers["ETag"]}
    assert phone.get("/me", "12:00:40", headers=known).status_code == 304
    assert phone.get("/me", "12:01:01", headers=known).status_code == 200


@pytest.mark.parametrize("late", [120, 3600, 24 * 3600])
def test_digits_of_yesterday_are_wrong(lunch: LunchHour, kiosk: Kiosk, late: int) -> None:
    old = ticket_codes.code_of(lunch.latest("周明"), when("12:05") - timedelta(seconds=late))
    answer = kiosk.scan(old, "12:05")
    assert (answer.status_code, outcome(answer), lunch.state("周明")) == (422, "wrong_digits", "booked")


def test_two_tickets_with_the_same_digits_are_both_asked_to_scan(
    lunch: LunchHour, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        ticket_codes, "_codes", lambda _station, _ticket: ticket_codes.pyotp.TOTP("A" * 32, interval=60)
    )
    shown = ticket_codes.pyotp.TOTP("A" * 32, interval=60).at(at("12:00"))
    assert outcome(kiosk.scan(shown, "12:00")) == "same_digits"
    assert lunch.states("周明", "李静", "王磊") == ["booked", "booked", "waiting"]


def test_guesses_are_counted_and_a_right_one_is_refused_after_too_many(lunch: LunchHour, kiosk: Kiosk) -> None:
    right = digits(lunch, "周明", "12:00")
    for guess in range(10):
        assert outcome(kiosk.scan(f"{(int(right) + guess + 1) % 10**6:06}", "12:00")) == "wrong_digits"
    answer = kiosk.scan(right, "12:00")
    assert (answer.status_code, outcome(answer), lunch.state("周明")) == (429, "too_many_tries", "booked")
    assert outcome(kiosk.scan(address(lunch, "周明"), "12:00")) == "in"  # a ticket is no guess


def test_a_new_door_secret_changes_the_digits(lunch: LunchHour) -> None:
    before = digits(lunch, "周明", "12:00")
    lunch.session.rollback()
    with transactions.transaction(lunch.session) as session:
        session.get_one(Station, lunch.station_id).door_secret = "0" * 64
    assert digits(lunch, "周明", "12:00") != before


# Nothing remains


def test_an_answer_is_shown_once_and_never_kept(lunch: LunchHour, kiosk: Kiosk) -> None:
    first = kiosk.post("/touch", "12:00", follow=False, typed=address(lunch, "周明"))
    assert (first.status_code, first.headers["Location"]) == (303, "/door/cbd/touch/said")
    shown = kiosk.get("/touch/said", "12:00:01")
    assert outcome(shown) == "in"
    assert shown.headers["Cache-Control"] == "no-store"
    again = kiosk.get("/touch/said", "12:00:02")
    assert (again.status_code, again.headers["Location"]) == (303, "/door/cbd")


def test_an_answer_nobody_fetched_is_gone_after_its_time(lunch: LunchHour, kiosk: Kiosk) -> None:
    kiosk.post("/touch", "12:00", follow=False, typed=address(lunch, "周明"))
    assert kiosk.get("/touch/said", "12:00:25").status_code == 303


def test_without_script_each_page_returns_to_the_screen(lunch: LunchHour, kiosk: Kiosk) -> None:
    refresh = '<noscript><meta http-equiv="refresh" content="{};url=/door/cbd"></noscript>'
    assert refresh.format(20) in kiosk.scan(address(lunch, "周明"), "12:00").text
    assert refresh.format(60) in kiosk.get("/touch", "12:00").text
    assert refresh.format(120) in kiosk.get("/touch/name", "12:00").text


def test_the_language_is_of_one_person_only(lunch: LunchHour, kiosk: Kiosk) -> None:
    page = kiosk.get("/touch?lang=en", "12:00").text
    assert '<html lang="en">' in page
    answer = kiosk.scan(address(lunch, "周明"), "12:00", lang="en")
    assert '<html lang="en">' in answer.text
    assert '<html lang="zh-CN">' in kiosk.get("", "12:00").text
    assert '<html lang="zh-CN">' in kiosk.get("/touch?lang=xx", "12:00").text


# A name


def test_a_name_is_for_the_staff_who_check_in_with_one_tap(app: Flask, lunch: LunchHour, kiosk: Kiosk) -> None:
    desk, roster = Desk(app, lunch), f"slots/{lunch.slot_id}"
    assert outcome(kiosk.post("/touch/name", "12:01", name="周 明")) == "named"
    words = desk.words(roster, "12:02")
    assert "周 明 12:01 在门口，没带手机" in words
    assert "1 人没带手机，在门口等" in desk.words("", "12:02")
    (act,) = re.findall(r'action="/manage/cbd/(arrivals/\d+/check-in/\d+)"', desk.get(roster, "12:02").text)
    assert "周明 已签到" in said(desk.post(act, "12:02"))
    assert lunch.state("周明") == "attended"
    assert "没带手机" not in desk.words(roster, "12:03")
    kinds = select(Event.kind, Event.actor_id).where(Event.kind.like("name_%")).order_by(Event.id)
    assert list(map(tuple, lunch.session.execute(kinds))) == [("name_left", None), ("name_settled", lunch.manager_id)]


def test_the_kiosk_answers_the_same_whoever_has_a_booking(lunch: LunchHour, kiosk: Kiosk) -> None:
    pages = [kiosk.post("/touch/name", "12:01", name=name).text for name in ("周明", "张三", "周明")]
    tokens = [re.sub(r'value="[^"]+"', "", page) for page in pages]
    assert tokens[0] == tokens[1] == tokens[2]
    assert "周明" not in pages[0]


def test_a_name_without_a_booking_is_looked_for_or_put_aside(app: Flask, lunch: LunchHour, kiosk: Kiosk) -> None:
    desk, roster = Desk(app, lunch), f"slots/{lunch.slot_id}"
    kiosk.post("/touch/name", "12:01", name="张三")
    page = desk.get(roster, "12:02").text
    assert "今天没有这个称呼的预约" in html.unescape(page)
    (act,) = re.findall(r'action="/manage/cbd/(slots/\d+/arrivals/\d+/settle)"', page)
    assert "从名单上拿掉了" in said(desk.post(act, "12:02"))
    assert "张三" not in desk.words(roster, "12:02")


def test_who_is_checked_in_otherwise_leaves_the_list_and_the_poll_sees_a_new_name(
    app: Flask, lunch: LunchHour, kiosk: Kiosk
) -> None:
    desk, roster, asked = Desk(app, lunch), f"slots/{lunch.slot_id}", {"HX-Request": "true"}
    before = desk.get(roster, "12:00", headers=asked)
    known = asked | {"If-None-Match": before.headers["ETag"]}
    assert desk.get(roster, "12:01", headers=known).status_code == 304
    kiosk.post("/touch/name", "12:01", name="李静")
    assert "李静" in desk.get(roster, "12:01", headers=known).text.partition("desk-columns")[0]
    lunch.check_in("李静", "12:02")
    assert "没带手机" not in desk.words(roster, "12:03")


@pytest.mark.parametrize("name", ["", " ", "长" * 41, "x" * 10_000, "加微信 abc123 https://spam.example"])
def test_what_is_no_name_is_refused_and_not_shown_again(lunch: LunchHour, kiosk: Kiosk, name: str) -> None:
    answer = kiosk.post("/touch/name", "12:01", name=name)
    assert answer.status_code == 422
    assert not name.strip() or name not in html.unescape(answer.text)
    assert lunch.session.scalars(select(DoorArrival)).all() == []


def test_a_ticket_scanned_into_the_field_for_a_name_is_a_ticket(lunch: LunchHour, kiosk: Kiosk) -> None:
    assert outcome(kiosk.post("/touch/name", "12:01", name=address(lunch, "周明"))) == "in"
    assert lunch.session.scalars(select(DoorArrival)).all() == []


def test_markup_in_a_name_is_only_text(app: Flask, lunch: LunchHour, kiosk: Kiosk) -> None:
    kiosk.post("/touch/name", "12:01", name="<b>王</b>")
    assert "&lt;b&gt;王&lt;/b&gt;" in Desk(app, lunch).get(f"slots/{lunch.slot_id}", "12:02").text


def test_another_stations_staff_sees_and_settles_nothing(app: Flask, lunch: LunchHour, kiosk: Kiosk) -> None:
    kiosk.post("/touch/name", "12:01", name="周明")
    arrival = lunch.session.scalars(select(DoorArrival.id)).one()
    west = lunch.other_station("west")
    slot = lunch.slot(station_id=west)
    lunch.session.rollback()
    with transactions.transaction(lunch.session) as session:
        other = make_manager(session, west, "吴经理")
    desk = Desk(app, lunch, other, "west/")
    assert "没带手机" not in desk.words(f"slots/{slot}", "12:02")
    assert desk.post(f"slots/{slot}/arrivals/{arrival}/settle", "12:02").status_code == 404
    assert desk.post(f"arrivals/{arrival}/check-in/{lunch.latest('周明').id}", "12:02").status_code == 404
