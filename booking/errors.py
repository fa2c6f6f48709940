"""Errors: a business rule's refusal. Pages turn the reason into a sentence; any other exception is a bug."""

from typing import Any


class RuleViolation(Exception):
    """`reason` is a stable code, `details` what a sentence about it needs (instants, counts, ids).

    `seen` is the slot that the rule examined, where the verb has it at hand.
    """

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details
        self.seen: Any = None
