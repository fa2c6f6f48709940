"""Memory bounds of a web process's caches, whatever clients send."""

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import extensions
from booking.db import transactions
from booking.extensions import BoundedMemoryStorage
from booking.model import Activity, SignedIn
from booking.queries import station_day
from booking.queries.page_reader import PageReader
from booking.queries.station_day import StationDay
from booking.seats import Eligibility, Entry
from booking.web import assets
from booking.web.cache import store
from booking.web.cache.lru import Memory
from booking.web.i18n import formatting, language
from booking.web.worker import card_cache, page_cache
from booking.web.worker.day_view import DayPage
from booking.web.worker.filters import Pick
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone

MB = 2**20


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def stores(app: Flask) -> dict[str, Memory[Any, Any]]:
    """Everything that a web process caches by what clients ask."""
    of_app = {name: found for name, found in vars(app.extensions["cache"]).items() if isinstance(found, Memory)}
    return of_app | {"fragments": card_cache.fragments._kept}


@pytest.mark.sqlite
def test_all_stores_together_are_bounded(app: Flask) -> None:
    assert set(stores(app)) == {"readers", "days", "boards", "pages", "texts", "fragments", "pictures"}
    assert sum(found.most for found in stores(app).values()) <= 100 * MB


@pytest.mark.sqlite
def test_thousands_of_made_up_headers_leave_what_one_reader_leaves(
    make_app: Callable[..., Flask], lunch: LunchHour
) -> None:
    app = make_app(CACHE_POLL_SECONDS=1000)
    phone = Phone(app, lunch)
    phone.day("Mon 10:01")  # any session's cookie will do
    path = "/s/cbd?day=2026-11-24"
    for headers in ({}, HTMX):
        phone.get(path, "Mon 10:01", headers=headers)
    before = {name: found.size for name, found in stores(app).items()}
    for n in range(2000):
        made_up = {"User-Agent": f"{n} {'a' * 4000}", "Accept-Language": f"zh, x-{n}{'b' * 200}", "X-Odd": str(n)}
        phone.client.set_cookie("junk", f"{n}{'c' * 3000}")
        query = f"&x{n}={'d' * 2000}" if n % 3 == 0 else f"&kind={n}" if n % 3 == 1 else ""
        answer = phone.get(f"{path}{query}", "Mon 10:01", headers=made_up | (HTMX if n % 2 else {}))
        assert answer.status_code == 200
    assert {name: found.size for name, found in stores(app).items()} == before


@pytest.mark.sqlite
def test_any_number_of_readers_stays_within_the_bound(make_app: Callable[..., Flask], lunch: LunchHour) -> None:
    """Each with a session of their own, and with an ETag that they claim to have."""
    app = make_app(CACHE_POLL_SECONDS=1000)
    found = app.extensions["cache"]
    found.pages = found.aside.pages = Memory(300_000)
    for n in range(150):
        phone = Phone(app, lunch)
        phone.day("Mon 10:01")
        have = HTMX | {"If-None-Match": f'W/"{n:020x}-"'}
        phone.get(f"/s/cbd?day=2026-11-{24 + n % 5}&open={n % 2}", "Mon 10:01", headers=have)
    assert len(found.page_headers) <= 8  # two languages, page or fragment, 200 or 304
    assert 100_000 < found.pages.size <= found.pages.most


def known(n: int) -> store.Known:
    """A reader with two bookings, and what they were sent last."""
    now = datetime(2026, 11, 23, 10, n % 60, n // 60 % 60, tzinfo=UTC)
    booked = [Entry(n + m, n, n, now.date(), now, now + timedelta(n), "booked", "tap", None, now) for m in (1, 2)]
    reader = PageReader(SignedIn(n, n, "en", False), Eligibility(n, False, None, tuple(booked)), {})
    return store.Known(reader, n, now, now, (n, now, f"{n}" * 60))


def test_the_weight_is_an_upper_bound() -> None:
    memory: Memory[Any, Any] = Memory(MB)
    for kind in (
        lambda n: f"{n}" * 99,
        lambda n: (n, [f"{n}", {n: b"x" * 500}]),
        known,
    ):
        memory.clear()
        tracemalloc.start()
        for n in range(4_000):
            memory["key", n] = kind(n)
        used, _peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert 300_000 < used <= memory.size + 200_000
        assert memory.size <= memory.most


@pytest.mark.sqlite
def test_a_rendered_day_weighs_no_more_than_it_says(app: Flask, session: Session) -> None:
    """With long texts, and with both forms of its markup made."""
    crowded = LunchHour(session)
    for hour in range(10, 20):
        crowded.slot(f"Tue {hour}:10")
    with transactions.transaction(session):
        session.execute(update(Activity).values(title="白领瑜伽课堂与颈肩舒展" * 5))
    engine, now = session.get_bind().engine, at("Mon 10:01")
    day = station_day.find(engine, "cbd", now.date() + timedelta(days=1), now)
    assert day
    with app.test_request_context():
        _rendered(day, now)  # its fragments are counted elsewhere
        made = [_rendered(day, now) for _five in range(5)]
    rendered = made[0][0]
    assert len(rendered.cards) == 11
    # One measure differs from the next by up to a fifth: it has what the interpreter and other threads take meanwhile.
    used = median(size for _day, size in made)
    assert rendered.weight / 2 < used <= rendered.weight


def _rendered(day: StationDay, now: datetime) -> tuple[page_cache.RenderedDay, int]:
    """A rendered day, and the bytes that were taken meanwhile."""
    tracemalloc.start()
    try:
        rendered = page_cache.render_day(DayPage(day, None, now, Pick()), False)
        assert rendered.packed.weight
        return rendered, tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_what_is_larger_than_the_memory_is_not_kept_and_the_old_value_neither() -> None:
    memory: Memory[str, bytes] = Memory(10_000)
    memory["a"], memory["b"] = b"old", b"b"
    memory["a"] = b"x" * 20_000
    assert (memory.get("a"), memory.get("b")) == (None, b"b")


def test_the_least_recently_used_is_dropped_first() -> None:
    memory: Memory[int, bytes] = Memory(10_000)
    memory[0] = b"0"
    for n in range(1, 50):
        memory[n] = bytes(500)
        assert memory.get(0) == b"0"
    assert memory.get(1) is None


def test_many_threads_share_a_memory() -> None:
    memory: Memory[int, bytes] = Memory(50_000)

    def use(seed: int) -> list[bytes]:
        wrong = []
        for n in range(2000):
            key = (n * seed) % 97
            memory[key] = bytes([key]) * 900
            found = memory.get((n + seed) % 97)
            wrong += [found] if found and found != bytes([(n + seed) % 97]) * 900 else []
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert [wrong for found in pool.map(use, range(1, 9)) for wrong in found] == []
    assert memory.size <= memory.most


def test_counters_are_bounded_by_number_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "MOST", 1000)
    counters = BoundedMemoryStorage()
    for n in range(5000):
        assert counters.incr(f"{'2001:db8::' * 99}{n}", 3600) == 1
    assert counters.incr("long " * 99, 60) == 1
    assert counters.incr("long " * 99, 60) == counters.get("long " * 99) == 2
    assert len(counters.storage) <= len(counters.expirations) <= 1001
    assert max(map(len, counters.expirations)) <= 200


@pytest.mark.sqlite
def test_a_file_has_one_fingerprint_however_it_is_asked_for(app: Flask) -> None:
    client = app.test_client()
    for path in ("/static/css/app.css", "/static/no-such"):  # the page that says so names files too
        client.get(path)
    before = len(assets._stamps)
    for n in range(50):
        assert client.get(f"/static/css/{'../css/./' * n}app.css").status_code == 200
        client.get(f"/static/no-such-{n}")
    assert len(assets._stamps) == before


@pytest.mark.sqlite
def test_long_texts_are_rendered_and_not_cached(app: Flask) -> None:
    with app.test_request_context():
        formatting.language()  # this request's own
        before = language._known.cache_info().currsize
        for n in range(20):
            assert str(n) in formatting.reason(formatting.RuleViolation("cancelled", why=f"{n}{'w' * 300}"))
            assert language.of_browser(None, f"en, {n}{'x' * 300}") == "en"
        assert language._known.cache_info().currsize == before
