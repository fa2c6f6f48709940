"""Page or fragment: what htmx asked for, and answers that only it understands."""

from flask import Response, make_response, redirect, request
from werkzeug.wrappers import Response as BaseResponse


def asked() -> bool:
    """Whether a fragment is wanted, not a page."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def aims_at(prefix: str) -> bool:
    """Whether the answer will replace an element whose id begins with `prefix`."""
    return request.headers.get("HX-Target", "").partition("#")[2].startswith(prefix)


def go(address: str) -> BaseResponse:
    """Leave this page for `address`, in the browser's way or in htmx's."""
    if not asked():
        return redirect(address, code=303)
    response = make_response("", 204)
    response.headers["HX-Redirect"] = address
    return response


def unless_known(tag: str) -> Response | None:
    """304 for a reader who holds the state named by `tag` already."""
    if tag not in request.if_none_match:
        return None
    response = make_response("", 304)
    response.set_etag(tag, weak=True)
    return response
