"""A rule saying no. Pages turn the reason into words; everything else stays loud."""

from typing import Any


class RuleViolation(Exception):
    """`reason` is a stable code, `details` what a sentence about it needs (instants, counts, ids).

    `seen` is the slot that the rule looked at, where the verb has it at hand.
    """

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details
        self.seen: Any = None
