"""Request log: a request id, a line and the metrics for every request, also for those that are answered before Flask.

The outermost middleware. An id comes from the `X-Request-ID` of a trusted proxy, or is made here; it is in the answer's
header, on the error page and in every line that is logged for the request.
"""

import hmac
import logging
import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any

from flask import Flask, Response, g, request

from booking.telemetry import logs, request_context
from booking.telemetry.request_context import RequestContext
from booking.telemetry.web_metrics import WebMetrics, folder_of_server
from booking.web import proxies

log = logging.getLogger(__name__)

WELL_FORMED = re.compile("[A-Za-z0-9_-]{8,64}").fullmatch
METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"))
METRICS = "/metrics"
ID_HEADER = "X-Request-ID"
Environ = dict[str, Any]
Ask = Callable[[Environ, Any], Iterable[bytes]]


class RequestLog:
    """WSGI middleware around the app."""

    def __init__(self, ask: Ask, app: Flask) -> None:
        settings = app.config
        self._ask, self._write = ask, logs.write
        self._trusts = bool(settings["TRUSTED_PROXIES"])
        self._logs, self._logs_all = settings["ACCESS_LOG"] != "off", settings["ACCESS_LOG"] == "all"
        self._line = logs.request_line(settings["LOG_FORMAT"])
        self._look_for_proxies = proxies.warner(settings["TRUSTED_PROXIES"])
        self._slow = settings["SLOW_REQUEST_MS"]
        self._token = settings["METRICS_TOKEN"].encode()
        self._folder = Path(app.instance_path) if settings["WEB_WORKERS"] > 1 else None
        self._guard = Lock()
        self._metrics: WebMetrics | None = None

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        self._look_for_proxies(environ)
        asked = RequestContext(self._id(environ))
        previous = request_context.current.set(asked)

        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            asked.status = status[:3]
            return start(status, [*headers, (ID_HEADER, asked.request_id)], *rest)

        try:
            if environ["PATH_INFO"] == METRICS and self._may_scrape(environ):
                return _scraped(self.metrics(), begin)
            return self._ask(environ, begin)
        finally:
            request_context.current.reset(previous)
            self._ended(asked, environ["REQUEST_METHOD"])

    def _id(self, environ: Environ) -> str:
        told = environ.get("HTTP_X_REQUEST_ID", "") if self._trusts else ""
        return told if told and WELL_FORMED(told) else f"{random.getrandbits(64):016x}"

    def _ended(self, asked: RequestContext, method: str) -> None:
        seconds = perf_counter() - asked.began
        if self._token:
            self._count(asked, seconds)
        if self._logs:
            self._log(asked, method if method in METHODS else "OTHER", seconds * 1000)

    def _count(self, asked: RequestContext, seconds: float) -> None:
        try:
            (self._metrics or self.metrics()).request(asked, seconds)
        except OSError as error:  # the folder is full or gone: the answer matters more
            self._token = b""
            log.warning("requests are counted no more: %s", type(error).__name__)

    def _log(self, asked: RequestContext, method: str, ms: float) -> None:
        slow, failed = ms > self._slow, asked.status[0] == "5"
        if failed and not logs.admits(f"request {asked.route} {asked.status}"):
            return
        is_poll = asked.status == "304" and asked.lane == "cache"  # in a city they would be most of all lines
        if (self._logs_all and not is_poll) or slow or failed:
            level = "error" if asked.status == "500" else "warning" if slow or failed else "info"
            self._write(self._line(asked, method, ms, level, slow))
        logs.tell_left_out()

    def _may_scrape(self, environ: Environ) -> bool:
        told = environ.get("HTTP_AUTHORIZATION", "").encode(errors="replace")
        return bool(self._token) and hmac.compare_digest(told, b"Bearer " + self._token)

    def metrics(self) -> WebMetrics:
        """The counters, made at the first request: a command that loads the app counts nothing."""
        with self._guard:
            if self._metrics is None:
                self._metrics = WebMetrics(folder_of_server(self._folder) if self._folder else None)
            return self._metrics


def _scraped(metrics: WebMetrics, start: Any) -> Iterable[bytes]:
    request_context.answered("metrics")
    body = metrics.text()
    headers = [("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), ("Content-Length", str(len(body)))]
    start("200 OK", headers)
    return [body]


def register(app: Flask) -> None:
    app.after_request(_note)
    app.jinja_env.globals["request_id"] = request_context.request_id
    app.log_exception = lambda raised: app.logger.error("unhandled exception", exc_info=raised)  # type: ignore[assignment,method-assign]
    app.wsgi_app = RequestLog(app.wsgi_app, app)  # type: ignore[assignment,method-assign]


def _note(response: Response) -> Response:
    """What Flask knows: by which endpoint it was answered, and to whom."""
    user = g.get("loaded")
    request_context.identify(getattr(user, "person_id", None))
    request_context.answered(request.endpoint)
    return response
