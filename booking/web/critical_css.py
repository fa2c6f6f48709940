"""Critical CSS: the stylesheet inlined for a browser that has never been here, and linked for everybody else.

A first visit on a slow network waits for one answer instead of two before anything is painted. An inlined sheet is
allowed by its hash (CSP `style-src`), and no other style is.
"""

import hashlib
import re
from base64 import b64encode
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, request
from markupsafe import Markup

from booking.web.assets import fingerprint, static

SHEET = "css/app.css"
_SPARE = re.compile(r"/\*.*?\*/|(?<=[{};,])\s+|\s+(?=[{}])", re.DOTALL)


def register(app: Flask) -> None:
    app.add_template_global(looks)
    app.add_template_global(looks_for_next_time)


def is_inlined() -> str | None:
    """The fingerprint of the stylesheet that this page inlines; None where the page links to it."""
    return None if current_app.config["SESSION_COOKIE_NAME"] in request.cookies else fingerprint(SHEET)


def looks() -> Markup:
    """The style or link element for the head of a page."""
    known = is_inlined()
    return Markup(f"<style>{_sheet(_path(), known)}</style>") if known else _link()  # noqa: S704 (our own file)


def looks_for_next_time() -> Markup:
    """At the end of a page with an inlined sheet: the link, so that the browser has the file for its next visit."""
    return _link() if is_inlined() else Markup("")


def allowed() -> str:
    """The `style-src` value of the one stylesheet that may be inlined."""
    return _hash(_path(), fingerprint(SHEET))


def _link() -> Markup:
    return Markup('<link rel="stylesheet" href="{}">').format(static(SHEET))


def _path() -> Path:
    return Path(current_app.static_folder or "", SHEET)


@lru_cache(maxsize=4)
def _hash(path: Path, known: str | None) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(_sheet(path, known).encode()).digest()).decode()}'"


@lru_cache(maxsize=4)
def _sheet(path: Path, _stamp: str | None) -> str:
    """The file without comments and unneeded white space."""
    return _SPARE.sub("", path.read_text())
