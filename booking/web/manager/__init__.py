"""Manager pages, one subject in each file. Importing them registers their views on the blueprint."""

from booking.web.manager import (
    calendar,
    catalogue,
    checkin_sync,
    copying,
    door,
    door_helpers,
    exports,
    history,
    imports,
    moving,
    numbers,
    people,
    plans,
    policy,
    poster,
    request_desk,
    roster,
    running,
    scan,
    slot_message,
    slots,
    tickets,
    today,
    week,
)
from booking.web.manager.blueprint import pages
