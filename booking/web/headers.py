"""The headers of every answer: who may frame, load, keep and read what. Errors and files too."""

import hashlib
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.http import dump_cookie

from booking.web import kept

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
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
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=(), usb=()",
}
A_YEAR = 365 * 24 * 3600


def register(app: Flask) -> None:
    app.after_request(_secure)
    app.after_request(_say_how_long_it_keeps)
    app.add_template_global(static, "static")


def _secure(response: Response) -> Response:
    response.headers.update(SECURITY)
    if current_app.config["PUBLIC_URL"].startswith("https://"):
        response.headers["Strict-Transport-Security"] = f"max-age={2 * A_YEAR}; includeSubDomains"
    return response


def _say_how_long_it_keeps(response: Response) -> Response:
    """Pages are personal: nobody keeps them. A file at its stamped address never changes."""
    if request.endpoint == "static" and response.status_code in (200, 206, 304):
        _read_file(response)
        stamped = request.args.get("v") == _stamp((request.view_args or {})["filename"])
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable" if stamped else "public, no-cache"
        return response
    if request.method == "POST" and response.status_code < 500:
        _remember_the_act(response)
    response.headers["Vary"] = ", ".join(("HX-Request", "Cookie", "Accept-Language", *response.vary))
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _remember_the_act(response: Response) -> None:
    """For a moment this browser gets no page that another process has kept. Counted from when it arrives: no date."""
    how: Any = {"secure": current_app.config["SESSION_COOKIE_SECURE"], "httponly": True, "samesite": "Lax"}
    cookie = dump_cookie(kept.JUST_ACTED, "1", max_age=kept.JUST_NOW, sync_expires=False, **how)
    response.headers.add("Set-Cookie", cookie)


def _read_file(response: Response) -> None:
    """Small files go out from memory: Flask-Compress would leave a streamed one open."""
    file = response.response
    response.direct_passthrough = False
    response.set_data(b"" if response.status_code == 304 else b"".join(response.iter_encoded()))
    if hasattr(file, "close"):
        file.close()


def static(filename: str) -> str:
    """The address of one of our files, with its stamp."""
    stamp = _stamp(filename)
    return f"/static/{filename}?v={stamp}" if stamp else f"/static/{filename}"


def _stamp(filename: str) -> str | None:
    """A few characters of the file's hash, or nothing when there is no such file. Looked up once a second."""
    path = Path(current_app.static_folder or "", filename)
    until, stamp = _stamps.get(path, (0.0, None))
    if until < monotonic():
        stamp = _hash(path, path.stat().st_mtime_ns) if path.is_file() else None
        _stamps[path] = monotonic() + 1, stamp
    return stamp


_stamps: dict[Path, tuple[float, str | None]] = {}


@lru_cache(maxsize=512)
def _hash(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
