"""The admin's pages: stations, people, the scheduler, the letters."""

from booking.web.admin import accounts, jobs, letters, stations
from booking.web.admin.room import pages

__all__ = ["accounts", "jobs", "letters", "pages", "stations"]
