"""Pending sign-in: somebody between the two steps of a sign-in. It opens no page; ten minutes later it is void.

It stands in the signed session cookie of the browser in which the first step was taken.
"""

from typing import NamedTuple

from flask import session

from booking import clock, people


class Pending(NamedTuple):
    """A pending sign-in, where the person wanted to go, and whether its time is over."""

    sign_in: people.PendingSignIn
    come_back: str
    is_over: bool


def remember(pending: people.PendingSignIn, come_back: str) -> None:
    session["second_step"] = [*pending, come_back, int(clock.now().timestamp())]


def remembered() -> Pending | None:
    """This browser's pending sign-in."""
    if "second_step" not in session:
        return None
    person_id, proof, come_back, at = session["second_step"]
    age = clock.now().timestamp() - at
    over = age > people.SECOND_STEP_TIME.total_seconds()
    return Pending(people.PendingSignIn(person_id, proof), come_back, over)
