"""A rule saying no. Pages turn the reason into words; everything else stays loud."""

from typing import Any


class Refused(Exception):
    """`reason` is a stable code, `details` what a sentence about it needs (instants, counts, ids)."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details
