"""Pending booking: the button pressed before signing in. The slot stays in sight, and is booked once they are in."""

import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import people
from booking.db import transactions
from booking.model import Booking, Letter, Person
from booking.people import totp
from tests.conftest import KEY
from tests.support.lunch_hour import LunchHour, at
from tests.support.network_cast import KEPT, PASSWORD
from tests.support.worker_cast import HTMX, Phone, words_of

EMAIL, NEW = "zhou@example.com", "new@example.com"
DAY = "/s/cbd?day=2026-11-24#slot-card-{}"
NOT_YET, LATER = "Mon 10:01", "Mon 10:05"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday at 12:10, open since Monday at 10:00; 周明 has an address and a password."""
    lunch = LunchHour(session)
    with transactions.transaction(session) as rows:
        kept = {"email": EMAIL, "password_hash": KEPT}
        rows.execute(update(Person).where(Person.id == lunch.people["周明"]).values(kept))
    return lunch


@pytest.fixture
def phone(app: Flask, lunch: LunchHour) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(app, lunch)


def press(phone: Phone, clock: str = NOT_YET, back: str = "day", **how: dict[str, str]) -> TestResponse:
    data = {"back": back, "key": "a key"}
    return phone.post(f"/slots/{phone.lunch.slot_id}/book", clock, follow=False, data=data, **how)


def by_password(phone: Phone, clock: str = LATER) -> TestResponse:
    form = {"email": EMAIL, "password": PASSWORD, "next": f"/slots/{phone.lunch.slot_id}"}
    return phone.post("/account/sign-in", clock, data=form)


def by_code(phone: Phone, clock: str = LATER) -> TestResponse:
    phone.post("/account/sign-in/code", clock, data={"email": EMAIL})
    return phone.post("/account/sign-in/finish", clock, data={"code": code(phone, EMAIL)})


def by_registering(phone: Phone, clock: str = LATER) -> TestResponse:
    phone.post("/account/register", clock, data={"email": NEW})
    form = {"code": code(phone, NEW), "name": "苏晚", "password": "a fine noon", "agree": "y"}
    return phone.post("/account/register/finish", clock, data=form)


def by_a_new_password(phone: Phone, clock: str = LATER) -> TestResponse:
    phone.post("/account/forgotten", clock, data={"email": EMAIL})
    form = {"code": code(phone, EMAIL), "password": "a fine noon"}
    return phone.post("/account/forgotten/finish", clock, data=form)


def by_two_steps(phone: Phone, clock: str = LATER) -> TestResponse:
    """With an authenticator, after a wrong code."""
    seed, on = totp.new_seed(), at("Mon 08:00")
    secret, lunch = totp.secret(KEY, seed), phone.lunch
    people.turn_on_second_factor(lunch.session, lunch.people["周明"], 0, seed, totp.code(secret, on), KEY, on)
    by_password(phone, clock)
    wrong = phone.post("/account/sign-in/second-step", clock, data={"code": "000000"})
    assert in_sight(wrong, phone)
    return phone.post("/account/sign-in/second-step", clock, data={"code": totp.code(secret, at(clock))})


WAYS = [by_password, by_code, by_registering, by_a_new_password, by_two_steps]


def code(phone: Phone, to: str) -> str:
    phone.lunch.session.rollback()
    newest = select(Letter).where(Letter.to == to, Letter.kind == "code").order_by(Letter.id.desc()).limit(1)
    return str(phone.lunch.session.scalars(newest).one().details["code"])


def in_sight(page: TestResponse, phone: Phone) -> str:
    """What the page says of the slot that will be booked; empty when it says nothing."""
    found = re.search(rf'<section [^>]*data-pending="{phone.lunch.slot_id}".*?</section>', page.text, re.DOTALL)
    return words_of(found[0]) if found else ""


def booked(lunch: LunchHour) -> int:
    lunch.session.rollback()
    return lunch.session.scalar(select(func.count(Booking.id))) or 0


@pytest.mark.parametrize("way", WAYS)
def test_signing_in_books_what_was_pressed(phone: Phone, way: Callable[[Phone], TestResponse]) -> None:
    lunch = phone.lunch
    assert press(phone).location == f"/account/sign-in?next=%2Fslots%2F{lunch.slot_id}"
    answer = way(phone)
    assert answer.request.full_path == DAY.format(lunch.slot_id).partition("#")[0]
    assert "约上了，明天 12:10 见" in words_of(answer.text)
    assert 'data-mine="booked"' in answer.text
    assert lunch.now().taken == 1


@pytest.mark.sqlite
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_slot_stays_in_sight_from_page_to_page(phone: Phone, language: str) -> None:
    press(phone)
    headers = {"Accept-Language": language}
    phone.post("/account/sign-in/code", LATER, data={"email": EMAIL})
    pages = ["sign-in", "sign-in/finish", "register", "forgotten"]
    said = {page: in_sight(phone.get(f"/account/{page}", LATER, headers=headers), phone) for page in pages}
    phone.post("/account/register", LATER, data={"email": NEW})
    said["end"] = in_sight(phone.get("/account/register/finish", LATER, headers=headers), phone)
    beginning = (
        "登录后为你预约： 明天 12:10 " if language == "zh" else "Booked for you once you sign in: Tomorrow 12:10 "
    )
    assert [words.startswith(beginning) for words in said.values()] == [True] * 5
    assert ("还剩 2 个名额" if language == "zh" else "2 seats left") in said["sign-in"]


@pytest.mark.sqlite
def test_a_press_by_script_leads_there_too(phone: Phone) -> None:
    answer = press(phone, headers=HTMX)
    assert answer.headers["HX-Redirect"].startswith("/account/sign-in")
    assert 'data-mine="booked"' in by_password(phone).text


@pytest.mark.sqlite
def test_the_result_is_shown_on_the_page_of_the_press(phone: Phone) -> None:
    press(phone, back="slot")
    answer = by_password(phone)
    assert answer.request.path == f"/slots/{phone.lunch.slot_id}"
    assert 'data-outcome="new"' in answer.text


@pytest.mark.sqlite
def test_who_was_on_the_way_elsewhere_goes_on_and_is_told(phone: Phone) -> None:
    press(phone)
    answer = phone.post("/account/sign-in", LATER, data={"email": EMAIL, "password": PASSWORD, "next": "/me"})
    assert (answer.request.path, phone.lunch.state("周明")) == ("/me", "booked")
    assert "约上了，明天 12:10 见" in words_of(answer.text)


MEANWHILE = [
    ("full", LATER, "你排在第 1 位", "waiting"),
    ("cancelled", LATER, "这一场已经取消：停电", None),
    ("taken by the person", LATER, "这一场你已经约上了", "booked"),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("what", "clock", "sentence", "state"), MEANWHILE)
def test_what_happened_meanwhile_is_said(phone: Phone, what: str, clock: str, sentence: str, state: str | None) -> None:
    lunch = phone.lunch
    press(phone)
    if what == "full":
        lunch.book("李静", NOT_YET)
        lunch.book("王磊", NOT_YET)
        assert in_sight(phone.get("/account/sign-in", LATER), phone).startswith("登录后为你候补：")
    elif what == "cancelled":
        lunch.cancel(NOT_YET)
        assert "这一场已经取消：停电" in in_sight(phone.get("/account/sign-in", LATER), phone)
    else:
        lunch.book("周明", NOT_YET)
    assert sentence in words_of(by_password(phone, clock).text)
    if state:
        assert lunch.state("周明") == state


TIMES = [
    ("Mon 09:30", "Mon 09:50", "这一场还没有放号，今天 10:00 开放。", 0),
    ("Mon 09:50", "Mon 10:05", "约上了", 1),
    ("12:05", "12:20", "这一场已经开始了。", 0),
    (NOT_YET, "Mon 10:30", "约上了", 1),
    (NOT_YET, "Mon 10:32", "", 0),
]


@pytest.mark.sqlite
@pytest.mark.parametrize(("pressed", "signed_in", "sentence", "seats"), TIMES)
def test_a_press_is_kept_for_half_an_hour_and_made_by_the_rules_of_then(
    phone: Phone, pressed: str, signed_in: str, sentence: str, seats: int
) -> None:
    press(phone, pressed)
    answer = by_password(phone, signed_in)
    assert (answer.status_code, phone.lunch.now().taken) == (200, seats)
    assert sentence in words_of(answer.text)
    assert seats or "约上了" not in words_of(answer.text)


@pytest.mark.sqlite
def test_who_is_in_a_moment_before_the_opening_waits_for_it(phone: Phone) -> None:
    press(phone, "Mon 09:58")
    answer = by_password(phone, "Mon 09:59:59")
    assert (answer.request.path, phone.lunch.now().taken) == (f"/slots/{phone.lunch.slot_id}/opening", 0)
    opened = phone.get(answer.request.full_path, "Mon 10:00:01", follow_redirects=True)
    assert ("约上了，明天 12:10 见" in words_of(opened.text), phone.lunch.now().taken) == (True, 1)


@pytest.mark.sqlite
def test_it_is_booked_once(phone: Phone) -> None:
    """The cookie of before, used again after the booking was given up."""
    press(phone)
    old = phone.client.get_cookie("lunch")
    assert old
    by_password(phone)
    phone.lunch.give_up("周明", "Mon 10:06")
    phone.client.set_cookie("lunch", old.value)
    assert "这一场你后来取消过，这次点击没有生效。" in words_of(by_password(phone, "Mon 10:10").text)
    assert (phone.lunch.state("周明"), booked(phone.lunch)) == ("cancelled", 1)


@pytest.mark.sqlite
def test_no_link_books_anything(app: Flask, lunch: LunchHour) -> None:
    """Neither before signing in nor after, not even for who has pressed another slot."""
    for who in ("", "周明"):
        phone = Phone(app, lunch, who)
        for path in (f"/slots/{lunch.slot_id}/book", f"/slots/{lunch.slot_id}/signed-in?key=a&back=day"):
            phone.get(path, NOT_YET)
        by_password(phone)
    other, phone = lunch.slot("13:10"), Phone(app, lunch)
    press(phone)
    phone.post(f"/slots/{other}/book", NOT_YET, follow=False, data={"back": "day"})
    by_password(phone)
    assert (lunch.now().taken, lunch.now(other).taken) == (0, 1)  # the last press counts


@pytest.mark.sqlite
def test_a_form_from_elsewhere_is_not_kept(make_app: Callable[..., Flask], lunch: LunchHour) -> None:
    app = make_app(WTF_CSRF_ENABLED=True)
    phone = Phone(app, lunch)
    assert press(phone).status_code == 400
    assert not in_sight(phone.get("/account/sign-in", LATER), phone)
    token = re.search(r'name="csrf_token" value="([^"]+)"', phone.day(NOT_YET))
    assert token
    phone.book(NOT_YET, csrf_token=token[1])
    assert in_sight(phone.get("/account/sign-in", LATER), phone)


@pytest.mark.sqlite
def test_it_can_be_taken_back(phone: Phone) -> None:
    press(phone)
    answer = phone.post(f"/slots/{phone.lunch.slot_id}/signed-in/forget", LATER)
    assert answer.request.path == f"/slots/{phone.lunch.slot_id}"
    by_password(phone)
    assert booked(phone.lunch) == 0


@pytest.mark.sqlite
def test_what_nobody_may_see_is_not_kept(phone: Phone) -> None:
    assert phone.post("/slots/999/book", NOT_YET).status_code == 404
    with time_machine.travel(at(LATER), tick=False), phone.client.session_transaction() as kept:
        assert "pending_booking" not in kept
