"""The worker's pages: a station's days, one slot, the acts on it, and what is mine."""

from booking.web.worker import acts, calendar, day, headline, mine, nearby, offline, slot
from booking.web.worker.room import pages
from booking.web.worker.rush import register as answer_the_rush

__all__ = ["acts", "answer_the_rush", "calendar", "day", "headline", "mine", "nearby", "offline", "pages", "slot"]
