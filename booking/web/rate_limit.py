"""Rate limit of booking attempts: it only reduces load, so each process counts for itself, with its share of the limit.

Repeating a request quickly gains nothing; cancelling is never limited.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import current_app
from limits import RateLimitItem, parse
from werkzeug.exceptions import TooManyRequests

from booking.extensions import limiter

LONGEST = 5  # seconds; Retry-After is never longer, however long the window is


def press(token: str, settings: Mapping[str, Any] | None = None) -> None:
    """Count one attempt of the sign-in with this token; 429 with Retry-After when there were too many.

    With `settings` it needs no app context.
    """
    if not limiter.enabled:
        return
    settings = settings or current_app.config
    allowed = _share(settings["PRESS_LIMIT"], settings["WEB_WORKERS"])
    # A fixed window with the library's storage, but a shorter key: building the library's costs as much as counting.
    if limiter.storage.incr(f"press/{token}", allowed.get_expiry()) > allowed.amount:
        raise TooManyRequests(retry_after=min(LONGEST, allowed.get_expiry()))


@lru_cache
def _share(limit: str, processes: int) -> RateLimitItem:
    """The share of one process of a limit such as `60 per minute`."""
    whole = parse(limit)
    return type(whole)(max(1, whole.amount // processes), whole.multiples)
