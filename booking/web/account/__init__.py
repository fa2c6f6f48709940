"""Account pages: signing in, registering, and one's own profile."""

from booking.web.account import address, deletion, feed, login, profile, registration, user_agent
from booking.web.account.blueprint import pages
