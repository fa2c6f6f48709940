"""Fast path: its answers equal, word for word, what the app would have answered."""

import gc
import gzip
import re
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask_babel import gettext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import EnvironBuilder, TestResponse

from booking import people
from booking.db import transactions
from booking.model import Activity, Booking, Slot, Station, Try
from booking.slots import catalogue as settings_of
from booking.web.i18n import formatting
from booking.web.i18n.locale_context import LocaleContexts
from tests.seats.test_strikes import give
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, card_in, when

pytestmark = pytest.mark.both
WECHAT = {"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50"}
PATH = "/s/cbd?day=2026-11-24"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def press(phone: Phone, clock: str, slot_id: int | None = None, *, whole: bool = False, **headers: str) -> TestResponse:
    """Book on a card. `whole`: with a question mark after the address, so that the app handles it itself."""
    path = f"/slots/{slot_id or phone.lunch.slot_id}/book{'?whole' if whole else ''}"
    return phone.post(path, clock, data={"back": "day", "key": "k"}, headers=HTMX | headers)


def phone_of(app: Flask, lunch: LunchHour, who: str) -> Phone:
    """A phone that has loaded the page it books on: its session has a token."""
    phone = Phone(app, lunch, who)
    phone.get(PATH, "Mon 09:00")
    return phone


def same(answer: TestResponse) -> tuple[Any, ...]:
    """The answer without what is new each time: ids of bookings, keys, tokens."""
    html = re.sub(r'(/bookings/|name="(key|csrf_token)" value=")[\w.-]*', r"\1", answer.text)
    headers = {name: value for name, value in answer.headers.items() if name not in ("Content-Length", "X-Request-ID")}
    return answer.status_code, headers, html


@pytest.fixture
def without_flask(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on the app must not be called."""

    def forbid() -> None:
        def asked(*_arguments: Any) -> None:
            raise AssertionError("the app was asked")

        monkeypatch.setattr(app, "request_context", asked)

    return forbid


def nothing(_lunch: LunchHour) -> None:
    pass


def full(lunch: LunchHour) -> None:
    for name in ("李静", "王磊"):
        lunch.book(name, "Mon 10:00")


def in_line(lunch: LunchHour) -> None:
    full(lunch)
    lunch.book("陈晨", "Mon 10:00")


def booked_beside(lunch: LunchHour) -> None:
    lunch.book("周明", "Mon 10:00", lunch.slot("13:10"))


def booked_across(lunch: LunchHour) -> None:
    """A seat at the same hour in another station."""
    lunch.book("周明", "Mon 10:00", lunch.slot("12:20", station_id=lunch.other_station()))


def waits_twice(lunch: LunchHour) -> None:
    full(lunch)
    for clock in ("15:10", "16:10"):
        other = lunch.slot(clock, 1, station_id=lunch.other_station(f"s{clock[:2]}"))
        lunch.book("吴桐", "Mon 10:00", other)
        lunch.book("周明", "Mon 10:00", other)


def paused(lunch: LunchHour) -> None:
    give(lunch, 20, 10, 5, who="周明")


def cancelled(lunch: LunchHour) -> None:
    lunch.cancel("Mon 09:00", "停电 <b>")


def english(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        people.speak(session, lunch.people["周明"], "en", at("Mon 08:00"))


def one_bring(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.scalars(select(Activity)).one().bring = "一张瑜伽垫 <b> {0} \ue000csrf\ue001"


def odd_words(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.scalars(select(Activity)).one().title = "瑜伽 \ue000csrf\ue001 <key> {0}"


SITUATIONS = {
    "a seat": (nothing, "Mon 10:01", 200),
    "a seat, in English": (english, "Mon 10:01", 200),
    "a seat, and what to bring": (one_bring, "Mon 10:01", 200),
    "the first place in line": (full, "Mon 10:01", 200),
    "the second": (in_line, "Mon 10:01", 200),
    "not open yet": (nothing, "Mon 09:00", 409),
    "not open yet, in odd words": (odd_words, "Mon 09:00", 409),
    "one a day": (booked_beside, "Mon 10:01", 409),
    "another at that hour": (booked_across, "Mon 10:01", 409),
    "two places at most": (waits_twice, "Mon 10:01", 409),
    "paused": (paused, "Mon 10:01", 409),
    "the line is closed": (full, "11:50", 409),
    "begun": (nothing, "12:20", 409),
    "over": (nothing, "15:00", 409),
    "cancelled": (cancelled, "Mon 10:01", 409),
}


@pytest.mark.pairs
@pytest.mark.parametrize("headers", [{}, WECHAT], ids=["browser", "wechat"])
@pytest.mark.parametrize(("given_that", "clock", "status"), SITUATIONS.values(), ids=SITUATIONS)
def test_cached_answers_equal_the_apps(
    app: Flask,
    lunch: LunchHour,
    without_flask: Callable[[], None],
    given_that: Callable[[LunchHour], None],
    clock: str,
    status: int,
    headers: dict[str, str],
) -> None:
    given_that(lunch)
    phone = phone_of(app, lunch, "周明")
    answers = []
    for whole in (True, False, False, False):
        if len(answers) == 3:
            without_flask()
        answers.append(same(press(phone, clock, whole=whole, **headers)))
        if status == 200:
            take_back(lunch)
    assert answers[0][0] == status
    assert answers == [answers[0]] * 4


def take_back(lunch: LunchHour) -> None:
    """Undone as if not booked: the key is free again."""
    lunch.give_up("周明", "Mon 10:01")
    with transactions.transaction(lunch.session):
        lunch.latest("周明").key = None


def test_a_second_press_says_so_and_changes_nothing(
    app: Flask, lunch: LunchHour, without_flask: Callable[[], None]
) -> None:
    phone = phone_of(app, lunch, "周明")
    press(phone, "Mon 10:01")
    answers = [same(press(phone, "Mon 10:01", whole=whole)) for whole in (True, False, False)]
    without_flask()
    answers.append(same(press(phone, "Mon 10:01")))
    assert answers == [answers[0]] * 4
    assert "这一场你已经约上了" in answers[0][2]
    assert lunch.session.scalar(select(func.count(Booking.id))) == 1


def test_changed_texts_are_rendered_again(app: Flask, lunch: LunchHour) -> None:
    phone = phone_of(app, lunch, "周明")
    for _ in range(2):
        press(phone, "Mon 09:00")
    with transactions.transaction(lunch.session) as session:
        activity = session.scalars(select(Activity)).one()
        activity.title = "八段锦"
        settings_of.save_activity(session, activity, at("Mon 09:00"))
    assert "八段锦" in press(phone, "Mon 09:00").text


def test_a_refusal_shows_the_current_counters(app: Flask, lunch: LunchHour) -> None:
    booked_beside(lunch)
    phone = phone_of(app, lunch, "周明")

    def both() -> str:
        kept, whole = (same(press(phone, "Mon 10:01", whole=whole)) for whole in (False, True))
        assert kept == whole
        return str(kept[2])

    seen = [both() for _ in range(3)]
    lunch.book("李静", "Mon 10:01")
    seen += [both() for _ in range(2)]
    lunch.give_up("李静", "Mon 10:01")
    assert [seen.index(html) for html in [*seen, both()]] == [0, 0, 0, 3, 3, 0]


def test_what_decides_is_read_for_every_booking(app: Flask, lunch: LunchHour) -> None:
    """Also when no event was written: the texts of a slot may be a moment old, its rules never."""
    phone = phone_of(app, lunch, "周明")
    for _ in range(2):
        assert press(phone, "Mon 09:00").status_code == 409
    with transactions.transaction(lunch.session) as session:
        session.get_one(Slot, lunch.slot_id).opens_at = at("Mon 08:00")
    assert press(phone, "Mon 09:00").status_code == 200


def test_a_closed_station_lets_nobody_in_at_once(app: Flask, lunch: LunchHour) -> None:
    phone = phone_of(app, lunch, "周明")
    for _ in range(2):
        press(phone, "Mon 09:00")
    with transactions.transaction(lunch.session) as session:
        session.scalars(select(Station)).one().closed_at = at("Mon 08:00")
    assert press(phone, "Mon 10:01").status_code == 404
    assert lunch.session.scalar(select(func.count(Booking.id))) == 0


@pytest.mark.sqlite
def test_texts_without_a_request_have_the_right_language_in_every_thread(app: Flask) -> None:
    contexts = LocaleContexts(app)

    def words() -> tuple[str, str]:
        return formatting.language(), str(gettext("今天"))

    def both(_turn: int) -> list[tuple[str, str]]:
        return [contexts.in_locale(language, words) for language in ("zh_Hans_CN", "en", "zh_Hans_CN")]

    with ThreadPoolExecutor(4) as pool:
        assert set(map(tuple, pool.map(both, range(20)))) == {(("zh-CN", "今天"), ("en", "today"), ("zh-CN", "今天"))}
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert formatting.language() == "en", "what is settled there is settled nowhere else"


def test_each_reader_gets_their_own_language_and_token(make_app: Callable[..., Flask], lunch: LunchHour) -> None:
    app = make_app(WTF_CSRF_ENABLED=True)
    lunch.slot("15:10")
    english(lunch)
    said = {}
    for who in ("周明", "李静", "王磊"):
        phone = Phone(app, lunch, who)
        token = card_in(phone.get(PATH, "Mon 10:01").text, lunch.slot_id).field("csrf_token")
        form = {"back": "day", "key": "k", "csrf_token": token}
        said[who] = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 10:01", data=form, headers=HTMX).text
        assert token in said[who]
    assert "You are number" not in said["李静"]
    assert "约上了" in said["李静"]
    assert "约上了" not in said["周明"]
    assert "你排在第 1 位" in said["王磊"]


def test_the_answer_is_compressed_for_browsers_that_accept_it(app: Flask, lunch: LunchHour) -> None:
    phone = phone_of(app, lunch, "周明")
    plain = press(phone, "Mon 09:00").text
    packed = press(phone, "Mon 09:00", **{"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data).decode() == plain


def test_a_refusal_is_remembered_also_when_the_app_was_not_asked(
    app: Flask, lunch: LunchHour, without_flask: Callable[[], None]
) -> None:
    other = lunch.slot("13:10", capacity=3)
    phones = [phone_of(app, lunch, name) for name in ("李静", "周明", "王磊")]
    for name in ("李静", "周明", "王磊"):
        lunch.book(name, "Mon 10:00", other)
    for phone in phones[:2]:
        press(phone, "Mon 10:01")
    without_flask()
    press(phones[2], "Mon 10:01")
    lunch.session.rollback()
    kept = lunch.session.scalars(select(Try).where(Try.person_id == lunch.people["王磊"])).one()
    assert (kept.slot_id, kept.reason, kept.most) == (lunch.slot_id, "day_limit", 1)


@pytest.mark.parametrize(("given_that", "clock"), [(nothing, "Mon 09:00"), (cancelled, "Mon 10:01")])
def test_a_refusal_leaves_nothing_for_the_collector(
    app: Flask, lunch: LunchHour, given_that: Callable[[LunchHour], None], clock: str
) -> None:
    """A refusal that held the frame which raised it would keep the whole request until a garbage collection."""
    given_that(lunch)
    phone = phone_of(app, lunch, "周明")
    for _ in range(3):
        press(phone, clock)
    request = EnvironBuilder(path=f"/slots/{lunch.slot_id}/book", method="POST", data={"back": "day", "key": "k"})
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in phone.client._cookies.values())
    environ = request.get_environ() | {"HTTP_HX_REQUEST": "true", "HTTP_COOKIE": cookies}
    said: list[str] = []
    environ["of this request"] = mark = type("Mark", (), {})()
    alive = weakref.ref(mark)
    with time_machine.travel(when(clock), tick=False):
        gc.disable()
        try:
            list(app.wsgi_app(environ, lambda status, _headers: said.append(status)))
            del environ, mark
            assert (said, alive()) == (["409 CONFLICT"], None)
        finally:
            gc.enable()


# Requests that are passed to the app


@pytest.fixture
def strict(make_app: Callable[..., Flask]) -> Flask:
    return make_app(WTF_CSRF_ENABLED=True)


@pytest.fixture
def signed(strict: Flask, lunch: LunchHour) -> tuple[Phone, str]:
    phone = Phone(strict, lunch, "周明")
    return phone, card_in(phone.get(PATH, "Mon 10:01").text, lunch.slot_id).field("csrf_token")


ODD_FORMS: dict[str, Any] = {
    "no token": {"back": "day", "key": "k"},
    "a made-up token": {"back": "day", "key": "k", "csrf_token": "made.up.token"},
    "NUL in the key": {"back": "day", "key": "k\x00"},
    "a token twice": {"back": "day", "key": "k", "csrf_token": ["x", "y"]},
}


@pytest.mark.parametrize("form", ODD_FORMS.values(), ids=ODD_FORMS)
def test_an_irregular_form_is_refused_by_the_app(
    signed: tuple[Phone, str], lunch: LunchHour, form: dict[str, Any]
) -> None:
    phone, token = signed
    sent = form if "token" in " ".join(form) or "\x00" not in str(form) else form | {"csrf_token": token}
    answer = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 10:01", data=sent, headers=HTMX)
    assert answer.status_code == 400
    assert lunch.session.scalar(select(func.count(Booking.id))) == 0


def test_who_is_signed_out_elsewhere_or_disabled_does_not_press(app: Flask, lunch: LunchHour) -> None:
    for end in (people.end_sign_ins, lambda s, person, now: people.disable(s, person, now, lunch.manager_id)):
        phone = Phone(app, lunch, "周明")
        with transactions.transaction(lunch.session) as session:
            end(session, lunch.people["周明"], at("Mon 10:00"))
        answer = press(phone, "Mon 10:01")
        assert answer.status_code == 204
        assert answer.headers["HX-Redirect"].startswith("/account/sign-in")
    assert lunch.session.scalar(select(func.count(Booking.id))) == 0


def test_an_anonymous_reader_is_led_to_sign_in(app: Flask, lunch: LunchHour) -> None:
    assert press(Phone(app, lunch), "Mon 10:01").headers["HX-Redirect"].startswith("/account/sign-in")


CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


@pytest.mark.sqlite
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=st.integers(0, 90), letter=st.sampled_from(CHARACTERS))
def test_no_csrf_token_passes_that_the_app_would_refuse(
    signed: tuple[Phone, str], lunch: LunchHour, place: int, letter: str
) -> None:
    phone, token = signed
    at_place = place % len(token)
    form = {"back": "day", "key": "k", "csrf_token": token[:at_place] + letter + token[at_place + 1 :]}
    codes = {
        phone.post(f"/slots/{lunch.slot_id}/book{end}", "Mon 09:00", data=form, headers=HTMX).status_code
        for end in ("", "?whole")
    }
    assert len(codes) == 1
