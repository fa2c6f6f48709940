"""Locale context: texts without a request: each thread keeps a context for each language."""

from collections.abc import Callable
from contextlib import ExitStack
from contextvars import Context, copy_context
from threading import local
from typing import TypeVar

from flask import Flask
from flask_babel import force_locale

from booking.web.i18n import formatting

T = TypeVar("T")


class Spoken(local):
    """`say(language, words)`: the result of `words` in that language. It may use translations only, no request."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._begun: dict[str, Context] = {}
        self._kept = ExitStack()  # never closed: entering the contexts is what costs

    def say(self, language: str, words: Callable[[], T]) -> T:
        return (self._begun.get(language) or self._begin(language)).run(words)

    def _begin(self, language: str) -> Context:
        begun = copy_context()
        begun.run(self._enter, language)
        self._begun[language] = begun
        return begun

    def _enter(self, language: str) -> None:
        self._app.app_context().push()
        self._kept.enter_context(force_locale(language))
        formatting.pin_locale()
