"""Page request: what a request asks of a station's page, as parsed values. Unusual ones are left to the app."""

import re
from collections.abc import Callable
from typing import NamedTuple

from flask import Flask
from werkzeug.http import parse_etags

from booking.web import errors, htmx
from booking.web.fast_lane.request import Environ, FastRequest
from booking.web.i18n import language
from booking.web.worker import filters
from booking.web.worker.calendar import is_wechat
from booking.web.worker.filters import DayQuery

SPECIAL = {"outcome", "_flashes"}  # in the session: the next page shows a result once
PATH = re.compile("/(?:s/([A-Za-z0-9_-]{1,32}))?").fullmatch


class Question(NamedTuple):
    """What a request asks for, as parsed values and nothing of the raw request.

    `language` is the browser's; `tag` the entity tag that it has; `token`, `csrf` and `station` are in its session.
    """

    station: str
    asked: DayQuery
    language: str
    by_htmx: bool
    no_files: bool
    tag: str
    token: str
    csrf: str


def reader(app: Flask) -> Callable[[Environ], Question | None]:
    """A function that reads what a request asks for; None for what only the app can answer."""
    chosen = app.config["LANGUAGE_COOKIE_NAME"]

    def read(environ: Environ) -> Question | None:
        found = PATH(environ["PATH_INFO"])
        if not found or environ.get("SCRIPT_NAME"):
            return None
        request, known = FastRequest(app, environ), parse_etags(environ.get("HTTP_IF_NONE_MATCH"))
        session, args, tags = request.session, request.args, known.as_set(include_weak=True)
        token, csrf, station = (session.get(name, "") for name in ("_user_id", "csrf_token", "station"))
        is_written = not csrf or not station or found[1] not in (None, station)
        if is_written or SPECIAL & session.keys() or known.star_tag or len(tags) > 1 or errors.is_unstorable(args):
            return None
        spoken = language.of_browser(request.cookies.get(chosen), environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        by_htmx, no_files = htmx.asked_by(environ), is_wechat(environ.get("HTTP_USER_AGENT", ""))
        return Question(station, filters.read(args), spoken, by_htmx, no_files, next(iter(tags), ""), token, csrf)

    return read
