"""Cache middleware: a response cache before Flask: repeats the answer to the same question while its page is fresh.

A thousand phones poll every few seconds. They are answered here: 304 when they have the page already, else the cached
page, with this reader's own values filled in again.
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
MADE_FROM = "booking.made_from"  # environ key under which the app names what its answer was made from


class Question(NamedTuple):
    """Cache key: all that an answer may depend on, as parsed values and nothing of the raw request.

    `page` is what the address asks for, `browser` what matters of the browser, `tag` the entity tag that it has.
    """

    page: Hashable
    browser: Hashable
    tag: str
    token: str
    csrf: str
    station: str


class MadeFrom(NamedTuple):
    """What an answer was made from: the page's key and tag, the sign-in, and the reader's own values."""

    name: Hashable
    tag: str
    known: Known[SignedIn] | None
    own: Mapping[str, str]
    fill: Callable[[Page, Mapping[str, str]], dict[str, str]]


class Answer(NamedTuple):
    """The last answer to a question."""

    made: MadeFrom
    status: str
    headers: Headers


class Doorstep:
    """WSGI middleware around the app. `read` gives a request's cache key; None for what only the app can answer."""

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
            return None  # the app reports what is wrong

    def _counts(self, memory: Kept, page: Page, known: Known[SignedIn], token: str, now: datetime) -> bool:
        """Whether the sign-in is still valid. For a personal page the database is asked: another process may know."""
        if page.person_id is None:
            return memory.is_known(known, now)
        return people.find_sign_in_at(self._engine, token, now) == known.found


def register(app: Flask, read: Callable[[Environ], Question | None]) -> None:
    app.wsgi_app = Doorstep(app.wsgi_app, app, read)  # type: ignore[assignment,method-assign]


def say_from(environ: Environ, made: MadeFrom) -> None:
    """Name what the answer to this request was made from, so that it can be cached."""
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
