"""The same question of the same browser has the same answer while the page that it was about is true.

A thousand phones ask every few seconds whether a seat is left, word for word the same. They are answered here, before the
app is asked: 304 when they have the page already, else the page, with what is this reader's own filled in anew.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from booking import clock
from booking.web import kept
from booking.web.kept import Kept, Known, Page

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
MADE_FROM = "booking.made_from"  # where the app says in the environ what its answer was made from
# The session is in the cookie: with it, these are all that an answer depends on.
WORDS = (
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_IF_NONE_MATCH",
    "HTTP_COOKIE",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_USER_AGENT",
    "HTTP_HOST",
    "HTTP_HX_REQUEST",
    "HTTP_HX_HISTORY_RESTORE_REQUEST",
)
# Written anew for each answer.
OF_THE_BODY = {"content-length", "content-encoding", "set-cookie"}


@dataclass(frozen=True)
class MadeFrom:
    """The page that an answer was made from, for a sign-in that was known, and what of it is the reader's own."""

    page: Page
    known: Known | None
    values: Callable[[], dict[str, str]]


@dataclass(frozen=True)
class Answer:
    """What was answered last time."""

    made: MadeFrom
    status: str
    headers: Headers


class Doorstep:
    """WSGI around the app."""

    def __init__(self, ask: Callable[[Environ, Any], Iterable[bytes]], app: Flask) -> None:
        self._ask = ask
        self._app = app

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or kept.JUST_ACTED in environ.get("HTTP_COOKIE", ""):
            return self._ask(environ, start)
        memory: Kept = self._app.extensions["kept"]
        question = tuple(map(environ.get, WORDS))
        answer = memory.answers.get(question)
        if answer and _is_true(memory, answer.made):
            return _say(answer, environ, start)

        def hear(status: str, headers: Headers, *rest: Any) -> Any:
            if (made := environ.get(MADE_FROM)) and status[:3] in ("200", "304") and not _has_cookie(headers):
                memory.answers[question] = Answer(made, status, _kept_headers(headers))
            return start(status, headers, *rest)

        return self._ask(environ, hear)


def register(app: Flask) -> None:
    app.wsgi_app = Doorstep(app.wsgi_app, app)  # type: ignore[assignment,method-assign]


def say_from(environ: Environ, made: MadeFrom) -> None:
    """What the answer to this request is made from, so that it need not be asked again."""
    environ[MADE_FROM] = made


def _is_true(memory: Kept, made: MadeFrom) -> bool:
    try:
        memory.news.look()
    except SQLAlchemyError:
        return False  # the app says what is wrong
    now = clock.now()
    return memory.is_true(made.page, now) and (made.known is None or memory.is_known(made.known, now))


def _say(answer: Answer, environ: Environ, start: Any) -> Iterable[bytes]:
    if answer.status.startswith("304"):
        start(answer.status, answer.headers)
        return []
    values = answer.made.values()
    pieces, headers = answer.made.page.pieces, list(answer.headers)
    if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        body = pieces.packed(values)
        headers.append(("Content-Encoding", "gzip"))
    else:
        body = pieces.plain(values)
    start(answer.status, [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _has_cookie(headers: Headers) -> bool:
    return any(name.lower() == "set-cookie" for name, _value in headers)


def _kept_headers(headers: Headers) -> Headers:
    kept_ones = [(name, value) for name, value in headers if name.lower() not in OF_THE_BODY]
    vary = [
        f"{value}, Accept-Encoding" for name, value in kept_ones if name.lower() == "vary" and "Encoding" not in value
    ]
    if not vary:
        return kept_ones
    return [(name, value) for name, value in kept_ones if name.lower() != "vary"] + [("Vary", vary[0])]
