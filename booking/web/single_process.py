"""Single process: a SQLite database is served by one web process; a second one waits for its end, then refuses to start.

Several writers starve each other on SQLite, and each would answer from a cache of its own.
"""

import multiprocessing.util
import os
from threading import Thread
from time import sleep

from click import ClickException
from flask import Flask

from booking.db import sqlite_file
from booking.db.file_lock import FileLock
from booking.extensions import db

# Seconds: a restart starts the new process before the old one has ended.
HAND_OVER = 15
# Seconds after which a process that its own server starts beside another is that one's successor, and waits for nothing.
RELOADED = 10
LOOK_EVERY = 0.1


def claim(app: Flask) -> None:
    """Serve the database of `app` from now on, or end this process with a sentence. Does nothing on PostgreSQL."""
    with app.app_context():
        path = sqlite_file.check(db.engine)
    if path is None:
        return
    lock = sqlite_file.web_lock(path)
    if _is_reload(lock):
        Thread(target=_follow, args=(lock,), name="web-lock", daemon=True).start()
    elif not _acquired(lock):
        raise ClickException(
            f"Another web process serves {path}. SQLite takes one: end the other, and start granian with --workers 1"
        )
    app.extensions["web_lock"] = lock
    # Not by atexit, which does not count in the workers of granian.
    multiprocessing.util.Finalize(None, end, args=(app,), exitpriority=0)


def end(app: Flask) -> None:
    """A clean end: whoever copies the file alone afterwards has everything."""
    with app.app_context():
        db.engine.dispose()
        if path := sqlite_file.path_of(db.engine):
            sqlite_file.checkpoint(path)


def _is_reload(lock: FileLock) -> bool:
    """Whether the server of this process serves already, for long: HUP starts the new process before the old one ends."""
    return lock.noted() == _served() and lock.noted_for() > RELOADED and not lock.is_free()


def _follow(lock: FileLock) -> None:
    """Take the lock over as soon as the process before this one has ended."""
    while not lock.holds():
        sleep(LOOK_EVERY)
        lock.acquire()
    lock.note(_served())


def _served() -> str:
    return f"served {os.getppid()}"


def _acquired(lock: FileLock) -> bool:
    """Wait for the lock, but not again for a parent that has waited in vain: granian would begin anew for ever."""
    parent = f"refused {os.getppid()}"
    for _ in range(int(HAND_OVER / LOOK_EVERY)):
        if lock.acquire():
            lock.note(_served())
            return True
        if lock.noted() == parent:
            return False
        sleep(LOOK_EVERY)
    lock.note(parent)
    return False
