"""Manager pages, one subject in each file. Importing them registers their views on the blueprint."""

from booking.web.manager import (
    calendar,
    catalogue,
    checkin_sync,
    copying,
    door,
    exports,
    history,
    imports,
    messages,
    moving,
    numbers,
    people,
    plans,
    policy,
    roster,
    running,
    slots,
    tickets,
    today,
    week,
)
from booking.web.manager.blueprint import pages
