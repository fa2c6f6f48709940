"""Which of our files an act crosses: `python -m tests.support.call_trace [ACT …] [--files]`.

A page, a press, a cancel, a check-in and a capacity change, each done once before so that what is kept is kept, by
signed-in people over a test client on SQLite. A file is crossed when a function in it is called.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from sqlalchemy import select, update

import config
from booking import clock
from booking.app import create_app
from booking.db import transactions
from booking.extensions import db
from booking.model import Booking, Event, Manages, Slot
from tests.support import databases, phones
from tests.support.servers import Ground
from tests.support.statements import heard
from tests.support.visits import Visit

OURS = f"{config.ROOT / 'booking'}/"


@dataclass
class Scene:
    """A station where the first person is the manager and the slot is open for presses and for check-in."""

    app: Flask
    slot: int
    visits: list[Visit]

    def ask(self, visit: Visit, path: str, **form: object) -> None:
        """GET, or POST where there is a form. Anything but a page or a redirect is an error."""
        client = self.app.test_client(use_cookies=False)
        headers = {"Cookie": visit.cookie, "Host": "127.0.0.1"}
        data = {"csrf_token": visit.csrf, **form} if form else None
        answer = client.open(path, method="POST" if form else "GET", data=data, headers=headers)
        if answer.status_code >= 400:
            raise RuntimeError(f"{path} answers {answer.status}: {answer.text[:500]}")

    def booking(self, visit: Visit) -> int:
        with self.app.app_context():
            of_visit = select(Booking.id).where(Booking.person_id == visit.person)
            return db.session.scalars(of_visit.order_by(Booking.id.desc())).first() or 0

    def long_ago(self) -> None:
        """Who cancels a moment after the press only takes it back."""
        with self.app.app_context(), transactions.transaction(db.session) as session:
            before = clock.now() - timedelta(minutes=5)
            session.execute(update(Booking).values(created_at=before, seated_at=before))

    def last(self) -> str:
        """What the history says last."""
        with self.app.app_context():
            return db.session.scalars(select(Event.kind).order_by(Event.id.desc())).first() or "no event"

    def press(self, visit: Visit) -> None:
        self.ask(visit, f"/slots/{self.slot}/book", key=f"trace-{visit.person}", back="day")


def _acts(scene: Scene) -> dict[str, Callable[[int], None]]:
    """Each act, to be done by the n-th person. All have pressed before but those who press."""
    manager = scene.visits[0]

    def page(n: int) -> None:
        scene.ask(scene.visits[n], "/s/s1")

    def press(n: int) -> None:
        scene.press(scene.visits[n])

    def cancel(n: int) -> None:
        scene.ask(scene.visits[n], f"/bookings/{scene.booking(scene.visits[n])}/give-up", sure="1")

    def check_in(n: int) -> None:
        scene.ask(manager, f"/manage/s1/bookings/{scene.booking(scene.visits[n])}/check-in", back="door")

    def capacity(n: int) -> None:
        scene.ask(manager, f"/manage/s1/slots/{scene.slot}/capacity", capacity=20 + n)

    return {"page": page, "press": press, "cancel": cancel, "check-in": check_in, "capacity": capacity}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("acts", nargs="*", help="page, press, cancel, check-in, capacity; all where none is named")
    arguments.add_argument("--files", action="store_true", help="list the files, with the number of calls")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Ground(f"sqlite:///{folder}/trace.sqlite3", Path(folder))
        scene = _scene(place)
        for number, (name, act) in enumerate(_acts(scene).items()):
            if asked.acts and name not in asked.acts:
                continue
            first = 1 + 2 * number
            if name in ("cancel", "check-in"):
                for n in (first, first + 1):
                    scene.press(scene.visits[n])
                scene.long_ago()
            act(first)
            calls, statements = _trace(scene.app, lambda act=act, n=first + 1: act(n))  # type: ignore[misc]
            print(f"{name:10} {len(calls):3} files, {calls.total():5} calls, {statements:2} statements; {scene.last()}")
            if asked.files:
                print("".join(f"    {count:5}  {file}\n" for file, count in calls.most_common()), end="")


def _scene(place: Ground) -> Scene:
    databases.upgrade(databases.connect_engine(place.url))
    made = phones.station(place, 12)
    app, (slot, _) = create_app(config.load(place.settings())), made[0]
    with app.app_context(), transactions.transaction(db.session) as session:
        row = session.get_one(Slot, slot)
        session.execute(update(Slot).where(Slot.id == slot).values(checkin_from=row.opens_at))
        session.add(Manages(person_id=made[0][1].person, station_id=row.station_id, since=row.opens_at))
    return Scene(app, slot, [visit for _, visit in made])


def _trace(app: Flask, act: Callable[[], None]) -> tuple[Counter[str], int]:
    """Calls in each of our files, and how many statements were sent."""
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(OURS):
            calls[file.removeprefix(OURS)] += 1

    with app.app_context():
        engine = db.engine
    with heard(engine) as sent:
        sys.setprofile(note)
        try:
            act()
        finally:
            sys.setprofile(None)
    return calls, len([one for one in sent if one.text not in ("BEGIN", "COMMIT", "ROLLBACK")])


if __name__ == "__main__":
    main()
