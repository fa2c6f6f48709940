"""Buffering and concurrency limit: a request is read completely first, and only a few run at the same time.

So a phone in the lift that sends a byte a second occupies a waiting thread only, and many threads do not compete for
one interpreter and a few connections.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from queue import SimpleQueue
from typing import Any

from flask import Flask

from booking.web import wire

Environ = dict[str, Any]


class Turns:
    """WSGI middleware: `most` requests at a time, each with a body of at most `largest` bytes in memory."""

    def __init__(self, ask: Callable[[Environ, Any], Iterable[bytes]], most: int, largest: int) -> None:
        self._ask = ask
        self._turns: SimpleQueue[None] = SimpleQueue()  # a semaphore in C, since every request uses it
        for _ in range(most):
            self._turns.put(None)
        self._largest = largest

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        self._take_in(environ)
        self._turns.get()
        try:
            return self._ask(environ, start)
        finally:
            self._turns.put(None)

    def _take_in(self, environ: Environ) -> None:
        """Read the body; of one that is too large only enough for the app to refuse it."""
        length = wire.length_of(environ)
        if length is not None:
            wanted = min(length, self._largest + 1)
        else:
            wanted = self._largest + 1 if "HTTP_TRANSFER_ENCODING" in environ else 0
        if not wanted:
            return
        form = environ["wsgi.input"].read(wanted)
        if environ.pop("HTTP_TRANSFER_ENCODING", None):
            environ["CONTENT_LENGTH"] = str(len(form))
        environ["wsgi.input"] = BytesIO(form)


def register(app: Flask) -> None:
    app.wsgi_app = Turns(app.wsgi_app, app.config["MAX_CONCURRENT_REQUESTS"], app.config["MAX_CONTENT_LENGTH"])  # type: ignore[assignment,method-assign]
