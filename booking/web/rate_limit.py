"""Rate limit of presses: it only calms load, so each process counts for itself, and has its share of the whole.

Hammering gains nothing; giving up is never limited.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import current_app
from limits import RateLimitItem, parse
from werkzeug.exceptions import TooManyRequests

from booking.extensions import limiter

LONGEST = 5  # seconds after which another try is worth it, however long the window is


def press(person_id: int, settings: Mapping[str, Any] | None = None) -> None:
    """Count one press; 429 with Retry-After when there were too many. With `settings` it needs no app at hand."""
    if not limiter.enabled:
        return
    settings = settings or current_app.config
    allowed = _share(settings["PRESS_LIMIT"], settings["WEB_WORKERS"])
    # A fixed window, as the library counts it, by a shorter name: making its own costs as much as counting.
    if limiter.storage.incr(f"press/{person_id}", allowed.get_expiry()) > allowed.amount:
        raise TooManyRequests(retry_after=min(LONGEST, allowed.get_expiry()))


@lru_cache
def _share(limit: str, processes: int) -> RateLimitItem:
    """What one of so many processes lets through, of a limit such as `60 per minute`."""
    whole = parse(limit)
    return type(whole)(max(1, whole.amount // processes), whole.multiples)
