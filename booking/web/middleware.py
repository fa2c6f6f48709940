"""Middleware: what every request passes before Flask: the check of its host, and a limit on concurrency.

`Hosts` answers only the host of PUBLIC_URL, so that no other host name leads to our pages. `Bodies` reads a request
completely: a phone in the lift that sends a byte a second occupies a waiting thread only. `Turns` lets only a few run
at the same time: many threads do not compete for a few connections. Who is answered from memory needs no turn.
Monitoring may use any host name for `/healthz` and `/readyz`; these and static files wait for nobody. When the database
hangs, a few requests wait for it and all others are told so, for who waits occupies a thread that these need.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from tempfile import SpooledTemporaryFile
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.wsgi import get_content_length

from booking.telemetry import request_context
from booking.web import errors
from booking.web.headers import SECURITY
from booking.web.semaphore import TurnQueue

Environ = dict[str, Any]
Ask = Callable[[Environ, Any], Iterable[bytes]]

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:\[\]/@,]+)(?::[0-9]{1,5})?", re.IGNORECASE).fullmatch
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})  # names of one machine
TURNS = "booking.turns"  # environ key of the queue of turns
MONITORING = ("/healthz", "/readyz", "/metrics")
AT_ONCE = re.compile("|".join((*MONITORING, "/static/.*"))).fullmatch
STATUS = f"{HTTPStatus.MISDIRECTED_REQUEST.value} {HTTPStatus.MISDIRECTED_REQUEST.phrase}"
BOOKING = re.compile("/slots/([0-9]{1,18})/book").fullmatch
# The paths that take a file larger than a form, and the setting that says how large.
UPLOADS = (
    (re.compile(r"/manage/[^/]+/import/[^/]+").fullmatch, "MAX_UPLOAD_LENGTH"),
    (re.compile(r"/net/[^/]+/(?:import|people/transfers/sheet)").fullmatch, "MAX_UPLOAD_LENGTH"),
    (re.compile(r"/manage/[^/]+/activities/(?:new|[0-9]{1,18})").fullmatch, "MAX_PICTURE_LENGTH"),
)
MOST_DRAINED, CHUNK = (
    32 * 1024 * 1024,
    64 * 1024,
)  # of a file that is too large: browsers read no answer before they sent all
SENTENCE = "这个网址不是本站的，请打开 {url}\nThis is not our address. Please open {url}\n"


def limit_concurrency(app: Flask) -> None:
    turns = Turns(app.wsgi_app, errors.overloaded(app), app.config["MAX_CONCURRENT_REQUESTS"])
    app.wsgi_app = turns  # type: ignore[assignment,method-assign]


def read_bodies(app: Flask) -> None:
    app.wsgi_app = Bodies(app.wsgi_app, app.config["MAX_CONTENT_LENGTH"], app.config)  # type: ignore[assignment,method-assign]


def check_hosts(app: Flask) -> None:
    app.wsgi_app = Hosts(app.wsgi_app, app)  # type: ignore[assignment,method-assign]


class Hosts:
    """WSGI middleware around the app. The port is ignored: a proxy in front may use another one."""

    def __init__(self, ask: Ask, app: Flask) -> None:
        self._ask, self._config = ask, app.config

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        found = HOST(_host(environ, self._config["TRUSTED_PROXIES"]))
        if (found and found[1].lower() in names(self._config["PUBLIC_URL"])) or environ["PATH_INFO"] in MONITORING:
            return self._ask(environ, start)
        body = SENTENCE.format(url=self._config["PUBLIC_URL"]).encode()
        about = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
        }
        start(STATUS, [*about.items(), *SECURITY.items(), ("Content-Security-Policy", "default-src 'none'")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


class Bodies:
    """WSGI middleware: reads each body: a form of at most `largest` bytes in memory, an upload into a temporary file."""

    def __init__(self, ask: Ask, largest: int, uploads: Mapping[str, int] | None = None) -> None:
        self._ask, self._largest, self._uploads = ask, largest, uploads or {}

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        has_body = "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ
        if has_body and (setting := upload_setting(environ["PATH_INFO"])):
            with SpooledTemporaryFile(self._largest) as file:
                self._take_in(environ, self._uploads.get(setting, self._largest), file)
                request_context.received()
                return self._ask(environ, start)
        if has_body:
            self._take_in(environ, self._largest, BytesIO())
        request_context.received()
        return self._ask(environ, start)

    def _take_in(self, environ: Environ, largest: int, body: Any) -> None:
        """Read the body; of one that is too large only enough for the app to refuse it."""
        most, length = largest + 1, get_content_length(environ)
        in_chunks = environ.pop("HTTP_TRANSFER_ENCODING", None) is not None
        wanted = min(most, length) if length is not None else most if in_chunks else 0
        if not wanted:
            return
        size = _copy(environ["wsgi.input"], body, wanted)
        if largest > self._largest and size == most:
            _copy(environ["wsgi.input"], None, MOST_DRAINED)
        if in_chunks:
            environ["CONTENT_LENGTH"] = str(size)
        body.seek(0)
        environ["wsgi.input"] = body


class Turns:
    """WSGI middleware: `most` requests at a time.

    Bookings have as many turns of their own: at an opening, none waits behind the pages that everybody polls.
    """

    def __init__(self, ask: Ask, busy: Ask, most: int) -> None:
        self._ask, self.busy = ask, busy
        self._turns, self.for_bookings = TurnQueue(most), TurnQueue(most)

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        if AT_ONCE(environ["PATH_INFO"]):
            return self._ask(environ, start)
        books = environ.get("REQUEST_METHOD") == "POST" and BOOKING(environ["PATH_INFO"])
        return self.run(self._ask, environ, start, self.for_bookings if books else self._turns)

    def run(self, ask: Ask, environ: Environ, start: Any, turns: TurnQueue) -> Iterable[bytes]:
        """The answer of `ask`, in a turn; that we are busy when none comes free for long."""
        began = perf_counter()
        if not turns.take():
            return self.busy(environ, start)
        request_context.waited("turn", began)
        environ[TURNS] = turns
        try:
            return ask(environ, start)
        finally:
            turns.give_back()


@contextmanager
def without_turn(environ: Environ) -> Iterator[None]:
    """Give the request's turn to others while it waits for something that is not its own work."""
    turns: TurnQueue | None = environ.get(TURNS)
    if turns is None or not turns.step_aside():
        yield
        return
    try:
        yield
    finally:
        turns.come_back()


def upload_setting(path: str) -> str | None:
    """The setting with the largest body of a path that takes files; None for other paths."""
    return next((setting for is_upload, setting in UPLOADS if is_upload(path)), None)


def _copy(source: Any, target: Any, most: int) -> int:
    """Copy at most so many bytes, to nowhere without a target. Returns how many."""
    left = most
    while left > 0 and (piece := source.read(min(left, CHUNK))):
        left -= len(piece)
        if target:
            target.write(piece)
    return most - left


@lru_cache(4)
def names(url: str) -> frozenset[str]:
    """The names, as browsers send them, of the host of `url`."""
    host = urlsplit(url).hostname or ""
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return LOOPBACK if name in LOOPBACK else frozenset({name})


def _host(environ: Environ, proxies: int) -> str:
    """The host that the browser asked for, as our outermost proxy reports it, or from the Host header."""
    told = environ.get("HTTP_X_FORWARDED_HOST", "").split(",") if proxies else []
    host: str = told[-proxies] if proxies and len(told) >= proxies and told != [""] else environ.get("HTTP_HOST", "")
    return host.strip()
