"""Cache key of a station's page: what a request asks for, read without Flask. Unusual requests are left to the app."""

import re
from collections.abc import Callable
from typing import NamedTuple

from flask import Flask

from booking.web.i18n import language
from booking.web.wire import Environ, Wire
from booking.web.worker import filters
from booking.web.worker.calendar import is_wechat
from booking.web.worker.filters import DayQuery

SPECIAL = {"outcome", "_flashes"}  # in the session: the next page shows a result once
PATH = re.compile("/(?:s/([A-Za-z0-9_-]{1,32}))?").fullmatch
QUERY = re.compile(f"(?:(?:{'|'.join(filters.FIELDS)})=[A-Za-z0-9-]{{0,20}}(?:&|$))*").fullmatch
COOKIES = re.compile(r'[^\s;="]+=[^\s;"]*(?:; [^\s;="]+=[^\s;"]*)*').fullmatch  # as browsers write them
TAG = re.compile('(?:(?:W/)?"([0-9a-f]{6}-[0-9a-f]{0,400}-[0-9]{0,18})")?').fullmatch


class Question(NamedTuple):
    """What a request asks for, as parsed values and nothing of the raw request.

    `language` is the browser's; `tag` the entity tag that it has; `token`, `csrf` and `station` are in its session.
    """

    station: str
    asked: DayQuery
    language: str
    is_fragment: bool
    no_files: bool
    tag: str
    token: str
    csrf: str


def reader(app: Flask) -> Callable[[Environ], Question | None]:
    """A function that reads the key of a request; None for what only the app can answer."""
    wire, chosen = Wire(app), f"{app.config['LANGUAGE_COOKIE_NAME']}="

    def read(environ: Environ) -> Question | None:
        found, query = PATH(environ["PATH_INFO"]), QUERY(environ.get("QUERY_STRING", ""))
        known = TAG(environ.get("HTTP_IF_NONE_MATCH", ""))
        if not (found and query and known) or environ.get("SCRIPT_NAME"):
            return None
        cookies = environ.get("HTTP_COOKIE", "")
        session = wire.session(environ) if COOKIES(cookies) else None
        if session is None or SPECIAL & session.keys():
            return None
        spoken = language.of_browser(_value(cookies, chosen), environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        fragment = environ.get("HTTP_HX_REQUEST") == "true" and "HTTP_HX_HISTORY_RESTORE_REQUEST" not in environ
        token, csrf, station = (session.get(name, "") for name in ("_user_id", "csrf_token", "station"))
        if not csrf or not station or found[1] not in (None, station):
            return None  # the session will be written
        no_files = is_wechat(environ.get("HTTP_USER_AGENT", ""))
        return Question(station, _asked(query[0]), spoken, fragment, no_files, known[1] or "", token, csrf)

    return read


def _asked(query: str) -> filters.DayQuery:
    """The first value of each field counts, as in Flask. `QUERY` admits no encoded characters."""
    args: dict[str, str] = {}
    for field in query.split("&"):
        name, _equals, value = field.partition("=")
        args.setdefault(name, value)
    return filters.read(args)


def _value(cookies: str, name: str) -> str | None:
    return next((part[len(name) :] for part in cookies.split("; ") if part.startswith(name)), None)
