"""Admin pages: stations, people, the calendar, the scheduler, the letters."""

from booking.web.admin import accounts, holidays, jobs, letters, managers, second_factor_policy, stations
from booking.web.admin.blueprint import pages
