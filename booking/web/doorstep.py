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
from booking.model import SignedIn
from booking.web import kept
from booking.web.kept import Kept, Known, Page
from booking.web.packing import Headers, sent, told_apart

Environ = dict[str, Any]
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


@dataclass(frozen=True)
class MadeFrom:
    """The page that an answer was made from, for a sign-in that was known, and what of it is the reader's own."""

    page: Page
    known: Known[SignedIn] | None
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
                memory.answers[question] = Answer(made, status, told_apart(headers))
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
    values, pieces = answer.made.values(), answer.made.page.pieces
    headers, body = sent(answer.headers, environ, lambda: pieces.plain(values), lambda: pieces.packed(values))
    start(answer.status, headers)
    return [body]


def _has_cookie(headers: Headers) -> bool:
    return any(name.lower() == "set-cookie" for name, _value in headers)
