"""Worker pages: a station's days, one slot, booking and cancelling, and one's own bookings."""

from flask import Flask

from booking.web import doorstep
from booking.web.worker import acts, cache_key, calendar, day, headline, mine, nearby, offline, slot
from booking.web.worker.blueprint import pages
from booking.web.worker.rush import register as answer_the_rush


def answer_the_same(app: Flask) -> None:
    doorstep.register(app, cache_key.reader(app))
