"""The app behind a real socket, in a thread of the tests' process: a moved clock moves it too."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from time import monotonic, sleep
from typing import cast

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

PATIENCE = 30  # seconds


class _Quiet(WSGIRequestHandler):
    def run_wsgi(self) -> None:
        """As the class above does it, and counted as long as it lasts."""
        _under_way[self.server].add(self)
        try:
            super().run_wsgi()
        finally:
            _under_way[self.server].discard(self)

    def log(self, *_args: object) -> None:
        """A test's output is no access log."""

    def connection_dropped(self, _error: BaseException, _environ: dict[str, object] | None = None) -> None:
        """Nothing more comes over this one: who waits for an answer hears that there will be none."""
        self.close_connection = True


_serving: dict[str, BaseWSGIServer] = {}
_under_way: defaultdict[BaseServer, set[WSGIRequestHandler]] = defaultdict(set)


@contextmanager
def cut(url: str) -> Iterator[None]:
    """As long as the block lasts, whoever asks is cut off.

    A browser that is set offline forgets it for a moment when it reloads, and sends what waits.
    """
    server = _serving[url]
    app, server.app = server.app, _cut_off
    try:
        yield
    finally:
        server.app = app


def _cut_off(_environ: object, _start: object) -> Iterable[bytes]:
    raise ConnectionAbortedError


@contextmanager
def lost(url: str) -> Iterator[None]:
    """As long as the block lasts, what is asked is done, and nobody hears the answer."""
    server = _serving[url]
    app = cast("Flask", server.app)

    def do_and_be_cut_off(environ: dict[str, object], _start: object) -> Iterable[bytes]:
        for _part in app(environ, lambda *_head: lambda _part: None):
            pass
        raise ConnectionAbortedError

    server.app = do_and_be_cut_off
    try:
        yield
    finally:
        server.app = app


@contextmanager
def serving(make_app: Callable[[str], Flask]) -> Iterator[str]:
    """Serve `make_app(url)` at a free port; yields the url."""
    server = make_server("127.0.0.1", 0, Flask("not-yet"), threaded=True, request_handler=_Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    server.app = make_app(url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    _serving[url] = server
    try:
        yield url
    finally:
        del _serving[url]
        server.shutdown()
        thread.join()
        server.server_close()
        _finish(server)


def _finish(server: BaseWSGIServer) -> None:
    """Whoever asked may have gone; the answer is still made, on a connection that must not outlive the test's app."""
    deadline = monotonic() + PATIENCE
    while _under_way[server]:
        assert monotonic() < deadline, "a request does not end"
        sleep(0.01)
    del _under_way[server]
