"""A request is taken in whole before it has its turn, and only a few have their turn at the same time.

So a phone in the lift that sends its press a byte a second holds a thread that has nothing else to do, and no turn;
and many threads do not fight over one interpreter and a few connections.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from queue import SimpleQueue
from typing import Any

from flask import Flask

from booking.web import wire

Environ = dict[str, Any]


class Turns:
    """WSGI around the app: `most` requests at a time, each with a form of at most `largest` bytes in memory."""

    def __init__(self, ask: Callable[[Environ, Any], Iterable[bytes]], most: int, largest: int) -> None:
        self._ask = ask
        self._turns: SimpleQueue[None] = SimpleQueue()  # a semaphore in C: this one is asked at every request
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
        """Of what is too large only so much that the app sees that it is."""
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
