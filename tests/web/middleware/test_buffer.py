"""Request buffering: slow clients use no worker: a request is read completely first, and few run at the same time."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from io import BytesIO
from itertools import islice
from threading import Barrier, Event, Semaphore
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client

from booking.web import errors, semaphore
from booking.web.middleware import Bodies, Turns, without_turn
from booking.web.semaphore import FairSemaphore, TurnQueue

PATIENCE = 10


class Slow(BytesIO):
    """A form of which nothing arrives until it is released."""

    def __init__(self, form: bytes) -> None:
        super().__init__(form)
        self.asked, self.let_go = Event(), Event()

    def read(self, size: int | None = -1) -> bytes:
        self.asked.set()
        assert self.let_go.wait(PATIENCE)
        return super().read(size)


def echo(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    start("200 OK", [])
    return [environ["wsgi.input"].read()]


def busy(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
    return [b"busy"]


def ask(
    turns: Turns, form: BytesIO, size: int | None, path: str = "/", method: str = "POST", largest: int = 100
) -> bytes:
    length = {"HTTP_TRANSFER_ENCODING": "chunked"} if size is None else {"CONTENT_LENGTH": str(size)}
    asked = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": form, **length}
    return b"".join(Bodies(turns, largest)(asked, lambda *_: None))


def test_a_form_that_comes_slowly_keeps_nobody_waiting() -> None:
    turns, slow = Turns(echo, busy, most=1), Slow(b"late")
    with ThreadPoolExecutor() as threads:
        late = threads.submit(ask, turns, slow, 4)
        assert slow.asked.wait(PATIENCE)
        assert threads.submit(ask, turns, BytesIO(b"now"), 3).result(PATIENCE) == b"now"
        assert not late.done()
        slow.let_go.set()
        assert late.result(PATIENCE) == b"late"


def test_only_so_many_requests_run_at_the_same_time() -> None:
    inside, let_go = Event(), Event()

    def hold(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        assert not inside.is_set(), "two at a time"
        inside.set()
        assert let_go.wait(PATIENCE)
        inside.clear()
        return [b"done"]

    turns = Turns(hold, busy, most=1)
    with ThreadPoolExecutor() as threads:
        answers = [threads.submit(ask, turns, BytesIO(), 0) for _ in range(3)]
        assert inside.wait(PATIENCE)
        let_go.set()
        assert [answer.result(PATIENCE) for answer in answers] == [b"done"] * 3


def test_while_nothing_moves_a_few_wait_and_all_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semaphore, "STALLED", 0.2)
    monkeypatch.setattr(semaphore, "MOST_WAITING", 2)
    inside, let_go = Event(), Event()

    def hang(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        inside.set()
        assert let_go.wait(PATIENCE)
        return [b"done"]

    turns = Turns(hang, busy, most=1)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(ask, turns, BytesIO(), 0)
        assert inside.wait(PATIENCE)
        waiting = [threads.submit(ask, turns, BytesIO(), 0) for _ in range(5)]
        told = [answer.result() for answer in islice(as_completed(waiting, PATIENCE), 3)]
        let_go.set()
        assert told == [b"busy"] * 3
        assert sorted(answer.result(PATIENCE) for answer in waiting) == [b"busy"] * 3 + [b"done"] * 2
        assert first.result(PATIENCE) == b"done"
        assert ask(turns, BytesIO(), 0) == b"done"


@pytest.mark.parametrize(("path", "words"), [("/", "请过几秒再试"), ("/slots/1/book", "刚才没有约上")])
def test_who_is_not_let_in_reads_a_calm_page(app: Flask, path: str, words: str) -> None:
    answer = Client(errors.overloaded(app)).post(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert words in answer.text


def test_only_so_many_bookings_wait_without_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semaphore, "MOST_ASIDE", 2)
    inside, let_go = Semaphore(0), Event()

    def book(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        with without_turn(environ):
            inside.release()
            assert let_go.wait(PATIENCE)
        return [b"done"]

    turns = Turns(book, busy, most=1)
    with ThreadPoolExecutor() as threads:
        answers = [threads.submit(ask, turns, BytesIO(), 0, "/slots/1/book") for _ in range(4)]
        assert all(inside.acquire(timeout=PATIENCE) for _ in range(3))  # the third with its turn
        assert not inside.acquire(timeout=0.1)
        let_go.set()
        assert [answer.result(PATIENCE) for answer in answers] == [b"done"] * 4


def test_who_waits_to_come_back_still_counts_as_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semaphore, "MOST_ASIDE", 1)
    turns = TurnQueue(1)
    assert turns.take()
    assert turns.step_aside()
    assert turns.take()
    with ThreadPoolExecutor() as threads:
        back = threads.submit(turns.come_back)
        with pytest.raises(TimeoutError):
            back.result(0.1)
        assert not turns.step_aside()
        turns.give_back()
        back.result(PATIENCE)
    assert turns.step_aside()


def test_a_place_goes_to_who_has_waited_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semaphore, "PATIENCE", 0)
    places, waits = FairSemaphore(1), [Event(), Event(), Event()]
    assert places.take_at_once()
    with ThreadPoolExecutor() as threads:

        def wait(n: int, *, goes_on: bool) -> Future[bool]:
            found = threads.submit(places.take, lambda: waits[n].set() or goes_on)
            assert waits[n].wait(PATIENCE)
            return found

        first, second = wait(0, goes_on=True), wait(1, goes_on=True)
        assert wait(2, goes_on=False).result(PATIENCE) is False
        places.give_back()
        assert not places.take_at_once()  # who has just come
        assert first.result(PATIENCE)
        assert not second.done()
        places.give_back()
        assert second.result(PATIENCE)
    places.give_back()
    assert places.take_at_once()


def test_who_has_not_waited_long_may_be_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semaphore, "PATIENCE", 600)
    places, waits = FairSemaphore(1), Event()
    assert places.take_at_once()
    with ThreadPoolExecutor() as threads:
        woken = Event()

        def goes_on() -> bool:
            waits.set()
            return woken.wait(PATIENCE)

        first = threads.submit(places.take, goes_on)
        assert waits.wait(PATIENCE)
        places.give_back()
        assert places.take_at_once(), "a thread that is at work goes on"
        woken.set()
        assert not first.done()
        places.give_back()
        assert first.result(PATIENCE), "it was not forgotten"


@pytest.mark.parametrize("patience", [0, 0.001, 600])
def test_no_place_is_lost_or_given_twice(monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    """Also by those who wait no longer in the moment in which they are given one."""
    monkeypatch.setattr(semaphore, "PATIENCE", patience)
    places, inside, most, taken = FairSemaphore(3), Semaphore(3), 400, Semaphore(0)

    def use(n: int) -> None:
        tries = iter(range(3 if n % 2 else 10**9))
        for _ in range(most):
            if places.take(lambda: next(tries, None) is not None, 0.0001):
                assert inside.acquire(blocking=False), "one too many"
                inside.release()
                places.give_back()
                taken.release()

    with ThreadPoolExecutor(12) as threads:
        for done in [threads.submit(use, n) for n in range(12)]:
            done.result(60)
    assert all(taken.acquire(blocking=False) for _ in range(6 * most)), "who goes on waiting gets one each time"
    assert [places.take_at_once() for _ in range(4)] == [True, True, True, False]


def test_a_booking_that_waits_for_its_batch_holds_no_turn() -> None:
    together = Barrier(3)

    def book(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        with without_turn(environ):
            together.wait(PATIENCE)
        return [b"done"]

    turns = Turns(book, busy, most=1)
    with ThreadPoolExecutor() as threads:
        answers = [threads.submit(ask, turns, BytesIO(), 0, "/slots/1/book") for _ in range(3)]
        assert [answer.result(PATIENCE) for answer in answers] == [b"done"] * 3


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/css/app.css", "/slots/12/book"])
def test_health_checks_static_files_and_bookings_wait_for_no_page(path: str) -> None:
    inside, let_go = Event(), Event()

    def answer(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/":
            inside.set()
            assert let_go.wait(PATIENCE)
        return [b"done"]

    turns = Turns(answer, busy, most=1)
    with ThreadPoolExecutor() as threads:
        page = threads.submit(ask, turns, BytesIO(), 0)
        assert inside.wait(PATIENCE)
        try:
            assert threads.submit(ask, turns, BytesIO(), 0, path).result(PATIENCE) == b"done"
        finally:
            let_go.set()
        assert page.result(PATIENCE) == b"done"


@pytest.mark.parametrize("size", [7, None], ids=["with its length", "in chunks"])
def test_of_a_too_large_body_only_one_byte_too_many_is_read(size: int | None) -> None:
    assert ask(Turns(echo, busy, most=1), BytesIO(b"1234567"), size, largest=7) == b"1234567"
    assert ask(Turns(echo, busy, most=1), BytesIO(b"1234567"), size, largest=4) == b"12345"


@pytest.mark.sqlite
def test_a_form_in_chunks_is_read_and_one_that_is_too_large_refused(app: Flask, client: FlaskClient) -> None:
    def post(form: bytes) -> int:
        chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        kind = "application/x-www-form-urlencoded"
        options: Any = {"content_type": kind, "environ_overrides": {**chunked, "CONTENT_LENGTH": ""}}
        return client.post("/account/language", input_stream=BytesIO(form), **options).status_code

    assert post(b"language=en") == 303
    assert post(b"language=no-such-language") == 400
    assert post(b"language=en&more=" + b"x" * app.config["MAX_CONTENT_LENGTH"]) == 413
