"""The app behind a real socket, in a thread of the tests' process: a moved clock moves it too."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log(self, *_args: object) -> None:
        """A test's output is no access log."""


@contextmanager
def serving(make_app: Callable[[str], Flask]) -> Iterator[str]:
    """Serve `make_app(url)` at a free port; yields the url."""
    server = make_server("127.0.0.1", 0, Flask("not-yet"), threaded=True, request_handler=_Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    server.app = make_app(url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
