"""Assets: addresses of static files with a hash of their content, so that browsers may cache them for a year."""

import hashlib
from functools import lru_cache
from os.path import normpath
from pathlib import Path
from time import monotonic

from flask import current_app


def static(filename: str) -> str:
    """The address of a static file, with its fingerprint."""
    known = fingerprint(filename)
    return f"/static/{filename}?v={known}" if known else f"/static/{filename}"


def fingerprint(filename: str) -> str | None:
    """The first characters of the file's hash; None when there is no such file. Checked once a second."""
    path = Path(
        normpath(Path(current_app.static_folder or "", filename))
    )  # one key for each file, however it was written
    until, found = _stamps.get(path, (0.0, None))
    if until < monotonic():
        if not path.is_file():
            return None
        found = _hash(path, path.stat().st_mtime_ns)
        _stamps[path] = monotonic() + 1, found
    return found


_stamps: dict[Path, tuple[float, str | None]] = {}


@lru_cache(maxsize=512)
def _hash(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
