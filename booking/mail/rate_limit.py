"""Rate limit: how many letters a minute this process sends.

Counted in memory. Only the leader sends, so a change of leader may send one minute's share twice, no more.
"""

import threading
from collections import deque
from datetime import datetime, timedelta

from flask import current_app

MINUTE = timedelta(minutes=1)
# Digests may use this share of the limit, so that a sign-in code never waits for 60,000 digests.
FOR_DIGESTS = 2 / 3
NO_LIMIT = 1_000_000


class RateLimit:
    """A sliding window over the last minute."""

    def __init__(self, per_minute: int = 0) -> None:
        self.per_minute = per_minute
        self._left: deque[datetime] = deque()
        self._lock = threading.Lock()

    def room(self, kinds: str, now: datetime) -> int:
        """How many letters of `at_once` or `digests` may leave now."""
        with self._lock:
            if not self.per_minute:
                return NO_LIMIT
            while self._left and self._left[0] <= now - MINUTE:
                self._left.popleft()
            share = FOR_DIGESTS if kinds == "digests" else 1
            return max(0, max(1, int(self.per_minute * share)) - len(self._left))

    def count(self, letters: int, now: datetime) -> None:
        """Count letters that were handed to the server, whatever it answered."""
        if self.per_minute:
            with self._lock:
                self._left.extend([now] * letters)


def of_this_process() -> RateLimit:
    limit = RateLimit(current_app.config["MAIL_PER_MINUTE"])
    found: RateLimit = current_app.extensions.setdefault("mail_rate_limit", limit)
    return found
