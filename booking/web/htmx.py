"""HTMX: whether a page or a fragment was asked for, and the answers that only htmx understands."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, make_response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

import config


def asked() -> bool:
    """Whether a fragment is wanted, not a page."""
    return asked_by(request.environ)


def asked_by(environ: Mapping[str, Any]) -> bool:
    """The same of a request that Flask has not seen."""
    return environ.get("HTTP_HX_REQUEST") == "true" and "HTTP_HX_HISTORY_RESTORE_REQUEST" not in environ


def aims_at(prefix: str) -> bool:
    """Whether the answer will replace an element whose id begins with `prefix`."""
    return request.headers.get("HX-Target", "").partition("#")[2].startswith(prefix)


def came_from() -> str:
    """The path and query of our page that sent this request; "/" where that is not known. Not yet a safe redirect."""
    page = config.split_url(request.headers.get("HX-Current-URL") or request.referrer or "")
    if page.netloc != request.host:
        return "/"
    return f"{page.path}?{page.query}" if page.query else page.path


def go(address: str) -> BaseResponse:
    """Redirect to `address`, by HTTP or by htmx's header."""
    if not asked():
        return redirect(address, code=303)
    response = make_response("", 204)
    response.headers["HX-Redirect"] = address
    return response


def fresh(tag: str, fragment: Callable[[], str]) -> Response:
    """The fragment with its ETag, or 304 for a reader who has the version named by `tag` already."""
    known = request.if_none_match.contains_weak(tag)
    response = make_response(("", 304) if known else fragment())
    response.set_etag(tag, weak=True)
    return response
