"""Page request: what a request asks of a station's page, as parsed values. Unusual ones are left to the app.

A phone polls with the same header for minutes: what it asks for is read once a minute, and cached by a digest.
"""

import re
import secrets
from hashlib import blake2b
from time import monotonic
from typing import NamedTuple

from flask import Flask
from werkzeug.http import parse_etags

from booking.web import errors, htmx
from booking.web.cache.lru import Memory
from booking.web.fast_lane.request import Environ, FastRequest
from booking.web.i18n import language
from booking.web.worker import filters
from booking.web.worker.calendar import is_wechat
from booking.web.worker.filters import DayQuery

SPECIAL = {"outcome", "_flashes"}  # in the session: the next page shows a result once
PATH = re.compile("/(?:s/([A-Za-z0-9_-]{1,32}))?").fullmatch
# All of a request that says what it asks for, but for the tag.
SAYS = ("PATH_INFO", "QUERY_STRING", "HTTP_COOKIE", "HTTP_ACCEPT_LANGUAGE", "HTTP_USER_AGENT")
NOTHING = [""] * len(SAYS)
LASTS = 60.0  # seconds
MOST = 4 * 2**20  # bytes


class Question(NamedTuple):
    """What a request asks for, as parsed values and nothing of the raw request.

    `language` is the browser's; `token` and `station` are in its session, `csrf` is signed for it. `until` is by `monotonic`.
    """

    station: str
    asked: DayQuery
    language: str
    by_htmx: bool
    no_files: bool
    token: str
    csrf: str
    until: float


class PageRequestReader:
    """Reads what a request asks for; None for what only the app can answer."""

    def __init__(self, app: Flask) -> None:
        self._app, self._chosen = app, app.config["LANGUAGE_COOKIE_NAME"]
        self._kept: Memory[bytes, Question] = Memory(MOST)
        self._secret = secrets.token_bytes(16)

    def __call__(self, environ: Environ) -> Question | None:
        found = PATH(environ["PATH_INFO"])
        if not found or environ.get("SCRIPT_NAME"):
            return None
        told = "\n".join([str(htmx.asked_by(environ)), *map(environ.get, SAYS, NOTHING)]).encode()
        key, now = blake2b(told, digest_size=16, key=self._secret).digest(), monotonic()
        question = self._kept.get(key)
        if question and question.until > now:
            return question
        question = self._read(environ, found[1], now)
        if question:
            self._kept[key] = question
        return question

    def _read(self, environ: Environ, code: str | None, now: float) -> Question | None:
        request = FastRequest(self._app, environ)
        session, args = request.session, request.args
        token, csrf, station = (session.get(name, "") for name in ("_user_id", "csrf_token", "station"))
        is_written = not csrf or not station or code not in (None, station)
        if is_written or SPECIAL & session.keys() or errors.is_unstorable(args):
            return None
        spoken = language.of_browser(request.cookies.get(self._chosen), environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        by_htmx, no_files = htmx.asked_by(environ), is_wechat(environ.get("HTTP_USER_AGENT", ""))
        signed = self._app.extensions["csrf_tokens"].dumps(csrf)
        return Question(station, filters.read(args), spoken, by_htmx, no_files, token, signed, now + LASTS)


def tag(environ: Environ) -> str | None:
    """The one entity tag that the browser has; empty for none, None for what is unusual."""
    if not (told := environ.get("HTTP_IF_NONE_MATCH")):
        return ""
    known = parse_etags(told)
    tags = known.as_set(include_weak=True)
    return None if known.star_tag or len(tags) > 1 else next(iter(tags), "")
