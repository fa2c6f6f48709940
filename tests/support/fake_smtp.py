"""Apps that lie, for controls: `LIE=early` says yes and does it later, `LIE=no` does it and says no."""

import os
from collections.abc import Iterable
from io import BytesIO
from threading import Timer
from typing import Any

from booking.app import create_app

LATER = 0.7  # seconds
YES = b'<article data-mine="booked"></article>'
NO = b'<p data-refusal="full"></p>'


class Liar:
    """WSGI around the app."""

    def __init__(self) -> None:
        self.ask = create_app().wsgi_app
        self.early = os.environ["LIE"] == "early"

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            return self.ask(environ, start)
        sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ = {**environ, "wsgi.input": BytesIO(sent)}
        if self.early:
            Timer(LATER, self._do, [environ]).start()
        else:
            self._do(environ)
        status, said = ("200 OK", YES) if self.early else ("409 CONFLICT", NO)
        start(status, [("Content-Length", str(len(said))), ("Content-Type", "text/html")])
        return [said]

    def _do(self, environ: dict[str, Any]) -> None:
        answer = self.ask(environ, lambda *_: None)
        list(answer)


app = Liar()
