"""The same question of the same reader has the same answer while the page that it was about is true.

A thousand phones ask every few seconds whether a seat is left. They are answered here, before the app is asked: 304 when
they have the page already, else the page, with what is this reader's own filled in anew.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from booking import clock, people
from booking.extensions import db
from booking.model import SignedIn
from booking.web import kept
from booking.web.kept import Kept, Known, Page
from booking.web.packing import Headers, sent, told_apart

Environ = dict[str, Any]
MADE_FROM = "booking.made_from"  # where the app says in the environ what its answer was made from


class Question(NamedTuple):
    """All that an answer may depend on: parsed values, and nothing of the request as it came.

    `page` is what the address asks for, `browser` what of the browser matters, and `tag` what it has already.
    """

    page: Hashable
    browser: Hashable
    tag: str
    token: str
    csrf: str
    station: str


class MadeFrom(NamedTuple):
    """The page that an answer was made from: its name and its tag; the sign-in; what of it is the reader's own."""

    name: Hashable
    tag: str
    known: Known[SignedIn] | None
    own: Mapping[str, str]
    fill: Callable[[Page, Mapping[str, str]], dict[str, str]]


class Answer(NamedTuple):
    """What was answered last time."""

    made: MadeFrom
    status: str
    headers: Headers


class Doorstep:
    """WSGI around the app. `read` says what a request asks; None for what only the app can answer."""

    def __init__(
        self, ask: Callable[[Environ, Any], Iterable[bytes]], app: Flask, read: Callable[[Environ], Question | None]
    ) -> None:
        self._ask = ask
        self._app = app
        self._read = read
        with app.app_context():
            self._engine = db.engine

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or kept.JUST_ACTED in environ.get("HTTP_COOKIE", ""):
            return self._ask(environ, start)
        question = self._read(environ)
        if question is None:
            return self._ask(environ, start)
        memory: Kept = self._app.extensions["kept"]
        answer = memory.answers.get(question)
        if answer and (page := self._page(memory, answer.made, question.token)):
            return _say(answer, page, environ, start)

        def hear(status: str, headers: Headers, *rest: Any) -> Any:
            if (made := environ.get(MADE_FROM)) and status[:3] in ("200", "304") and not _has_cookie(headers):
                memory.answers[question] = Answer(made, status, told_apart(headers))
            return start(status, headers, *rest)

        return self._ask(environ, hear)

    def _page(self, memory: Kept, made: MadeFrom, token: str) -> Page | None:
        """The page that the answer was made from, if this reader would get it again."""
        try:
            memory.news.look()
            page, now = memory.pages.get(made.name), clock.now()
            if page is None or page.tag != made.tag or not memory.is_true(page, now):
                return None
            return page if made.known is None or self._counts(memory, page, made.known, token, now) else None
        except SQLAlchemyError:
            return None  # the app says what is wrong

    def _counts(self, memory: Kept, page: Page, known: Known[SignedIn], token: str, now: datetime) -> bool:
        """Whether the sign-in still does. For what is somebody's own the database is asked: it may have ended elsewhere."""
        if page.person_id is None:
            return memory.is_known(known, now)
        return people.find_sign_in_at(self._engine, token, now) == known.found


def register(app: Flask, read: Callable[[Environ], Question | None]) -> None:
    app.wsgi_app = Doorstep(app.wsgi_app, app, read)  # type: ignore[assignment,method-assign]


def say_from(environ: Environ, made: MadeFrom) -> None:
    """What the answer to this request is made from, so that it need not be asked again."""
    environ[MADE_FROM] = made


def _say(answer: Answer, page: Page, environ: Environ, start: Any) -> Iterable[bytes]:
    if answer.status.startswith("304"):
        start(answer.status, answer.headers)
        return []
    values, pieces = answer.made.fill(page, answer.made.own), page.pieces
    headers, body = sent(answer.headers, environ, lambda: pieces.plain(values), lambda: pieces.packed(values))
    start(answer.status, headers)
    return [body]


def _has_cookie(headers: Headers) -> bool:
    return any(name.lower() == "set-cookie" for name, _value in headers)
