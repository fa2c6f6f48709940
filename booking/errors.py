"""Errors: a business rule's refusal. Pages turn the reason into a sentence (`web/i18n/messages.py`); any other exception
is a bug.
"""

from typing import Any, NamedTuple


class Flags(NamedTuple):
    """What the floors above must know about a reason."""

    personal: bool = False  # about the person: the slot may be free to others
    said_once: bool = False  # about many slots of a day: said above them, not on each card
    recorded: bool = False  # a press refused for it is kept, so that the person can be told why
    visible: bool = False  # the state of the card shows it already


NONE = Flags()
FLAGS = {
    "gone": Flags(personal=True, said_once=True),
    "paused": Flags(personal=True, said_once=True, recorded=True),
    "day_limit": Flags(personal=True, said_once=True, recorded=True),
    "waiting_limit": Flags(personal=True, said_once=True, recorded=True),
    "week_limit": Flags(personal=True, said_once=True, recorded=True),
    "city_day_limit": Flags(personal=True, said_once=True, recorded=True),
    "city_waiting_limit": Flags(personal=True, said_once=True, recorded=True),
    "overlap": Flags(personal=True, recorded=True),
    "yours": Flags(personal=True, visible=True),
    "in_line": Flags(personal=True, visible=True),
    "not_open": Flags(visible=True),
    "draw_not_open": Flags(visible=True),
    "draw_closed": Flags(visible=True),
    "entered": Flags(personal=True, visible=True),
    "wishes_full": Flags(personal=True, said_once=True),
    "started": Flags(visible=True),
    "over": Flags(visible=True),
    "cancelled": Flags(visible=True),
    "full": Flags(recorded=True),
    "line_closed": Flags(recorded=True),
    "busy": Flags(recorded=True),
}


class RuleViolation(Exception):
    """`reason` is a stable code, `details` what a sentence about it needs (instants, counts, ids).

    `seen` is the slot that the rule examined, where the verb has it at hand.
    """

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details
        self.seen: Any = None

    @property
    def flags(self) -> Flags:
        return FLAGS.get(self.reason, NONE)
