"""Account pages: signing in, registering, and one's own profile."""

from booking.web.account import (
    address,
    authenticator,
    deletion,
    feed,
    invitation,
    login,
    profile,
    registration,
    second_step,
    user_agent,
)
from booking.web.account.blueprint import pages
