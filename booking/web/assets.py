"""Assets: addresses of static files by their content, and the stylesheet inlined for a browser's first visit.

An address has a hash of the file, so that browsers may cache it for a year. A first visit on a slow network waits for
one answer instead of two before anything is painted: its critical CSS is in the page, allowed by its hash (CSP
`style-src`), and no other style is.
"""

import hashlib
import re
from base64 import b64encode
from functools import lru_cache
from os.path import normpath
from pathlib import Path
from time import monotonic

from flask import Flask, current_app, request
from markupsafe import Markup

SHEET = "css/app.css"
_SPARE = re.compile(r"/\*.*?\*/|(?<=[{};,])\s+|\s+(?=[{}])", re.DOTALL)
_stamps: dict[Path, tuple[float, str | None]] = {}


def register(app: Flask) -> None:
    for name in (static, looks, looks_for_next_time):
        app.add_template_global(name)


def static(filename: str) -> str:
    """The address of a static file, with its fingerprint."""
    known = fingerprint(filename)
    return f"/static/{filename}?v={known}" if known else f"/static/{filename}"


def fingerprint(filename: str) -> str | None:
    """The first characters of the file's hash; None when there is no such file. Checked once a second."""
    path = _path(filename)
    until, found = _stamps.get(path, (0.0, None))
    if until < monotonic():
        if not path.is_file():
            return None
        found = _hash(path, path.stat().st_mtime_ns)
        _stamps[path] = monotonic() + 1, found
    return found


def is_inlined() -> str | None:
    """The fingerprint of the stylesheet that this page inlines; None where the page links to it."""
    return None if current_app.config["SESSION_COOKIE_NAME"] in request.cookies else fingerprint(SHEET)


def looks() -> Markup:
    """The style or link element for the head of a page."""
    known = is_inlined()
    return Markup(f"<style>{_sheet(_path(SHEET), known)[0]}</style>") if known else _link()  # noqa: S704 (our own file)


def looks_for_next_time() -> Markup:
    """At the end of a page with an inlined sheet: the link, so that the browser has the file for its next visit."""
    return _link() if is_inlined() else Markup("")


def allowed() -> str:
    """The `style-src` value of the one stylesheet that may be inlined."""
    return _sheet(_path(SHEET), fingerprint(SHEET))[1]


def _link() -> Markup:
    return Markup('<link rel="stylesheet" href="{}">').format(static(SHEET))


def _path(filename: str) -> Path:
    """One path for each file, however it was written."""
    return _normal(current_app.static_folder or "", filename)


@lru_cache(maxsize=512)
def _normal(folder: str, filename: str) -> Path:
    return Path(normpath(Path(folder, filename)))


@lru_cache(maxsize=512)
def _hash(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@lru_cache(maxsize=4)
def _sheet(path: Path, _stamp: str | None) -> tuple[str, str]:
    """The file without comments and unneeded white space, and the source expression that allows it."""
    sheet = _SPARE.sub("", path.read_text())
    return sheet, f"'sha256-{b64encode(hashlib.sha256(sheet.encode()).digest()).decode()}'"
