"""Ticks that kill themselves: `python -m tests.support.crash_tick URL PORT NOW before|after [broken]`.

Each tick is a process of its own, 11 minutes after the one before, and dies by SIGKILL right before or
right after one of its commits, each a few commits later than the one before, until one lives to its
end. Prints the number of kills. `broken` breaks the claim of the outbox on purpose: letters count as
sent when they are taken.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine, event, update
from sqlalchemy.orm import Session

import config
from booking import jobs
from booking.app import create_app
from booking.extensions import db
from booking.mail import outbox
from booking.model import Letter

# Longer than a letter stays with a sender who says nothing.
BETWEEN = timedelta(minutes=11)
STEP = 4
MOST_RUNS = 16


def main(url: str, port: str, now: str, side: str, broken: str = "") -> None:
    if broken:
        break_the_claim()
    settings = config.load({"DATABASE_URL": url, "SECRET_KEY": "x" * 40, "MAIL_URL": f"smtp://127.0.0.1:{port}"})
    until_one_lives(
        lambda run: tick(settings, datetime.fromisoformat(now) + run * BETWEEN, STEP * run + 1, side), MOST_RUNS
    )


def until_one_lives(act: Callable[[int], None], most: int) -> None:
    """Each run in a process of its own, until one lives to its end; prints how many were killed."""
    for run in range(most):
        ended = in_a_child(partial(act, run))
        if ended == 0:
            sys.stdout.write(f"{run}\n")
            return
        if ended != -signal.SIGKILL:
            sys.exit(f"a run ended by itself: {ended}")
    sys.exit("no run lived to its end")


def in_a_child(act: Callable[[], None]) -> int:
    """Act in a process of its own; how it ended."""
    child = os.fork()
    if child == 0:
        act()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def tick(settings: dict[str, Any], now: datetime, commits: int, side: str) -> None:
    app = create_app(settings)
    with app.app_context():
        die_at(db.engine, commits, side)
        jobs.tick(now)


def die_at(engine: Engine, commits: int, side: str) -> None:
    left = commits

    def committing(_connection: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0 and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def beginning(_connection: Any) -> None:
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "commit", committing)
    event.listen(engine, "begin", beginning)


def break_the_claim() -> None:
    claim = outbox._claim

    def claim_as_sent(session: Session, *details: Any) -> list[int]:
        ids = claim(session, *details)
        session.execute(update(Letter).where(Letter.id.in_(ids)).values(state="sent"))
        return ids

    outbox._claim = claim_as_sent


if __name__ == "__main__":
    main(*sys.argv[1:])
