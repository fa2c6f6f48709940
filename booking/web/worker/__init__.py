"""Worker pages: a station's days, one slot, booking and cancelling, and one's own bookings."""

from booking.web.worker import acts, calendar, day, following, mine, offline, slot, station_list
from booking.web.worker.blueprint import pages
