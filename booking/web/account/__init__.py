"""Account pages: signing in, registering, and one's own profile."""

from booking.web.account import (
    address,
    authenticator,
    consent,
    deletion,
    feed,
    invitation,
    login,
    profile,
    reauthentication,
    registration,
    second_step,
    user_agent,
)
from booking.web.account.blueprint import pages
