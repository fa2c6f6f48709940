"""Fast path of a station's page and its polls: middleware that answers from the cache of the process.

A thousand phones open a station's page in the same minutes, and poll it every few seconds. What is in memory is answered
at once; what is not waits for the database without a turn, for it is asked for all who wait.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from time import thread_time
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from booking import clock
from booking.model import LANGUAGES
from booking.telemetry import request_context
from booking.web.cache import store
from booking.web.cache.gzip_parts import Headers, entity_headers, sent
from booking.web.cache.store import Cache, NotCached
from booking.web.fast_lane import page_request
from booking.web.fast_lane.page_request import PageRequestReader, Question
from booking.web.fast_lane.request import Environ
from booking.web.i18n.locale_context import LocaleContexts
from booking.web.worker import page_cache
from booking.web.worker.page_cache import Answer, PageRequest, Viewer

STATUS = {"200": "200 OK", "304": "304 NOT MODIFIED"}


class FastPage:
    """WSGI middleware around the app and its turns."""

    def __init__(
        self,
        ask: Callable[[Environ, Any], Iterable[bytes]],
        app: Flask,
        read: Callable[[Environ], Question | None],
    ) -> None:
        self._ask, self._app, self._read = ask, app, read
        self._contexts = LocaleContexts(app)

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        acted = store.JUST_ACTED in environ.get("HTTP_COOKIE", "")
        began = thread_time()
        question = self._read(environ) if environ["REQUEST_METHOD"] == "GET" and not acted else None
        if question is None:
            return self._ask(environ, start)
        cache: Cache = self._app.extensions["cache"]
        answer = self._known_answer(cache.aside, question, environ)
        if answer:
            status, headers, body = answer
            cache.polls.count(thread_time() - began)
            request_context.answered("worker.station", "cache")
            start(status, headers)
            return [body] if body is not None else []

        def hear(status: str, headers: Headers, *rest: Any) -> Any:
            if (asked := environ.get(page_cache.ASKED)) and status[:3] in STATUS and not _has_cookie(headers):
                cache.page_headers[_form(asked), status[:3]] = entity_headers(headers)
            return start(status, headers, *rest)

        return self._ask(environ, hear)

    def _known_answer(
        self, cache: Cache, question: Question, environ: Environ
    ) -> tuple[str, Headers, bytes | None] | None:
        """Status, headers and body; None when the app must answer."""
        if (tag := page_request.tag(environ)) is None:
            return None
        try:
            found = self._answer(cache, question, tag, clock.now())
        except (SQLAlchemyError, NotCached):
            return None  # who comes next asks the database, the app reports what is wrong
        headers = cache.page_headers.get((_form(found[0]), _status(found[1]))) if found else None
        return _response(environ, headers, *found) if found and headers else None

    def _answer(self, cache: Cache, question: Question, tag: str, now: datetime) -> tuple[PageRequest, Answer] | None:
        cache.look()
        known = cache.known(question.token, question.station, now) if question.token else None
        request_context.identify(known.reader.signed_in.person_id if known else None)
        if question.token and (known is None or (known.reader.signed_in.to_renew and not question.by_htmx)):
            return None
        language = known.reader.signed_in.language if known else question.language
        language = language if language in LANGUAGES else question.language
        asked = PageRequest(
            question.station,
            question.asked,
            language,
            question.by_htmx,
            question.no_files,
            tag,
            bool(known),
        )
        is_valid = partial(cache.is_valid, known, question.token, now) if known else bool
        viewer = Viewer(known, is_valid, question.csrf)
        answer = self._contexts.in_locale(language, lambda: page_cache.answer(cache, asked, viewer, now, None))
        return (asked, answer) if answer else None


def register(app: Flask) -> None:
    reader = app.extensions["page_request"] = PageRequestReader(app)
    app.wsgi_app = FastPage(app.wsgi_app, app, reader)  # type: ignore[assignment,method-assign]


def _form(asked: PageRequest) -> tuple[Any, ...]:
    """What the headers of an answer depend on."""
    return asked.language, asked.is_fragment, asked.style, asked.is_signed_in


def _status(answer: Answer) -> str:
    return "304" if answer.body is None else "200"


def _response(
    environ: Environ, headers: Headers, asked: PageRequest, answer: Answer
) -> tuple[str, Headers, bytes | None]:
    own = page_cache.headers(asked, answer)
    headers = [(name, own.get(name, value)) for name, value in headers]
    if answer.body is None:
        return STATUS["304"], headers, None
    body = answer.body
    headers, sent_body = sent(headers, environ, lambda: body.plain(answer.values), lambda: body.packed(answer.values))
    return STATUS["200"], headers, sent_body


def _has_cookie(headers: Headers) -> bool:
    return any(name.lower() == "set-cookie" for name, _value in headers)
