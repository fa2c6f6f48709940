"""The account's pages: signing in, registering, and looking after oneself."""

from booking.web.account import agents, entry, feed, joining, parting, profile
from booking.web.account.room import pages

__all__ = ["agents", "entry", "feed", "joining", "pages", "parting", "profile"]
