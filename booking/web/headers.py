"""Response headers: who may frame, load, cache and read what; also for errors and files."""

from typing import Any

from flask import Flask, Response, current_app, g, request
from werkzeug.http import dump_cookie, parse_date

from booking.web import assets, htmx, linked_text, picture_links
from booking.web.cache import store

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self' {sheet}",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=(), usb=()",
}
# The pages that may ask for the camera.
CAMERA_PAGES = ("manager.scan",)
# The pages that lead elsewhere, which must not learn from where.
LEADS_AWAY = ("worker.open_watch",)
# Pages with nothing of the reader's own for who is not signed in.
PUBLIC = {"worker.home", "worker.station", "worker.slot", "worker.stations", "worker.headline"}
A_YEAR = 365 * 24 * 3600
FOREVER = f"public, max-age={A_YEAR}, immutable"  # of an address whose content never changes


# Request headers that may be a date.
DATES = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE")


def register(app: Flask) -> None:
    app.before_request(_forget_dates_that_are_none)
    app.after_request(_secure)
    app.after_request(_say_how_long_it_keeps)
    assets.register(app)
    picture_links.register(app)
    linked_text.register(app)


def _forget_dates_that_are_none() -> None:
    """Werkzeug ignores what is no date, but raises an error for a year of twenty digits."""
    for name in DATES:
        try:
            parse_date(request.environ.get(name))
        except OverflowError:
            del request.environ[name]


def _secure(response: Response) -> Response:
    response.headers.update(SECURITY)
    if request.endpoint in CAMERA_PAGES:
        policy = SECURITY["Permissions-Policy"].replace("camera=()", "camera=(self)")
        response.headers["Permissions-Policy"] = policy
    if request.endpoint in LEADS_AWAY:
        response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Content-Security-Policy"] = CSP.format(sheet=assets.allowed())
    if current_app.config["PUBLIC_URL"].startswith("https://"):
        response.headers["Strict-Transport-Security"] = f"max-age={2 * A_YEAR}; includeSubDomains"
    return response


def _say_how_long_it_keeps(response: Response) -> Response:
    """Cache-Control: pages are personal and never cached; a file at its fingerprinted address never changes.

    A page with nothing personal may be shown again by the browser's back button, alive as it was (bfcache).
    """
    if request.endpoint == "static" and request.method != "OPTIONS" and response.status_code in (200, 206, 304):
        _read_file(response)
        stamped = request.args.get("v") == assets.fingerprint((request.view_args or {})["filename"])
        response.headers["Cache-Control"] = FOREVER if stamped else "public, no-cache"
        return response
    if response.headers.get("Cache-Control") == FOREVER:
        return response
    if request.method == "POST" and response.status_code < 500:
        _remember_the_act(response)
    response.headers["Vary"] = ", ".join(("HX-Request", "Cookie", "Accept-Language", *response.vary))
    response.headers.setdefault("Cache-Control", "private, no-cache" if _is_public(response) else "no-store")
    return response


def _is_public(response: Response) -> bool:
    """Whether a page has nothing personal. Not for an answer to htmx, which some browsers would show as a page."""
    is_page = request.method in ("GET", "HEAD") and response.status_code == 200 and not htmx.asked()
    return is_page and request.endpoint in PUBLIC and not g.get("loaded")


def _remember_the_act(response: Response) -> None:
    """Let this browser bypass the caches for a moment: other processes may not know its change yet."""
    how: Any = {"secure": current_app.config["SESSION_COOKIE_SECURE"], "httponly": True, "samesite": "Lax"}
    cookie = dump_cookie(store.JUST_ACTED, "1", max_age=store.JUST_NOW, sync_expires=False, **how)
    response.headers.add("Set-Cookie", cookie)


def _read_file(response: Response) -> None:
    """Send small files from memory: Flask-Compress would leave a streamed one open."""
    file = response.response
    response.direct_passthrough = False
    response.set_data(b"" if response.status_code == 304 else b"".join(response.iter_encoded()))
    if hasattr(file, "close"):
        file.close()
