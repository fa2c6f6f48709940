"""Ticks killed in the midst of the SMTP talk: `python -m tests.support.crash_talk URL PORT NOW [broken]`.

For each answer of the server that a talk about two letters waits for, two letters are written and a tick
is killed by SIGKILL, once right before it reads that answer and once right after; 11 minutes later
another tick lives to its end. Prints the kills. `broken` breaks the claim as in `crash_tick`.
"""

import os
import signal
import smtplib
import sys
from datetime import datetime, timedelta
from typing import Any

from flask import Flask

import config
from booking import jobs
from booking.app import create_app
from booking.db import transactions
from booking.enqueue import enqueue
from booking.extensions import db
from tests.support.crash_tick import BETWEEN, break_the_claim, in_a_child

# The banner and EHLO; MAIL, RCPT, DATA and the end of the body of two letters; QUIT.
ANSWERS = 2 + 4 + 4 + 1
ROUND = timedelta(minutes=30)


def main(url: str, port: str, now: str, broken: str = "") -> None:
    if broken:
        break_the_claim()
    app = create_app(config.load({"DATABASE_URL": url, "SECRET_KEY": "x" * 40, "MAIL_URL": f"smtp://127.0.0.1:{port}"}))
    kills, moment = 0, datetime.fromisoformat(now)
    for answer in range(ANSWERS):
        for side in ("before", "after"):
            in_a_child(lambda name=f"{answer}-{side}", then=moment: write(app, name, then))
            kills += in_a_child(lambda n=answer, s=side, then=moment: killed(app, then, n, s)) == -signal.SIGKILL
            if in_a_child(lambda then=moment + BETWEEN: tick(app, then)):
                sys.exit("the tick after a kill did not live")
            moment += ROUND
    sys.stdout.write(f"{kills}\n")


def write(app: Flask, name: str, now: datetime) -> None:
    with app.app_context(), transactions.transaction(db.session) as session:
        for n in (1, 2):
            enqueue(session, "already_registered", now, to=f"{name}-{n}@example.com", language="en")


def tick(app: Flask, now: datetime) -> None:
    with app.app_context():
        jobs.tick(now)


def killed(app: Flask, now: datetime, answer: int, side: str) -> None:
    real, left = smtplib.SMTP.getreply, answer

    def getreply(talk: smtplib.SMTP) -> Any:
        nonlocal left
        if left == 0 and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        said = real(talk)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return said

    smtplib.SMTP.getreply = getreply  # type: ignore[method-assign]
    tick(app, now)


if __name__ == "__main__":
    main(*sys.argv[1:])
