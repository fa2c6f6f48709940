"""Kiosk: the screen, its rotating code, what the code opens on a phone, and a ticket on the manager's phone."""

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

from booking.model import Booking, Letter, SignIn, Station
from booking.web.kiosk import pairing
from tests.support.desk_cast import HTMX, Desk, refusal, said
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import Phone, when

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats for 周明 and 李静; 王磊 waits, 陈晨 has nothing."""
    lunch = LunchHour(session, capacity=2)
    for name in ("周明", "李静", "王磊"):
        lunch.book(name, "Mon 10:00")
    return lunch


def code(lunch: LunchHour, clock: str, late: int = 0) -> str:
    """The six digits on the kiosk `late` seconds before `clock`."""
    station = lunch.session.get_one(Station, lunch.station_id)
    return pairing.code_at(station, when(clock) - timedelta(seconds=late))


def look(client: FlaskClient, path: str, clock: str, **options: Any) -> TestResponse:
    with time_machine.travel(when(clock), tick=False):
        return client.get(path, **options)


def paired(app: Flask, lunch: LunchHour) -> FlaskClient:
    desk = Desk(app, lunch)
    answer = desk.post("door/pair", "11:30", follow=False)
    assert answer.headers["Location"] == "/door/cbd"
    return desk.client


# The screen


def test_an_unpaired_browser_gets_no_code(app: Flask, lunch: LunchHour) -> None:
    answer = look(app.test_client(), "/door/cbd", "12:00")
    assert answer.status_code == 403
    assert code(lunch, "12:00") not in answer.text
    assert "还没有配对" in said(answer)


def test_pairing_leaves_the_screen_and_no_account(app: Flask, lunch: LunchHour) -> None:
    screen = paired(app, lunch)
    assert look(screen, "/door/cbd", "12:00").status_code == 200
    assert look(screen, "/manage/cbd/", "12:00").status_code == 303
    lunch.session.rollback()
    assert lunch.session.scalars(select(SignIn.ended_at)).one() is not None


def test_the_screen_shows_the_free_seats_of_each_slot_the_line_and_a_code_that_changes(
    app: Flask, lunch: LunchHour
) -> None:
    screen = paired(app, lunch)
    other = lunch.slot("12:20", 5)
    lunch.check_in("周明", "12:00")
    lunch.tick("12:10")
    lunch.tick("12:15")
    page = look(screen, "/door/cbd", "12:15:30")
    assert re.findall(r'data-left="(\d+)"', page.text) == ["1", "5"]
    assert re.findall(r"<em>(\d+)</em>", page.text) == ["1", "5"]  # not their sum
    assert f'data-slot="{other}"' in page.text
    assert f'data-code="{code(lunch, "12:15:30")}"' in page.text
    assert "<svg" in page.text
    part = look(screen, "/door/cbd", "12:16:00", headers=HTMX).text
    assert part.lstrip().startswith("<main")
    assert code(lunch, "12:15:30") not in part
    assert f'data-code="{code(lunch, "12:16:00")}"' in part


def test_the_screen_goes_on_without_script(app: Flask, lunch: LunchHour) -> None:
    page = look(paired(app, lunch), "/door/cbd", "12:00:10").text
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in page
    assert "这个屏幕太小" in page  # shown where it is


def test_the_screen_stays_on_or_says_how(app: Flask, lunch: LunchHour) -> None:
    page = look(paired(app, lunch), "/door/cbd", "12:00:10").text
    assert "/static/js/wake-lock.js" in page
    assert '<p id="awake" hidden>屏幕可能会自己熄灭' in page


def test_between_the_slots_the_screen_says_when_the_next_one_is(app: Flask, lunch: LunchHour) -> None:
    words = said(look(paired(app, lunch), "/door/cbd", "11:40"))
    assert "下一场" in words
    assert words.count("12:10") == 1
    assert "空位" not in words


def test_a_screen_is_unpaired_at_the_screen_or_all_of_them_from_the_desk(app: Flask, lunch: LunchHour) -> None:
    first, second = paired(app, lunch), paired(app, lunch)
    with time_machine.travel(at("12:00"), tick=False):
        first.post("/door/cbd/unpair")
    assert look(first, "/door/cbd", "12:00").status_code == 403
    assert look(second, "/door/cbd", "12:00").status_code == 200
    old = code(lunch, "12:01")
    Desk(app, lunch).post("door/renew", "12:01")
    assert look(second, "/door/cbd", "12:01").status_code == 403
    lunch.session.rollback()
    assert code(lunch, "12:01") != old


def test_a_screen_of_one_station_is_none_of_another(app: Flask, lunch: LunchHour) -> None:
    lunch.other_station("west")
    assert look(paired(app, lunch), "/door/west", "12:00").status_code == 403


# The code on a phone


def test_a_person_with_a_seat_is_checked_in_with_one_tap(app: Flask, lunch: LunchHour) -> None:
    phone, fresh = Phone(app, lunch, "周明"), code(lunch, "12:00")
    page = phone.get(f"/door/cbd/in?code={fresh}", "12:00:10")
    assert (page.status_code, lunch.state("周明")) == (200, "booked")
    assert "白领瑜伽课堂" in said(page)
    done = phone.post("/door/cbd/in", "12:00:20", data={"code": fresh})
    assert "签到成功" in said(done)
    assert lunch.state("周明") == "attended"
    assert lunch.lines("checked_in")[0].actor_id == lunch.people["周明"]


@pytest.mark.parametrize("name", ["王磊", "陈晨"])
def test_a_person_without_a_seat_stands_by_for_a_chosen_slot(app: Flask, lunch: LunchHour, name: str) -> None:
    phone, fresh = Phone(app, lunch, name), code(lunch, "12:00")
    form = {"code": fresh, "slot": str(lunch.slot_id)}
    assert "已排现场候补" in said(phone.post("/door/cbd/in", "12:00", data=form))
    assert lunch.now().waiting > 0
    assert lunch.latest(name).standby_at is not None
    lunch.tick("12:10")
    lunch.tick("12:15")
    assert lunch.state(name) == "attended"


def test_before_the_start_a_seat_that_anybody_could_book_is_theirs_at_once(app: Flask, lunch: LunchHour) -> None:
    lunch.give_up("王磊", "11:40")
    lunch.give_up("周明", "11:45")
    phone, fresh = Phone(app, lunch, "陈晨"), code(lunch, "12:00")
    assert "有空位" in said(phone.get(f"/door/cbd/in?code={fresh}", "12:00"))
    form = {"code": fresh, "slot": str(lunch.slot_id)}
    assert "签到成功" in said(phone.post("/door/cbd/in", "12:00", data=form))
    assert (lunch.state("陈晨"), lunch.latest("陈晨").via) == ("attended", "door")


def test_after_the_release_a_free_seat_is_theirs_at_once(app: Flask, lunch: LunchHour) -> None:
    lunch.roll_call("12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    form = {"code": code(lunch, "12:20"), "slot": str(lunch.slot_id)}
    assert "签到成功" in said(Phone(app, lunch, "李静").post("/door/cbd/in", "12:20", data=form))
    assert lunch.state("李静") == "attended"


def test_who_lost_the_seat_scans_and_has_it_again_or_stands_by(app: Flask, lunch: LunchHour) -> None:
    lunch.stand_by("陈晨", "12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    assert lunch.states("周明", "李静", "陈晨") == ["released", "released", "attended"]
    for name, answer in (("周明", "签到成功"), ("李静", "已排现场候补")):
        phone, typed = Phone(app, lunch, name), code(lunch, "12:17")
        page = phone.get(f"/door/cbd/in?code={typed}", "12:17")
        assert "你的名额已经释放。有空位就补签到，不记爽约；没有就排现场候补。" in said(page)
        form = {"code": typed, "slot": str(lunch.slot_id)}
        assert answer in said(phone.post("/door/cbd/in", "12:17", data=form))
    assert (lunch.state("周明"), lunch.strikes("周明"), lunch.strikes("李静")) == ("attended", [], ["no_show"])


@pytest.mark.parametrize("paste", ["{0:.3}-{0[3]}{0[4]}{0[5]}", "验证码：{0}", " {0:.3} {0[3]}{0[4]}{0[5]}\u200b"])
def test_the_screens_code_may_be_typed_in_groups(app: Flask, lunch: LunchHour, paste: str) -> None:
    phone, typed = Phone(app, lunch, "周明"), paste.format(code(lunch, "12:05"))
    assert refusal(phone.get(f"/door/cbd/in?code={typed}", "12:05")) == ""


@pytest.mark.parametrize("late", [60, 90, 3600])
def test_a_code_that_was_forwarded_to_the_office_is_stale(app: Flask, lunch: LunchHour, late: int) -> None:
    stale = code(lunch, "12:05", late=late)
    phone = Phone(app, lunch, "周明")
    assert refusal(phone.get(f"/door/cbd/in?code={stale}", "12:05")) == "stale_code"
    answer = phone.post("/door/cbd/in", "12:05", data={"code": stale})
    assert (answer.status_code, refusal(answer), lunch.state("周明")) == (422, "stale_code", "booked")
    assert "已经过期，或者不对" in said(answer)


def test_the_six_digits_may_be_typed_as_they_come(app: Flask, lunch: LunchHour) -> None:
    fresh = code(lunch, "12:00")
    wide = f" {fresh[:3]}　{fresh[3:]} ".translate({48 + n: 0xFF10 + n for n in range(10)})
    assert "签到成功" in said(Phone(app, lunch, "周明").post("/door/cbd/in", "12:00", data={"code": wide}))


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "000000 OR 1=1", "٠١٢٣٤٥", "9" * 500, "<b>", "一二三四五六"])
def test_an_invalid_code_is_answered_with_a_sentence(app: Flask, lunch: LunchHour, typed: str) -> None:
    answer = Phone(app, lunch, "周明").post("/door/cbd/in", "12:00", data={"code": typed})
    assert (answer.status_code, refusal(answer)) == (422, "stale_code")
    assert lunch.state("周明") == "booked"


@pytest.mark.parametrize("slot", ["", "abc", "999999999", "9" * 40, "-1", "<b>"])
def test_only_a_slot_open_for_check_in_can_be_chosen(app: Flask, lunch: LunchHour, slot: str) -> None:
    form = {"code": code(lunch, "12:00"), "slot": slot}
    answer = Phone(app, lunch, "陈晨").post("/door/cbd/in", "12:00", data=form)
    assert (answer.status_code, refusal(answer)) == (409, "choose_slot")


def test_another_stations_slot_cannot_be_chosen_here(app: Flask, lunch: LunchHour) -> None:
    elsewhere = lunch.slot(station_id=lunch.other_station("west"))
    form = {"code": code(lunch, "12:00"), "slot": str(elsewhere)}
    answer = Phone(app, lunch, "陈晨").post("/door/cbd/in", "12:00", data=form)
    assert (answer.status_code, lunch.now(elsewhere).waiting) == (409, 0)


def test_too_early_is_said_with_the_time(app: Flask, lunch: LunchHour) -> None:
    page = Phone(app, lunch, "周明").get("/door/cbd/in", "11:30")
    assert "今天 11:55 起签到" in said(page)


def test_who_comes_early_is_not_told_that_they_have_no_seat(app: Flask, session: Session) -> None:
    lunch = LunchHour(session, capacity=2)
    mine, beside = lunch.slot("13:10"), lunch.slot("12:15", 2, minutes=50)
    assert lunch.book("周明", "Mon 10:00", mine) == "booked"
    page = Phone(app, lunch, "周明").get(f"/door/cbd/in?code={code(lunch, '12:05')}", "12:05")
    assert "来早了 白领瑜伽课堂 今天 12:55 起签到。" in said(page)
    assert "你没有名额" not in said(page)
    offered = re.findall(r'name="slot" value="(\d+)"( checked)?', page.text)
    assert offered == [(str(lunch.slot_id), ""), (str(beside), "")]


def test_who_comes_early_is_offered_no_slot_that_overlaps_theirs(app: Flask, session: Session) -> None:
    lunch = LunchHour(session, capacity=2)
    assert lunch.book("周明", "Mon 10:00", lunch.slot("12:40")) == "booked"
    page = Phone(app, lunch, "周明").get(f"/door/cbd/in?code={code(lunch, '12:05')}", "12:05")
    assert "来早了 白领瑜伽课堂 今天 12:25 起签到。" in said(page)
    assert 'name="slot"' not in page.text


def test_who_sits_in_one_slot_checks_in_to_the_next(app: Flask, session: Session) -> None:
    lunch = LunchHour(session, capacity=2)
    following = lunch.slot("13:00")
    assert (lunch.walk_in("周明", "12:10"), lunch.book("周明", "12:20", following)) == ("attended", "booked")
    phone, fresh = Phone(app, lunch, "周明"), code(lunch, "12:56")
    assert "13:00–13:50" in said(phone.get(f"/door/cbd/in?code={fresh}", "12:56"))
    assert "签到成功 周明 白领瑜伽课堂 13:00–13:50" in said(phone.post("/door/cbd/in", "12:56", data={"code": fresh}))
    assert lunch.state("周明", following) == "attended"


def test_who_is_in_or_queues_already_reads_so(app: Flask, lunch: LunchHour) -> None:
    assert (lunch.check_in("周明", "12:05"), lunch.stand_by("陈晨", "12:05")) == ("attended", "waiting")
    page = f"/door/cbd/in?code={code(lunch, '12:07')}"
    inside, queue = (Phone(app, lunch, name).get(page, "12:07") for name in ("周明", "陈晨"))
    assert "12:05 签到的，请进。" in said(inside)
    assert '/door/cbd/in"' not in inside.text
    assert "已排现场候补" in said(queue)


def test_signing_in_first_does_not_make_the_code_stale(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch)
    fresh = code(lunch, "12:00")
    answer = phone.get(f"/door/cbd/in?code={fresh}", "12:00")
    assert answer.headers["Location"] == f"/account/sign-in?next=%2Fdoor%2Fcbd%2Fin%3Fcode%3D{fresh}"
    scan = phone.client.get_cookie("scan")
    assert scan is not None
    signed_in = with_scan(app, lunch, "周明", scan.value)
    assert refusal(signed_in.get(f"/door/cbd/in?code={fresh}", "12:05")) == ""
    assert "签到成功" in said(signed_in.post("/door/cbd/in", "12:05", data={"code": fresh}))


def registered(phone: Phone, page: str, clock: str) -> TestResponse:
    """Register as somebody new, on the way back to `page`."""
    phone.post("/account/register", clock, data={"email": "new@example.com", "next": page})
    phone.lunch.session.rollback()
    newest = select(Letter).where(Letter.kind == "code").order_by(Letter.id.desc()).limit(1)
    mailed = phone.lunch.session.scalars(newest).one().details["code"]
    form = {"code": mailed, "name": "苏晚", "agree": "y"}
    return phone.post("/account/register/finish", clock, data=form)


@pytest.mark.parametrize(("clock", "status"), [("12:04", 200), ("12:09:59", 200), ("12:10:01", 422)])
def test_a_scan_counts_for_ten_minutes_for_who_registers_first(
    app: Flask, lunch: LunchHour, clock: str, status: int
) -> None:
    phone = Phone(app, lunch)
    page = f"/door/cbd/in?code={code(lunch, '12:00')}"
    phone.get(page, "12:00")
    arrived = registered(phone, page, clock)
    assert (arrived.request.path, refusal(arrived)) == ("/door/cbd/in", "" if status == 200 else "stale_code")
    form = {"code": page[-6:], "slot": str(lunch.slot_id)}
    assert phone.post("/door/cbd/in", clock, data=form).status_code == status
    assert lunch.now().waiting == (2 if status == 200 else 1)  # 王磊, and who stands by


def test_the_link_of_a_scan_is_worth_nothing_in_another_browser(app: Flask, lunch: LunchHour) -> None:
    page = f"/door/cbd/in?code={code(lunch, '12:00')}"
    Phone(app, lunch).get(page, "12:00")
    other = Phone(app, lunch)
    assert refusal(registered(other, page, "12:02")) == "stale_code"
    answer = other.post("/door/cbd/in", "12:02", data={"code": page[-6:], "slot": str(lunch.slot_id)})
    assert (answer.status_code, lunch.now().waiting) == (422, 1)


def test_who_is_signed_in_may_take_their_time_as_well(app: Flask, lunch: LunchHour) -> None:
    phone, fresh = Phone(app, lunch, "周明"), code(lunch, "12:00")
    phone.get(f"/door/cbd/in?code={fresh}", "12:00")
    phone.get(f"/door/cbd/in?code={fresh}", "12:05")  # looked at again: no new ten minutes
    assert phone.post("/door/cbd/in", "12:10:01", data={"code": fresh}).status_code == 422
    assert "签到成功" in said(phone.post("/door/cbd/in", "12:09:59", data={"code": fresh}))


def with_scan(app: Flask, lunch: LunchHour, name: str, scan: str) -> Phone:
    """Somebody signed in, with this cookie of a scan."""
    phone = Phone(app, lunch, name)
    phone.client.set_cookie("scan", scan)
    return phone


def test_a_remembered_scan_admits_one_person(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch)
    phone.get(f"/door/cbd/in?code={code(lunch, '12:00')}", "12:00")
    scan = phone.client.get_cookie("scan")
    assert scan is not None
    for _again in range(2):
        answer = with_scan(app, lunch, "周明", scan.value).post("/door/cbd/in", "12:05", data={"code": "000000"})
        assert "签到成功" in said(answer)
    form = {"code": "000000", "slot": str(lunch.slot_id)}
    for name in ("李静", "陈晨"):
        answer = with_scan(app, lunch, name, scan.value).post("/door/cbd/in", "12:05", data=form)
        assert (answer.status_code, refusal(answer)) == (422, "stale_code")
    assert lunch.state("李静") == "booked"


def test_a_scan_that_was_refused_is_not_spent(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch)
    phone.get(f"/door/cbd/in?code={code(lunch, '12:00')}", "12:00")
    scan = phone.client.get_cookie("scan")
    assert scan is not None
    for form, status in (({"code": "0"}, 409), ({"code": "0", "slot": str(lunch.slot_id)}, 200)):
        assert with_scan(app, lunch, "陈晨", scan.value).post("/door/cbd/in", "12:05", data=form).status_code == status


def test_a_remembered_scan_is_for_one_browser_and_one_station(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch)
    phone.get(f"/door/cbd/in?code={code(lunch, '12:00')}", "12:00")
    scan = phone.client.get_cookie("scan")
    assert scan is not None
    other = with_scan(app, lunch, "周明", scan.value)
    answer = other.post("/door/cbd/in", "12:05", data={"code": "0"}, headers={"User-Agent": "Another phone"})
    assert (answer.status_code, lunch.state("周明")) == (422, "booked")
    Desk(app, lunch).post("door/renew", "12:05")  # every earlier code is invalid, and so are its scans
    answer = with_scan(app, lunch, "周明", scan.value).post("/door/cbd/in", "12:05", data={"code": "0"})
    assert (answer.status_code, lunch.state("周明")) == (422, "booked")


def test_a_remembered_scan_expires_and_cannot_be_forged(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch)
    phone.get(f"/door/cbd/in?code={code(lunch, '12:00')}", "12:00")
    scan = phone.client.get_cookie("scan")
    assert scan is not None
    for value, clock in ((scan.value, "12:10:01"), (scan.value[:-1], "12:01"), ("[]", "12:01"), ("", "12:01")):
        late = Phone(app, lunch, "周明")
        late.client.set_cookie("scan", value)
        assert late.post("/door/cbd/in", clock, data={"code": "000000"}).status_code == 422
    assert lunch.state("周明") == "booked"


def test_guesses_are_limited_by_person(make_app: Callable[..., Flask], lunch: LunchHour) -> None:
    app = make_app(RATELIMIT_ENABLED=True)
    phone = Phone(app, lunch, "周明")
    guesses = [phone.post("/door/cbd/in", "12:00", data={"code": f"{n:06}"}).status_code for n in range(11)]
    assert guesses == [422] * 10 + [429]
    other = Phone(app, lunch, "李静")
    assert other.post("/door/cbd/in", "12:00", data={"code": code(lunch, "12:00")}).status_code == 200


# The ticket on the manager's phone


def ticket(lunch: LunchHour, name: str) -> str:
    return f"tickets/{lunch.latest(name).ticket}"


def answer_of(page: TestResponse) -> str:
    found = re.search(r'data-answer="(\w+)"', page.text)
    return found[1] if found else ""


def test_a_ticket_is_welcome_once_and_known_the_second_time(app: Flask, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), ticket(lunch, "周明")
    assert answer_of(desk.get(path, "12:00")) == "welcome"
    assert lunch.state("周明") == "booked"
    assert answer_of(desk.post(path, "12:00:05")) == "already_in"
    assert lunch.state("周明") == "attended"
    assert lunch.lines("checked_in")[0].actor_id == lunch.manager_id
    assert "12:00 签到的" in desk.words(path, "12:01")


@pytest.mark.parametrize(("clock", "code"), [("11:54", "too_early"), ("Mon 12:00", "wrong_day"), ("13:00", "over")])
def test_a_ticket_at_the_wrong_time(app: Flask, lunch: LunchHour, clock: str, code: str) -> None:
    assert answer_of(Desk(app, lunch).get(ticket(lunch, "周明"), clock)) == code


def test_a_ticket_released_two_minutes_ago_gets_a_seat_while_one_is_free(app: Flask, lunch: LunchHour) -> None:
    lunch.roll_call("12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)
    desk = Desk(app, lunch)
    page = desk.get(ticket(lunch, "周明"), "12:17")
    assert (answer_of(page), "还有空位，可以补上" in said(page)) == ("seat_free", True)
    desk.post(ticket(lunch, "周明"), "12:17")
    assert lunch.state("周明") == "attended"


def test_the_old_ticket_of_somebody_who_booked_again_is_welcome(app: Flask, lunch: LunchHour) -> None:
    old = ticket(lunch, "李静")
    lunch.give_up("王磊", "Mon 10:30")
    lunch.give_up("李静", "Mon 11:00")
    lunch.book("李静", "Mon 11:01")
    desk = Desk(app, lunch)
    assert [answer_of(desk.get(old, "12:00")), answer_of(desk.post(old, "12:00"))] == ["welcome", "already_in"]


def test_a_ticket_without_a_seat_goes_on_standby(app: Flask, lunch: LunchHour) -> None:
    desk, path = Desk(app, lunch), ticket(lunch, "王磊")
    assert answer_of(desk.get(path, "12:00")) == "waiting"
    assert answer_of(desk.post(path, "12:00")) == "standby"
    assert lunch.now().waiting == 1
    assert lunch.latest("王磊").standby_at is not None


def test_a_cancelled_slot_says_so_on_its_tickets(app: Flask, lunch: LunchHour) -> None:
    path = ticket(lunch, "周明")
    lunch.cancel("Mon 12:00", "停电 <b>")
    page = Desk(app, lunch).get(path, "12:00")
    assert (answer_of(page), "停电 <b>" in html.unescape(page.text), "<b>停" in page.text) == ("cancelled", True, False)


@pytest.mark.parametrize("made_up", ["x", "0", "../../etc", "a" * 200])
def test_an_unknown_ticket(app: Flask, lunch: LunchHour, made_up: str) -> None:
    assert Desk(app, lunch).get(f"tickets/{made_up}", "12:00").status_code == 404
    assert lunch.session.scalar(select(Booking.id).where(Booking.state == "attended")) is None
