"""Refused presses, so that /me can tell why. They are written together and a moment later: nobody waits for them."""

from datetime import datetime
from threading import Lock, Timer

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from booking import store, tries
from booking.extensions import db
from booking.refusals import Refused

SOON = 0.5  # seconds

_lock = Lock()
_waiting: list[tuple[int, int, Refused, datetime]] = []


def remember(person_id: int, slot_id: int, no: Refused, now: datetime) -> None:
    """Keep this refusal, if it is worth telling."""
    if no.reason not in tries.WORTH_TELLING:
        return
    with _lock:
        _waiting.append((person_id, slot_id, no, now))
        first = len(_waiting) == 1
    if current_app.config["TRIES_AT_ONCE"]:
        write(current_app)
    elif first:
        timer = Timer(SOON, write, [current_app._get_current_object()])  # type: ignore[attr-defined] # noqa: SLF001
        timer.daemon = True
        timer.start()


def write(app: Flask) -> None:
    """Write what has gathered. What cannot be written is forgotten: it is a courtesy."""
    with _lock:
        gathered, _waiting[:] = list(_waiting), []
    with app.app_context(), Session(db.engine) as session:
        try:
            with store.transaction(session):
                tries.remember(session, gathered)
        except SQLAlchemyError:
            app.logger.warning("%s tries could not be kept", len(gathered))
