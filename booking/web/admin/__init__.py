"""The admin's pages: stations, people, the scheduler."""

from booking.web.admin import accounts, jobs, stations
from booking.web.admin.room import pages

__all__ = ["accounts", "jobs", "pages", "stations"]
