"""Host check: only requests for the host of PUBLIC_URL are answered, so that no other host name leads to our pages.

Monitoring may use any name: `/healthz` and `/readyz` are open to all.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from booking.web.headers import SECURITY
from booking.web.wire import Environ

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:\[\]/@,]+)(?::[0-9]{1,5})?", re.IGNORECASE).fullmatch
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})  # names of one machine
TO_ALL = frozenset({"/healthz", "/readyz"})
STATUS = f"{HTTPStatus.MISDIRECTED_REQUEST.value} {HTTPStatus.MISDIRECTED_REQUEST.phrase}"
SENTENCE = "这个网址不是本站的，请打开 {url}\nThis is not our address. Please open {url}\n"


class Hosts:
    """WSGI middleware around the app. The port is ignored: a proxy in front may use another one."""

    def __init__(self, ask: Callable[[Environ, Any], Iterable[bytes]], app: Flask) -> None:
        self._ask, self._config = ask, app.config

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        found = HOST(_host(environ, self._config["TRUSTED_PROXIES"]))
        if (found and found[1].lower() in names(self._config["PUBLIC_URL"])) or environ["PATH_INFO"] in TO_ALL:
            return self._ask(environ, start)
        body = SENTENCE.format(url=self._config["PUBLIC_URL"]).encode()
        about = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
        }
        start(STATUS, [*about.items(), *SECURITY.items(), ("Content-Security-Policy", "default-src 'none'")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def register(app: Flask) -> None:
    app.wsgi_app = Hosts(app.wsgi_app, app)  # type: ignore[assignment,method-assign]


@lru_cache(4)
def names(url: str) -> frozenset[str]:
    """The names, as browsers send them, of the host of `url`."""
    host = urlsplit(url).hostname or ""
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return LOOPBACK if name in LOOPBACK else frozenset({name})


def _host(environ: Environ, proxies: int) -> str:
    """The host that the browser asked for, as our outermost proxy reports it, or from the Host header."""
    told = environ.get("HTTP_X_FORWARDED_HOST", "").split(",") if proxies else []
    host: str = told[-proxies] if proxies and len(told) >= proxies and told != [""] else environ.get("HTTP_HOST", "")
    return host.strip()
