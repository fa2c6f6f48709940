"""Request: reads a request before Flask does, by the same functions: werkzeug's, the app's session, the check of CSRF.

What is unusual is left to the app, which reads the same request again and says what is wrong with it.
"""

from io import BytesIO
from typing import Any, NamedTuple, cast

from flask import Flask
from flask import Request as FlaskRequest
from flask.sessions import SessionMixin
from werkzeug.datastructures import MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Request

from booking.web import errors, htmx
from booking.web.security import csrf

Environ = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
MOST = 4096  # bytes of a form that is a button and its hidden fields
_parser = FormDataParser()


class FastRequest:
    """A request's cookies, session and query, as Flask's views see them; a whole `Request` costs as much as the rest."""

    __slots__ = ("cookies", "environ", "session")

    def __init__(self, app: Flask, environ: Environ) -> None:
        self.environ = environ
        self.cookies = parse_cookie(environ)
        opened = app.session_interface.open_session(app, cast("FlaskRequest", self))
        self.session: SessionMixin = cast("SessionMixin", opened)  # None only without a secret key

    @property
    def args(self) -> MultiDict[str, str]:
        return Request(self.environ, shallow=True).args


class Posted(NamedTuple):
    """A request with its form."""

    request: FastRequest
    form: MultiDict[str, str]


def posted(app: Flask, environ: Environ) -> Posted | None:
    """The form that htmx sent, if its CSRF token is valid. `middleware` has read the body, and the app can read it again."""
    is_usual = environ.get("CONTENT_TYPE") == FORM and htmx.asked_by(environ) and not environ.get("QUERY_STRING")
    body = environ["wsgi.input"].getvalue() if is_usual and isinstance(environ["wsgi.input"], BytesIO) else b""
    if not body or len(body) > MOST:
        return None
    form: MultiDict[str, str] = _parser.parse(BytesIO(body), FORM, len(body))[1]
    request = FastRequest(app, environ)
    is_valid = csrf.is_valid(app, form.get("csrf_token", ""), request.session) and not errors.is_unstorable(form)
    return Posted(request, form) if is_valid else None
