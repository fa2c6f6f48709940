"""Orphans: a worker process ends when the web server that started it has ended, however it ended.

Otherwise workers of a server that was killed go on serving its port beside those of the next one, with old code.
"""

import os
import signal
from multiprocessing import parent_process
from threading import Event, Thread

LOOK_EVERY = 0.5  # seconds
PATIENCE = 10  # seconds for the requests at work, as --workers-kill-timeout


def end_with_parent() -> None:
    """Of a process that multiprocessing started, as granian does; of no command."""
    if parent := parent_process():
        Thread(target=_watch, args=(parent.pid,), name="orphans", daemon=True).start()


def _watch(parent: int | None) -> None:
    never = Event()
    while os.getppid() == parent:
        never.wait(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)  # a calm end
    never.wait(PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)  # a connection that is kept alive may hold it for ever
