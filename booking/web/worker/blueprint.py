"""Blueprint of the worker's pages, and the functions that their templates may call."""

from datetime import datetime

from flask import Blueprint

from booking import seats
from booking.web.cache import placeholders
from booking.web.i18n import formatting
from booking.web.i18n.formatting import HasZoneName


def opens_in(opens_at: datetime, now: datetime, where: HasZoneName | str) -> str:
    """When it opens. That changes all the time, so a cached page has a placeholder there."""
    return placeholders.COUNT if placeholders.is_blank() else formatting.opens_in(opens_at, now, where)


pages = Blueprint("worker", __name__)
pages.add_app_template_global(placeholders.new_key, "new_key")
pages.add_app_template_global(placeholders.shown_at, "shown_at")
pages.add_app_template_global(placeholders.reader, "reader")
pages.add_app_template_global(opens_in, "opens_in")
pages.add_app_template_global(seats.is_late, "is_late")
pages.add_app_template_global(seats.can_undo, "can_undo")
