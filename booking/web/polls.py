"""The poll of a page that has not changed, answered before the app is asked.

A thousand phones ask every few seconds whether a seat is left. The same question of the same browser, word for
word, has the same answer as long as the page that it was about is true.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from booking import clock
from booking.web import kept
from booking.web.kept import Kept, Known, Page

Environ = dict[str, Any]
ANSWERED_FROM = "booking.page"  # where the app says in the environ what its answer was made from
WORDS = (
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_IF_NONE_MATCH",
    "HTTP_COOKIE",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_USER_AGENT",
    "HTTP_HOST",
)


def register(app: Flask) -> None:
    app.wsgi_app = Polls(app.wsgi_app, app)  # type: ignore[assignment,method-assign]


class Polls:
    """WSGI around the app."""

    def __init__(self, ask: Callable[[Environ, Any], Iterable[bytes]], app: Flask) -> None:
        self._ask = ask
        self._app = app

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        if not _is_poll(environ):
            return self._ask(environ, start)
        memory: Kept = self._app.extensions["kept"]
        question = tuple(environ.get(word) for word in WORDS)
        if headers := _known_answer(memory, question):
            start("304 NOT MODIFIED", headers)
            return []

        def hear(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if status.startswith("304") and ANSWERED_FROM in environ:
                memory.questions[question] = (*environ[ANSWERED_FROM], headers)
            return start(status, headers, *rest)

        return self._ask(environ, hear)


def say_from(environ: Environ, page: Page, known: Known | None) -> None:
    """The answer to this request is `page`, for a browser whose sign-in was `known`."""
    environ[ANSWERED_FROM] = (page, known)


def _is_poll(environ: Environ) -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "HTTP_IF_NONE_MATCH" in environ
        and environ.get("HTTP_HX_REQUEST") == "true"
        and kept.JUST_ACTED not in environ.get("HTTP_COOKIE", "")
    )


def _known_answer(memory: Kept, question: tuple[str | None, ...]) -> list[tuple[str, str]] | None:
    found = memory.questions.get(question)
    if found is None:
        return None
    page, known, headers = found
    try:
        memory.news.look()
    except SQLAlchemyError:
        return None  # the app says what is wrong
    now = clock.now()
    return headers if memory.is_true(page, now) and (known is None or memory.is_known(known, now)) else None
