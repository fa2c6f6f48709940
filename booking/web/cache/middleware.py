"""Cache middleware: a response cache before Flask: answers who asks for a page that is kept and fresh.

A thousand phones open a station's page in the same minutes, and poll it every few seconds. They are answered here: 304
when they have the page already, else the page as it was rendered for somebody else, with this reader's own values.
Whether a reader may share it is asked of the database, once (`queries/page_reader`).
"""

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError

from booking import clock
from booking.model import LANGUAGES
from booking.queries.page_reader import PageReader
from booking.web.cache import placeholders, store
from booking.web.cache.gzip_parts import Headers, entity_headers, sent
from booking.web.cache.store import Cache
from booking.web.wire import CSRF_SALT

Environ = dict[str, Any]
MADE_FROM = "booking.made_from"  # environ key under which the app names the page that its answer was made from


class Question(NamedTuple):
    """What a request asks for, as parsed values and nothing of the raw request.

    `language` is the browser's; `tag` the entity tag that it has; `token`, `csrf` and `station` are in its session.
    """

    station: str
    asked: Hashable
    language: str
    is_fragment: bool
    no_files: bool
    tag: str
    token: str
    csrf: str


class PageKey(NamedTuple):
    """Cache key: all that a page is made from, beside the history and the clock.

    `reader` is the person whose own page it is; "anybody" who is signed in; None for nobody signed in. `style` is the
    fingerprint of a stylesheet that the page inlines.
    """

    station: str
    asked: Hashable
    language: str
    is_fragment: bool
    style: str | None
    no_files: bool
    reader: int | str | None

    @property
    def form(self) -> Hashable:
        """What the headers of the page depend on."""
        return self.language, self.is_fragment, self.style, self.reader is None


ANYBODY = "anybody"
Read = Callable[[Environ], Question | None]


class CacheMiddleware:
    """WSGI middleware around the app. `read` parses a request; None for what only the app can answer."""

    def __init__(self, ask: Callable[[Environ, Any], Iterable[bytes]], app: Flask, read: Read) -> None:
        self._ask, self._app, self._read = ask, app, read
        self._sign: Callable[[str], str] = URLSafeTimedSerializer(app.secret_key or "", salt=CSRF_SALT).dumps

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        acted = store.JUST_ACTED in environ.get("HTTP_COOKIE", "")
        question = self._read(environ) if environ["REQUEST_METHOD"] == "GET" and not acted else None
        if question is None:
            return self._ask(environ, start)
        memory: Cache = self._app.extensions["cache"]
        try:
            answer = _answer(memory, question, environ, clock.now(), self._sign)
        except SQLAlchemyError:
            answer = None  # the app reports what is wrong
        if answer:
            status, headers, body = answer
            start(status, headers)
            return [body] if body is not None else []

        def hear(status: str, headers: Headers, *rest: Any) -> Any:
            if (key := environ.get(MADE_FROM)) and status[:3] in STATUS and not _has_cookie(headers):
                memory.page_headers[key.form, status[:3]] = entity_headers(headers)
            return start(status, headers, *rest)

        return self._ask(environ, hear)


def register(app: Flask, read: Read) -> None:
    app.wsgi_app = CacheMiddleware(app.wsgi_app, app, read)  # type: ignore[assignment,method-assign]


def made_from(environ: Environ, key: PageKey) -> None:
    """Name the page that the answer to this request was made from, so that its headers can be kept with it."""
    environ[MADE_FROM] = key


STATUS = {"200": "200 OK", "304": "304 NOT MODIFIED"}


def _answer(
    memory: Cache, question: Question, environ: Environ, now: datetime, sign: Callable[[str], str]
) -> tuple[str, Headers, bytes | None] | None:
    """Status, headers and body, where the page that this reader would get is kept and fresh."""
    memory.news.look()
    reader = memory.reader(question.token, question.station, now) if question.token else None
    if question.token and (reader is None or (reader.signed_in.to_renew and not question.is_fragment)):
        return None
    key = _key(question, reader)
    page = memory.pages.get(key)
    if page is None or not memory.is_fresh(page, now):
        return None
    me = str(reader.signed_in.sign_in_id) if reader else ""
    tag = placeholders.own_tag(page.tag, me)
    status = "304" if question.is_fragment and question.tag == tag else "200"
    headers = memory.page_headers.get((key.form, status))
    if headers is None:
        return None
    headers = [(name, f'W/"{tag}"' if name == "ETag" else value) for name, value in headers]
    if status == "304":
        return STATUS[status], headers, None
    values = page.values({"csrf": placeholders.signed(question.csrf, sign), "me": me}, now)
    headers, body = sent(headers, environ, lambda: page.pieces.plain(values), lambda: page.pieces.packed(values))
    return STATUS[status], headers, body


def _key(question: Question, reader: PageReader | None) -> PageKey:
    language = reader.signed_in.language if reader else question.language
    who = None if reader is None else ANYBODY if reader.shares else reader.signed_in.person_id
    language = language if language in LANGUAGES else question.language
    return PageKey(question.station, question.asked, language, question.is_fragment, None, question.no_files, who)


def _has_cookie(headers: Headers) -> bool:
    return any(name.lower() == "set-cookie" for name, _value in headers)
