"""The opening as phones see it: bookings sent too early, cached pages, a database that is busy."""

import gzip
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from threading import Event, Lock, Semaphore
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from limits import parse
from sqlalchemy import Engine, func, make_url, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import config
from booking import people, seats
from booking.db import pool, statements, transactions
from booking.extensions import db
from booking.model import Activity, Booking, Try
from booking.web import rate_limit, semaphore
from booking.web.cache.gzip_parts import Packed
from booking.web.fast_lane.book import FastBooking
from booking.web.semaphore import TurnQueue
from tests.seats.test_strikes import give
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, card_in

pytestmark = pytest.mark.both
PATH = "/s/cbd?day=2026-11-24"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Two seats on Tuesday at 12:10; they open on Monday at 10:00."""
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def bookings(lunch: LunchHour) -> int:
    lunch.session.rollback()
    return lunch.session.scalar(select(func.count(Booking.id))) or 0


def newest(lunch: LunchHour) -> Booking:
    lunch.session.rollback()
    return lunch.latest("周明")


# A booking that comes too early


def test_a_script_is_told_when_to_press_again(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    early = phone.press("Mon 09:59:58.500")
    assert (early.status_code, bookings(lunch)) == (425, 0)
    assert 1500 <= int(early.headers["X-Press-Again-In"]) <= 2000
    assert phone.press("Mon 10:00").status_code == 200
    assert newest(lunch).state == "booked"


def test_more_than_two_seconds_early_is_refused(app: Flask, lunch: LunchHour) -> None:
    early = Phone(app, lunch, "周明").press("Mon 09:59:57.900")
    assert (early.status_code, bookings(lunch)) == (409, 0)
    assert 'data-refusal="not_open"' in early.text


def test_without_script_a_page_refreshes_itself_into_the_booking(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    sent = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 09:59:58.500", follow=False, data={"key": "k"})
    carried = sent.headers["Location"]
    waits = phone.get(carried, "Mon 09:59:59")
    assert waits.headers["Refresh"].startswith("1; url=/slots/")
    assert "不用再按" in waits.text
    assert bookings(lunch) == 0
    done = phone.get(carried, "Mon 10:00:01", follow_redirects=True)
    assert "约上了" in done.text
    assert (newest(lunch).state, newest(lunch).key) == ("booked", "k")
    phone.get(carried, "Mon 10:00:02")
    assert bookings(lunch) == 1


def test_a_deferred_booking_is_for_one_person_and_expires(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    sent = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 09:59:58.500", follow=False)
    carried = sent.headers["Location"]
    Phone(app, lunch, "李静").get(carried, "Mon 10:00:01")
    phone.get(f"/slots/{lunch.slot_id}/opening?press=made-up", "Mon 10:00:01")
    phone.get(carried, "Mon 10:01")
    assert bookings(lunch) == 0


@pytest.mark.parametrize(
    ("whole", "processes", "share"), [("60 per minute", 1, 60), ("60 per minute", 4, 15), ("3 per 2 minutes", 4, 1)]
)
def test_each_process_admits_its_share_of_the_rate_limit(whole: str, processes: int, share: int) -> None:
    limit = rate_limit._share(whole, processes)
    assert limit.amount == share
    assert limit.get_expiry() == parse(whole).get_expiry()


def test_the_rate_limit_asks_to_wait_and_still_allows_cancelling(
    make_app: Callable[..., Flask], lunch: LunchHour
) -> None:
    app = make_app(RATELIMIT_ENABLED=True, PRESS_LIMIT="3 per minute")
    phone = Phone(app, lunch, "周明")
    assert [phone.press("Mon 10:00").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert phone.press("Mon 10:00").headers["Retry-After"] == "5"
    assert Phone(app, lunch, "李静").press("Mon 10:00").status_code == 200
    phone.give_up("周明", "Mon 10:01")
    assert newest(lunch).state == "cancelled"


def test_a_refused_press_is_told_later(app: Flask, lunch: LunchHour) -> None:
    lunch.slot("13:10")
    phone = Phone(app, lunch, "周明")
    phone.press("Mon 10:00")
    other = phone.post(f"/slots/{lunch.slot_id + 1}/book", "Mon 10:01", headers=HTMX)
    assert 'data-refusal="day_limit"' in other.text
    lunch.session.rollback()
    kept = lunch.session.scalars(select(Try)).one()
    assert (kept.slot_id, kept.reason, kept.most) == (lunch.slot_id + 1, "day_limit", 1)


# Cached pages


@pytest.fixture
def stands(make_app: Callable[..., Flask]) -> Flask:
    """An app that polls the change feed only when it must, with tokens in its forms."""
    return make_app(CACHE_POLL_SECONDS=1000, WTF_CSRF_ENABLED=True)


def look(phone: Phone, clock: str = "Mon 10:01", **headers: str) -> str:
    return phone.get(PATH, clock, headers=headers).text


def own(page: str) -> set[str]:
    return {found[1] for found in re.finditer(r'name="csrf_token" value="([^"]+)"', page)}


def bare(page: str) -> str:
    """A page without what is its reader's own."""
    return re.sub(r'name="(csrf_token|key)" value="[^"]+"|data-(me|now|fresh)="[^"]*"|(?<=[0-9a-f]-)\d+(?=")', "", page)


def test_readers_without_bookings_share_a_page_and_no_secret(stands: Flask, lunch: LunchHour) -> None:
    one, two = Phone(stands, lunch, "周明"), Phone(stands, lunch, "李静")
    first, second = look(one), look(two)
    assert bare(first) == bare(second)
    assert len(own(first)) == len(own(second)) == 1
    assert not own(first) & own(second)
    assert re.findall(r'data-me="(\d+)"', first) != re.findall(r'data-me="(\d+)"', second)


def test_each_slot_of_a_page_has_a_key_of_its_own_and_each_page_has_new_ones(stands: Flask, lunch: LunchHour) -> None:
    other = lunch.slot("13:10")
    phone = Phone(stands, lunch, "周明")
    pages = [look(phone) for _ in range(3)]
    keys = {card_in(page, slot).field("key") for page in pages for slot in (lunch.slot_id, other)}
    assert len(keys) == 6


def test_a_cached_page_is_served_until_the_change_feed_is_polled(stands: Flask, lunch: LunchHour) -> None:
    phone = Phone(stands, lunch, "周明")
    assert card_in(look(phone), lunch.slot_id).data["left"] == "2"
    lunch.book("李静", "Mon 10:00")
    assert card_in(look(phone), lunch.slot_id).data["left"] == "2"  # the control: it is cached indeed
    stands.extensions["cache"].news.look(at_once=True)
    assert card_in(look(phone), lunch.slot_id).data["left"] == "1"


def test_a_person_sees_their_own_change_at_once(stands: Flask, lunch: LunchHour) -> None:
    phone = Phone(stands, lunch, "周明")
    token = card_in(look(phone), lunch.slot_id).field("csrf_token")
    phone.post(f"/slots/{lunch.slot_id}/book", "Mon 10:01", data={"csrf_token": token, "back": "day"}, headers=HTMX)
    assert card_in(look(phone), lunch.slot_id).data["mine"] == "booked"


def test_a_shared_page_on_one_day_may_be_personal_on_another(stands: Flask, lunch: LunchHour) -> None:
    later = lunch.slot("Wed 12:10")  # not open yet: there a pause changes nothing
    give(lunch, 20, 10, 5, who="周明")
    for who in ("李静", "周明"):
        phone = Phone(stands, lunch, who)
        assert card_in(phone.day("Mon 10:01", "2026-11-25"), later).data["state"] == "planned"
        assert ('data-refusal="paused"' in card_in(look(phone), lunch.slot_id).html) == (who == "周明")


def test_a_cached_page_expires_by_the_clock(stands: Flask, lunch: LunchHour) -> None:
    phone = Phone(stands, lunch, "周明")
    assert card_in(look(phone, "Mon 09:59:59"), lunch.slot_id).data["state"] == "planned"
    assert card_in(look(phone, "Mon 10:00"), lunch.slot_id).data["state"] == "open"


@pytest.fixture
def take_all_turns(stands: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on the database hangs, as it seems: no turn comes free."""
    monkeypatch.setattr(semaphore, "STALLED", 0.05)
    monkeypatch.setattr(semaphore, "MOST_WAITING", 0)
    around: Any = stands.wsgi_app
    while not isinstance(around, FastBooking):
        around = around._ask

    def take() -> None:
        for turns in (around._turns._turns, around._turns.for_bookings):
            assert all(turns.take() for _ in range(stands.config["MAX_CONCURRENT_REQUESTS"]))

    return take


def test_a_page_in_memory_waits_for_no_turn(
    stands: Flask, lunch: LunchHour, take_all_turns: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lunch.book("周明", "Mon 10:00")
    phone, own = Phone(stands, lunch, "李静"), Phone(stands, lunch, "周明")
    page, _again = look(phone), look(phone)
    knows = HTMX | {"If-None-Match": own.get(PATH, "Mon 10:01", headers=HTMX).headers["ETag"]}
    own.get(PATH, "Mon 10:01", headers=knows)  # the first 304 is made by the app
    take_all_turns()
    assert bare(look(phone)) == bare(page)
    assert own.get(PATH, "Mon 10:01", headers=knows).status_code == 304
    for who, path in ((phone, "/s/cbd?day=2026-11-25"), (own, PATH)):
        assert who.get(path, "Mon 10:01").status_code == 200, "the database is asked without a turn"
    permits = TurnQueue(1, waiting=0)
    monkeypatch.setattr(stands.extensions["cache"].aside, "_permits", permits)
    assert permits.take()
    assert own.get(PATH, "Mon 10:01").status_code == 503, "control: only so many ask without a turn"


def test_a_booking_waits_for_no_turn(stands: Flask, lunch: LunchHour, take_all_turns: Callable[[], None]) -> None:
    phones = {who: Phone(stands, lunch, who) for who in ("李静", "周明", "王磊")}
    tokens = {who: card_in(look(phone), lunch.slot_id).field("csrf_token") for who, phone in phones.items()}

    def press(who: str, headers: dict[str, str] = HTMX) -> int:
        form = {"csrf_token": tokens[who], "back": "day", "key": f"key-{who}"}
        return phones[who].post(f"/slots/{lunch.slot_id}/book", "Mon 10:01", data=form, headers=headers).status_code

    take_all_turns()
    assert press("王磊", {}) == 503, "control: without htmx the app answers"
    assert bookings(lunch) == 0
    assert [press(who) for who in phones] == [200] * 3
    assert bookings(lunch) == 3, "what is written is answered, also where the app makes the answer"


def test_a_poll_that_knows_it_all_gets_304_and_news_gets_a_page(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    first = phone.get(PATH, "Mon 10:01", headers=HTMX)
    poll = HTMX | {"If-None-Match": first.headers["ETag"]}
    answers = [phone.get(PATH, "Mon 10:01", headers=poll) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [304] * 3
    new = ("X-Request-ID", "Poll-After")
    kept = [{name: value for name, value in answer.headers.items() if name not in new} for answer in answers]
    assert kept[0] == kept[2]
    lunch.book("李静", "Mon 10:01")
    assert phone.get(PATH, "Mon 10:01", headers=poll).status_code == 200


def test_a_sign_in_that_ended_gets_nothing_that_was_kept(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    lunch.book("周明", "Mon 10:00")
    assert "mine" in card_in(look(phone), lunch.slot_id).data
    assert "mine" in card_in(look(phone), lunch.slot_id).data
    with transactions.transaction(lunch.session) as session:
        people.end_sign_ins(session, lunch.people["周明"], at("Mon 10:01"))
    assert "mine" not in card_in(look(phone), lunch.slot_id).data


def test_a_kept_page_comes_packed_as_well(app: Flask, lunch: LunchHour) -> None:
    phone = Phone(app, lunch, "周明")
    look(phone)
    packed = phone.get(PATH, "Mon 10:01", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert bare(gzip.decompress(packed.data).decode()) == bare(look(phone))


@given(st.lists(st.text(max_size=300), min_size=1, max_size=9), st.text(max_size=70_000 // 4))
def test_pieces_packed_are_the_pieces_plain(texts: list[str], value: str) -> None:
    names = [part for each in texts for part in (each, "own")][:-1]
    pieces = Packed(names)
    assert gzip.decompress(pieces.packed({"own": value})) == pieces.plain({"own": value})


def test_words_that_look_like_a_blank_stay_words(app: Flask, lunch: LunchHour) -> None:
    odd = "\ue000csrfx\ue001 7310000001 \ue000title\ue001"
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Activity).values(title=odd))
    for who in ("", "周明"):
        assert odd in look(Phone(app, lunch, who))


# A database that is busy


@pytest.fixture
def hurried(make_app: Callable[..., Flask], database_url: str) -> Flask:
    """An app whose locks wait for 0.3 seconds."""
    options = config.engine_options(database_url)
    options["execution_options"]["session_settings"]["lock_timeout"] = "300"
    return make_app(SQLALCHEMY_ENGINE_OPTIONS=options)


@pytest.fixture
def held(engine: Engine, lunch: LunchHour) -> Iterator[Callable[[float], Callable[[], None]]]:
    """Locks the slot's row for so many seconds, or until it is told to release it."""
    held = []

    def hold(seconds: float, holds: threading.Event, let_go: threading.Event) -> None:
        with engine.begin() as connection:
            connection.execute(text("SELECT 1 FROM slot WHERE id = :id FOR UPDATE"), {"id": lunch.slot_id})
            holds.set()
            let_go.wait(seconds)

    def start(seconds: float) -> Callable[[], None]:
        holds, let_go = threading.Event(), threading.Event()
        thread = threading.Thread(target=hold, args=[seconds, holds, let_go])

        def end() -> None:
            let_go.set()
            thread.join()

        thread.start()
        held.append(end)
        assert holds.wait(30)
        return end

    yield start
    for end in held:
        end()


@pytest.mark.postgresql
def test_a_lock_that_is_held_for_a_moment_is_waited_for_twice(
    hurried: Flask, lunch: LunchHour, held: Callable[[float], Callable[[], None]]
) -> None:
    held(0.4)
    assert Phone(hurried, lunch, "周明").press("Mon 10:00").status_code == 200
    assert newest(lunch).state == "booked"


@pytest.mark.postgresql
def test_a_lock_that_stays_is_a_calm_503_and_nothing_was_booked(
    hurried: Flask, lunch: LunchHour, held: Callable[[float], Callable[[], None]]
) -> None:
    let_go = held(30)
    busy = Phone(hurried, lunch, "周明").press("Mon 10:00")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "3")
    assert "刚才没有约上，也什么都没有改变。请再按一次。" in busy.text
    let_go()
    assert bookings(lunch) == 0


@pytest.mark.postgresql
def test_connections_that_were_cut_cost_a_press_nothing(app: Flask, lunch: LunchHour, engine: Engine) -> None:
    phone = Phone(app, lunch, "周明")
    phone.day("Mon 10:00")
    lunch.session.rollback()
    with engine.connect() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
    assert phone.press("Mon 10:00").status_code == 200
    assert bookings(lunch) == 1


def test_a_press_of_which_nobody_knows_says_so(app: Flask, lunch: LunchHour, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_arguments: object) -> None:
        raise OperationalError("", None, Exception("gone"), connection_invalidated=True)

    monkeypatch.setattr(seats, "book", lost)
    monkeypatch.setattr(seats, "press", lost)
    for headers in (HTMX, {}):
        answer = Phone(app, lunch, "周明").post(
            f"/slots/{lunch.slot_id}/book", "Mon 10:00", data={"back": "day"}, headers=headers
        )
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
        assert "还不知道刚才有没有成功。请再按一次：成功了也不会重复。" in answer.text


@pytest.mark.sqlite
def test_a_file_that_stays_locked_is_a_calm_503_and_nothing_was_booked(
    app: Flask, lunch: LunchHour, database_url: str
) -> None:
    phone = Phone(app, lunch, "周明")
    phone.day("Mon 10:00")
    with app.app_context(), pool.connection(db.engine) as line:
        line.send("PRAGMA busy_timeout = 100")
    with closing(sqlite3.connect(make_url(database_url).database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        busy = phone.press("Mon 10:00")
        other.execute("ROLLBACK")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "3")
    assert bookings(lunch) == 0
    assert phone.press("Mon 10:00").status_code == 200


@pytest.mark.sqlite
def test_a_commit_that_fails_leaves_no_transaction_behind(
    app: Flask, lunch: LunchHour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    phone = Phone(app, lunch, "周明")
    send = statements.DriverConnection.send

    def full(line: statements.DriverConnection, text: str) -> None:
        send(line, "COMMIT, for the disk is full" if text == "COMMIT" else text)

    with monkeypatch.context() as broken:
        broken.setattr(statements.DriverConnection, "send", full)
        assert phone.press("Mon 10:00").status_code == 200  # by itself, in a transaction of the session
    assert "a batch of 1 was not written" in caplog.text
    caplog.clear()
    assert Phone(app, lunch, "李静").press("Mon 10:00").status_code == 200
    assert (bookings(lunch), caplog.text) == (2, "")


@pytest.mark.parametrize(("guard", "made"), [(Lock, 1), (nullcontext, 2)], ids=["the lock", "control"])
def test_the_first_presses_of_a_process_make_one_answer(
    monkeypatch: pytest.MonkeyPatch, guard: Callable[[], Any], made: int
) -> None:
    """Twenty at once would take so long that others are told that we are busy."""
    inside, let_go, kept = Semaphore(0), Event(), list[str]()
    fast: Any = FastBooking.__new__(FastBooking)
    fast._making = guard()

    def by_the_app(*_: Any) -> str:
        inside.release()
        assert let_go.wait(10)
        kept.append("answer")
        return "answer"

    monkeypatch.setattr(fast, "_without_app", lambda *_: next(iter(kept), None), raising=False)
    monkeypatch.setattr(fast, "_by_the_app", by_the_app, raising=False)
    asked: Any = SimpleNamespace(by_the_app=None)
    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(fast._made_once, asked, asked, 200) for _ in range(2)]
        assert inside.acquire(timeout=10)
        assert inside.acquire(timeout=10 if made == 2 else 0.1) is (made == 2)
        let_go.set()
        assert [answer.result(10) for answer in answers] == ["answer"] * 2
    assert len(kept) == made
