"""The drill: a backup in the middle of a rush, a disaster, a restore."""

import threading
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from pathlib import Path

import time_machine
from flask import Flask
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import invariants, seats
from booking.db import transactions
from booking.extensions import db
from booking.mail import held, outbox, transport
from booking.model import Booking, Letter
from tests.support.lunch_hour import LunchHour, at, make_people
from tests.support.restores import Operator

OPEN = at("Mon 10:00")
CROWD = [f"colleague{n}" for n in range(48)]


class Rush:
    """Four threads press for everybody of the crowd; `told` are the answers, in their order."""

    def __init__(self, engine: Engine, people: dict[str, int], slot_id: int) -> None:
        self.engine, self.people, self.slot_id = engine, people, slot_id
        self.told: list[tuple[int, str]] = []
        self.some = threading.Event()

    def press(self, name: str) -> None:
        with Session(self.engine) as session:
            pressed = seats.book(session, self.people[name], self.slot_id, OPEN)
            self.told.append((pressed.booking.id, pressed.booking.state))
        if len(self.told) >= len(CROWD) // 4:
            self.some.set()


def send(app: Flask) -> outbox.Delivery:
    with app.app_context(), time_machine.travel(OPEN, tick=False), transport.opened(app.config) as server:
        return outbox.deliver(db.session, server, OPEN, limit=200)


def sent(app: Flask) -> list[str]:
    """The readers of the letters that have left."""
    files = Path(app.config["MAIL_FOLDER"]).glob("*.eml")
    return sorted(str(message_from_bytes(file.read_bytes())["To"]) for file in files)


def test_after_a_restore_nothing_from_before_the_backup_is_missing_and_no_letter_comes_twice(
    app: Flask, engine: Engine, session: Session, tmp_path: Path
) -> None:
    lunch = LunchHour(session, capacity=30)
    with transactions.transaction(session):
        people = make_people(session, CROWD)
    *crowd, late = CROWD
    rush, operator, file = Rush(engine, people, lunch.slot_id), Operator(app, engine, session, OPEN), tmp_path / "noon"
    with ThreadPoolExecutor(4) as threads:
        pressed = [threads.submit(rush.press, name) for name in crowd]
        assert rush.some.wait(60)
        before = list(rush.told)
        assert operator.backup(file).startswith("0")
        for one in pressed:
            one.result()
    rush.press(late)
    first = send(app)
    assert (first.sent, first.claimed) == (len(sent(app)), len(sent(app)))
    assert first.sent > 0

    assert operator.restore(file, "--yes").startswith("0")

    with Session(engine) as restored:
        assert invariants.breaches(restored, OPEN) == []
        kept = dict(restored.execute(select(Booking.id, Booking.state)).all())
        assert dict(before).items() <= kept.items()
        assert kept.items() <= dict(rush.told).items()
        assert rush.told[-1][0] not in kept
        assert held.count(restored) == restored.scalar(select(func.count(Letter.id)))
        assert held.count(restored) > 0
        letters = sent(app)
        assert send(app).claimed == 0
        # A letter that an admin lets go nevertheless is the same letter, under its name.
        held.let_go(restored, OPEN)
        send(app)
        assert len(sent(app)) == len(letters)
