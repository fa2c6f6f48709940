"""Attempt buffer: write-behind of failed booking attempts, from which /me explains them. Written in batches soon after."""

from datetime import datetime
from threading import Lock, Timer

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from booking.errors import RuleViolation
from booking.extensions import db
from booking.seats import failed_attempts

SOON = 0.5  # seconds


class AttemptBuffer:
    """The buffer of one process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = Lock()
        self._waiting: list[tuple[int, int, RuleViolation, datetime]] = []

    def remember(self, person_id: int, slot_id: int, no: RuleViolation, now: datetime) -> None:
        """Buffer this refusal, if its reason is recorded. Needs no request."""
        if not no.flags.recorded:
            return
        with self._lock:
            self._waiting.append((person_id, slot_id, no, now))
            first = len(self._waiting) == 1
        if self._app.config["WRITE_ATTEMPTS_SYNC"]:
            self.write()
        elif first:
            timer = Timer(SOON, self.write)
            timer.daemon = True
            timer.start()

    def write(self) -> None:
        """Write what has been buffered. What cannot be written is dropped: it is not essential."""
        with self._lock:
            gathered, self._waiting = self._waiting, []
        with self._app.app_context(), Session(db.engine) as session:
            try:
                failed_attempts.remember(session, gathered)
            except SQLAlchemyError:
                self._app.logger.warning("%s failed attempts could not be kept", len(gathered))


def register(app: Flask) -> None:
    app.extensions["attempt_buffer"] = AttemptBuffer(app)


def of_this_process() -> AttemptBuffer:
    found: AttemptBuffer = current_app.extensions["attempt_buffer"]
    return found
