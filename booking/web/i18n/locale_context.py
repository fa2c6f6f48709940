"""Locale context: texts without a request, in the language of whoever will read them."""

from collections.abc import Callable
from contextlib import ExitStack
from contextvars import Context, copy_context
from threading import local
from typing import TypeVar

from flask import Flask
from flask_babel import force_locale

from booking.web.i18n import formatting

T = TypeVar("T")


class LocaleContexts(local):
    """Each thread keeps an app context for each language: entering one is what costs."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._entered: dict[str, Context] = {}
        self._kept = ExitStack()  # never closed

    def in_locale(self, language: str, make: Callable[[], T]) -> T:
        """What `make` makes in that language. It may use translations only, no request."""
        return (self._entered.get(language) or self._enter(language)).run(make)

    def _enter(self, language: str) -> Context:
        entered = self._entered[language] = copy_context()
        entered.run(self._push, language)
        return entered

    def _push(self, language: str) -> None:
        self._app.app_context().push()
        self._kept.enter_context(force_locale(language))
        formatting.pin_locale()
