"""The manager's pages, one subject a file. Importing them puts their views on the blueprint."""

from booking.web.manager import (
    activities,
    calendar,
    door,
    exports,
    history,
    imports,
    numbers,
    people,
    plans,
    policy,
    roster,
    running,
    slots,
    taps,
    tickets,
    week,
    zones,
)
from booking.web.manager.frame import pages

__all__ = [
    "activities",
    "calendar",
    "door",
    "exports",
    "history",
    "imports",
    "numbers",
    "pages",
    "people",
    "plans",
    "policy",
    "roster",
    "running",
    "slots",
    "taps",
    "tickets",
    "week",
    "zones",
]
