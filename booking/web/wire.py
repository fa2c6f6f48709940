"""Request parser: reads a small form, its session and its CSRF token from the WSGI environ, without a Flask request.

None means no decision: then the app reads the same request in its own way, and reports what is wrong with it.
"""

import hmac
import re
from io import BytesIO
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.wsgi import get_content_length

from booking.web.seal import Seal

Environ = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
CSRF_SALT = "wtf-csrf-token"  # Flask-WTF's own
MOST = 4096  # bytes of a form that is a button and its hidden fields
ODD = re.compile("[\x00\ud800-\udfff\ufffd]")


class Posted(NamedTuple):
    """A parsed request: the form, each field once, and the content of the browser's session."""

    form: dict[str, str]
    session: dict[str, Any]


class Wire:
    """Reads forms of one app, with its keys."""

    def __init__(self, app: Flask) -> None:
        sessions = cast("SecureCookieSessionInterface", app.session_interface).get_signing_serializer(app)
        self._session_seal = Seal(cast("URLSafeTimedSerializer", sessions))
        self._token_seal = Seal(URLSafeTimedSerializer(app.secret_key or "", salt=CSRF_SALT))
        self._cookie = f"{app.config['SESSION_COOKIE_NAME']}="
        self._lasts = app.permanent_session_lifetime.total_seconds()
        self._config = app.config

    def read(self, environ: Environ) -> Posted | None:
        """The form that htmx sent, if its session and its CSRF token are valid."""
        if environ.get("HTTP_HX_REQUEST") != "true" or environ.get("QUERY_STRING") or environ.get("SCRIPT_NAME"):
            return None
        form = _form(environ)
        session = self.session(environ) if form else None
        if form is None or session is None or not self._fits(form.get("csrf_token", ""), session):
            return None
        return Posted(form, session)

    def session(self, environ: Environ) -> dict[str, Any] | None:
        """The content of the session cookie, if there is exactly one, signed by us and not expired."""
        sealed = [part for part in environ.get("HTTP_COOKIE", "").split("; ") if part.startswith(self._cookie)]
        if len(sealed) != 1:
            return None
        return cast("dict[str, Any] | None", self._session_seal.open(sealed[0][len(self._cookie) :], self._lasts))

    def _fits(self, token: str, session: dict[str, Any]) -> bool:
        if not self._config["WTF_CSRF_ENABLED"]:
            return True
        raw, own = self._token_seal.open(token), session.get("csrf_token")
        return isinstance(raw, str) and isinstance(own, str) and hmac.compare_digest(raw, own)


def _form(environ: Environ) -> dict[str, str] | None:
    """The fields; the body can be read again afterwards."""
    length = get_content_length(environ)
    if length is None or length > MOST or environ.get("CONTENT_TYPE") != FORM:
        return None
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = BytesIO(body)
    try:
        pairs = _pairs(body.decode("ascii"))
        form = dict(pairs)
    except ValueError:
        return None
    return form if len(form) == len(pairs) and not ODD.search("".join(form.values())) else None


def _pairs(text: str) -> list[Any]:
    """Name and value of each field. Without encoded characters, as in most bookings, plain splitting is enough."""
    if "%" in text or "+" in text:
        return parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=9)
    return [pair.split("=", 1) for pair in text.split("&")]
