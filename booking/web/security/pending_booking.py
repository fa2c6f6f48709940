"""Pending booking: a press on the booking button of somebody who is not signed in. It is made when they are. An activity
that they want to follow is kept likewise.

It stands in the signed session cookie of the browser that sent the form, so no link can bring one; half an hour later it
is void.
"""

from datetime import timedelta
from typing import NamedTuple

from flask import session

from booking import clock

LASTS = timedelta(minutes=30)
NAME, FOLLOW = "pending_booking", "pending_follow"


class PendingBooking(NamedTuple):
    """The slot, the idempotency key of the form, the page that sent it (`day` or `slot`), and when (a timestamp)."""

    slot_id: int
    key: str
    back: str
    at: float


def remember(slot_id: int, key: str, back: str) -> None:
    session[NAME] = [*PendingBooking(slot_id, key, back, clock.now().timestamp())]


def remember_follow(activity_id: int) -> None:
    session[FOLLOW] = [activity_id, clock.now().timestamp()]


def begin_session() -> None:
    """A new session, with nothing of the old one but what was pressed."""
    pressed = {name: session[name] for name in (NAME, FOLLOW) if name in session}
    session.clear()
    session.update(pressed)


def remembered() -> PendingBooking | None:
    """This browser's pending booking, while it is valid."""
    if NAME not in session:
        return None
    pending = PendingBooking(*session[NAME])
    return pending if _is_valid(pending.at) else None


def take_follow() -> int:
    """The activity that this browser's reader wants to follow, once; 0 for none."""
    activity_id, at = session.pop(FOLLOW, (0, 0.0))
    return activity_id if _is_valid(at) else 0


def forget() -> None:
    session.pop(NAME, None)


def _is_valid(at: float) -> bool:
    return 0 <= clock.now().timestamp() - at <= LASTS.total_seconds()
