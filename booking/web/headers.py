"""The headers of every answer: who may frame, load, keep and read what. Errors and files too."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

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
    app.url_defaults(_stamp_static_address)


def _secure(response: Response) -> Response:
    response.headers.update(SECURITY)
    if current_app.config["PUBLIC_URL"].startswith("https://"):
        response.headers["Strict-Transport-Security"] = f"max-age={2 * A_YEAR}; includeSubDomains"
    return response


def _say_how_long_it_keeps(response: Response) -> Response:
    """Pages are personal: nobody keeps them. A file at its stamped address never changes."""
    if request.endpoint == "static" and response.status_code in (200, 206, 304):
        _read_file(response)
        stamped = request.args.get("v") == _stamp(request.view_args or {})
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable" if stamped else "public, no-cache"
        return response
    response.vary.update(("HX-Request", "Cookie", "Accept-Language"))
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _read_file(response: Response) -> None:
    """Small files go out from memory: Flask-Compress would leave a streamed one open."""
    file = response.response
    response.direct_passthrough = False
    response.set_data(b"" if response.status_code == 304 else b"".join(response.iter_encoded()))
    if hasattr(file, "close"):
        file.close()


def _stamp_static_address(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and (stamp := _stamp(values)):
        values["v"] = stamp


def _stamp(values: dict[str, Any]) -> str | None:
    """A few characters of the file's hash, or nothing when there is no such file."""
    path = Path(current_app.static_folder or "", values.get("filename", ""))
    return _hash(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=512)
def _hash(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
