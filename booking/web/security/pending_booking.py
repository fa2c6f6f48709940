"""Pending booking: a press on the booking button of somebody who is not signed in. It is made when they are.

It stands in the signed session cookie of the browser that sent the form, so no link can bring one; half an hour later it
is void.
"""

from datetime import timedelta
from typing import NamedTuple

from flask import session

from booking import clock

LASTS = timedelta(minutes=30)
NAME = "pending_booking"


class PendingBooking(NamedTuple):
    """The slot, the idempotency key of the form, the page that sent it (`day` or `slot`), and when (a timestamp)."""

    slot_id: int
    key: str
    back: str
    at: float


def remember(slot_id: int, key: str, back: str) -> None:
    keep(PendingBooking(slot_id, key, back, clock.now().timestamp()))


def keep(pending: PendingBooking | None) -> None:
    """Put it into the session, which may be a new one."""
    if pending:
        session[NAME] = [*pending]


def remembered() -> PendingBooking | None:
    """This browser's pending booking, while it is valid."""
    if NAME not in session:
        return None
    pending = PendingBooking(*session[NAME])
    return pending if 0 <= clock.now().timestamp() - pending.at <= LASTS.total_seconds() else None


def forget() -> None:
    session.pop(NAME, None)
